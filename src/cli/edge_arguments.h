/* The command line of `spb edge`. */
#ifndef SPB_CLI_EDGE_ARGUMENTS_H
#define SPB_CLI_EDGE_ARGUMENTS_H

#include <spb/node.h>

typedef struct edge_arguments {
    spb_node_options node; /* without callbacks */
    uint32_t interval_ms;
    uint32_t duration_s; /* 0: no end */
    bool is_verbose;
    const char *help;   /* to be printed instead of anything else; NULL: no help is wanted */
    char servers[2048]; /* those of --broker */
    char node_id[256];  /* when none is given */
} edge_arguments;

/* CLI_OK, or CLI_USAGE after a line on stderr. *out points into itself: it must stay where it is. */
int edge_arguments_parse(int argc, char **argv, edge_arguments *out);

#endif
