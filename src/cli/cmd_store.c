#include "cli/cli.h"
int cmd_store(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return 1;
}
