/* The texts of --help: src/cli/help holds them, cmake/help.awk makes strings, man pages and completion of them. */
#ifndef SPB_CLI_HELP_H
#define SPB_CLI_HELP_H

extern const char help_spb[];
extern const char help_decode[];
extern const char help_encode[];
extern const char help_check[];
extern const char help_watch[];
extern const char help_edge[];
extern const char help_store[];
extern const char help_fence_test[];
extern const char help_mqtt[]; /* of the options that several commands share */

#endif
