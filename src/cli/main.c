/* The tool `spb`: chooses the command. What a command does, and its own options, are left to cmd_*.c. */
#include <stdio.h>
#include <string.h>

#include <spb/version.h>

#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/help.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} command;

static const command commands[] = {{"decode", cmd_decode},        {"encode", cmd_encode}, {"check", cmd_check},
                                   {"watch", cmd_watch},          {"edge", cmd_edge},     {"store", cmd_store},
                                   {"fence-test", cmd_fence_test}};

static const command *find_command(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int usage(const char *what, const char *word) {
    complain("%s%s; see spb help", what, word);
    return CLI_USAGE;
}

static int run_help(int argc, char **argv) {
    if (argc < 2) {
        fputs(help_spb, stdout);
        return CLI_OK;
    }
    const command *found = find_command(argv[1]);
    if (!found) {
        return usage("no command ", argv[1]);
    }
    char option[] = "--help";
    char *arguments[] = {argv[1], option, NULL};
    return found->run(2, arguments);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        return usage("a command is missing", "");
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("spb %s (libspb %s)\n", SPB_VERSION, spb_version());
        return CLI_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        fputs(help_spb, stdout);
        return CLI_OK;
    }
    if (strcmp(name, "help") == 0) {
        return run_help(argc - 1, argv + 1);
    }
    const command *found = find_command(name);
    return found ? found->run(argc - 1, argv + 1) : usage("no command ", name);
}
