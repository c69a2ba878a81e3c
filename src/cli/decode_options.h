/* The command line of `spb decode`. */
#ifndef SPB_CLI_DECODE_OPTIONS_H
#define SPB_CLI_DECODE_OPTIONS_H

#include "cli/feed.h"
#include "cli/filter.h"
#include "cli/output.h"

typedef struct decode_options {
    const char *file; /* "-": standard input */
    bool wants_help;
    bool wants_json, wants_csv, wants_stats;
    bool is_csv_safe; /* with wants_csv */
    bool is_unfolding;
    bool use_colour;
    feed_options feed;
    filter wanted;
} decode_options;

/* CLI_OK, or CLI_USAGE: what is wrong was said. The strings are those of argv. */
int decode_options_read(int argc, char **argv, decode_options *o);
output_form decode_options_form(const decode_options *o);

#endif
