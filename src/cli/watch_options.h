/* The command line of `spb watch`. */
#ifndef SPB_CLI_WATCH_OPTIONS_H
#define SPB_CLI_WATCH_OPTIONS_H

#include <spb/transport.h>

#include "cli/filter.h"

typedef struct watch_options {
    const char *server;
    spb_mqtt_options mqtt;
    filter wanted;
    bool wants_rebirth, is_plain, wants_help, wants_mqtt_help;
    uint64_t duration_s; /* 0: no end */
} watch_options;

/* CLI_OK, or CLI_USAGE: what is wrong was said. The strings are those of argv. */
int watch_options_read(int argc, char **argv, watch_options *o);

#endif
