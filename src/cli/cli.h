/* The commands of the tool `spb`, and its exit statuses. */
#ifndef SPB_CLI_CLI_H
#define SPB_CLI_CLI_H

enum {
    CLI_OK = 0,
    CLI_FAILED = 1,    /* something was wrong in the input, or with the network or the system */
    CLI_USAGE = 2,     /* the command line is wrong */
    CLI_UNREADABLE = 3 /* of `check`, where 1 means findings: the input could not be read */
};

/*
 * A command: argv[0] is its own name, options follow. Each answers --help on stdout (at most 24 lines of 80 columns)
 * and returns an exit status. Messages go to stderr and begin with "spb: ".
 */
int cmd_decode(int argc, char **argv);
int cmd_encode(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_edge(int argc, char **argv);
int cmd_fence_test(int argc, char **argv);
int cmd_store(int argc, char **argv);

#endif
