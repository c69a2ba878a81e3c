/* Decides what the words of the command line mean. */
#include "cli/watch_options.h"

#include <getopt.h>

#include "cli/cli.h"
#include "cli/options.h"

enum { BROKER = 256, GROUP, NODE, DEVICE, METRIC, REBIRTH, PLAIN, DURATION };

static const struct option known[] = {{"broker", required_argument, NULL, BROKER},
                                      {"group", required_argument, NULL, GROUP},
                                      {"node", required_argument, NULL, NODE},
                                      {"device", required_argument, NULL, DEVICE},
                                      {"metric", required_argument, NULL, METRIC},
                                      {"rebirth", no_argument, NULL, REBIRTH},
                                      {"plain", no_argument, NULL, PLAIN},
                                      {"duration", required_argument, NULL, DURATION},
                                      {"help", no_argument, NULL, 'h'},
                                      OPTIONS_MQTT,
                                      {NULL, 0, NULL, 0}};

/* False: what is wrong was said. */
static bool take(watch_options *o, int option, const char *value) {
    switch (option) {
    case BROKER: o->server = value; return true;
    case GROUP: o->wanted.group = value; return true;
    case NODE: o->wanted.node = value; return true;
    case DEVICE: o->wanted.device = value; return true;
    case METRIC: o->wanted.metric = value; return true;
    case REBIRTH: o->wants_rebirth = true; return true;
    case PLAIN: o->is_plain = true; return true;
    case DURATION: return options_number("watch", "duration", value, 1, 100000000, &o->duration_s);
    default: return options_take_mqtt("watch", option, value, &o->mqtt);
    }
}

int watch_options_read(int argc, char **argv, watch_options *o) {
    *o = (watch_options){.server = "mqtt://127.0.0.1:1883"};
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":h", known, NULL);
        switch (option) {
        case -1:
            options_finish_mqtt(&o->mqtt);
            return optind < argc ? options_usage("watch", "unexpected argument ", argv[optind]) : CLI_OK;
        case 'h': o->wants_help = true; return CLI_OK;
        case OPTIONS_MQTT_HELP: o->wants_mqtt_help = true; return CLI_OK;
        case ':': return options_usage("watch", "a value is missing behind ", argv[optind - 1]);
        case '?': return options_usage("watch", "unknown option ", argv[optind - 1]);
        default:
            if (!take(o, option, optarg)) {
                return CLI_USAGE;
            }
        }
    }
}
