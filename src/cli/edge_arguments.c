/* Decides what the demo edge node can be told on the command line. */
#include "cli/edge_arguments.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/options.h"

/* ---- single options ---- */

static bool take_u32(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t unit, uint32_t *out) {
    uint64_t number = 0;
    bool is_good = options_number("edge", option, text, min, max, &number);
    *out = (uint32_t)number * unit;
    return is_good;
}

static bool take_store_size(const char *text, uint64_t *out) {
    bool is_good = options_number("edge", "store-size", text, 1, 1 << 20, out);
    *out <<= 20;
    return is_good;
}

static bool take_message_size(const char *text, size_t *out) {
    uint64_t number = 0;
    bool is_good = options_number("edge", "max-message", text, 1024, 268435460, &number);
    *out = (size_t)number;
    return is_good;
}

/* The words are those of the enum, in its order, from `first` on. */
static bool take_choice(const char *option, const char *text, const char *const *words, int first, int *out) {
    int choice = options_choice("edge", option, text, words);
    *out = choice + first;
    return choice >= 0;
}

static bool take_delivery(const char *text, spb_delivery *out) {
    static const char *const words[] = {"live", "outage", "durable", NULL};
    int choice;
    bool is_good = take_choice("delivery", text, words, SPB_DELIVERY_LIVE, &choice);
    *out = (spb_delivery)choice;
    return is_good;
}

static bool take_confirm(const char *text, spb_confirm *out) {
    static const char *const words[] = {"fence", "window", NULL};
    int choice;
    bool is_good = take_choice("confirm", text, words, SPB_CONFIRM_FENCE, &choice);
    *out = (spb_confirm)choice;
    return is_good;
}

static bool take_sync(const char *text, spb_store_sync *out) {
    static const char *const words[] = {"full", "normal", NULL};
    int choice;
    bool is_good = take_choice("store-sync", text, words, SPB_STORE_SYNC_FULL, &choice);
    *out = (spb_store_sync)choice;
    return is_good;
}

/* Appends to the list of servers. */
static bool add_broker(edge_arguments *out, const char *uri) {
    size_t len = strlen(out->servers);
    int more = snprintf(out->servers + len, sizeof out->servers - len, "%s%s", len > 0 ? "," : "", uri);
    if ((size_t)more >= sizeof out->servers - len) {
        options_usage("edge", "too many servers: ", uri);
        return false;
    }
    out->node.servers = out->servers;
    return true;
}

/* ---- all of them ---- */

enum {
    BROKER = 256,
    PRIMARY_HOST,
    GROUP,
    NODE,
    INTERVAL,
    DURATION,
    KEEP_ALIVE,
    RECONNECT,
    STORE,
    STORE_SIZE,
    STORE_SYNC,
    DELIVERY,
    REPLAY_RATE,
    STRICT_ORDER,
    MAX_MESSAGE,
    CONFIRM,
    CLOCK_WAIT,
    FENCE_WITHIN
};

static const struct option known[] = {{"broker", required_argument, NULL, BROKER},
                                      {"primary-host", required_argument, NULL, PRIMARY_HOST},
                                      {"group", required_argument, NULL, GROUP},
                                      {"node", required_argument, NULL, NODE},
                                      {"interval", required_argument, NULL, INTERVAL},
                                      {"duration", required_argument, NULL, DURATION},
                                      {"keep-alive", required_argument, NULL, KEEP_ALIVE},
                                      {"reconnect", required_argument, NULL, RECONNECT},
                                      {"store", required_argument, NULL, STORE},
                                      {"store-size", required_argument, NULL, STORE_SIZE},
                                      {"store-sync", required_argument, NULL, STORE_SYNC},
                                      {"delivery", required_argument, NULL, DELIVERY},
                                      {"replay-rate", required_argument, NULL, REPLAY_RATE},
                                      {"strict-order", no_argument, NULL, STRICT_ORDER},
                                      {"max-message", required_argument, NULL, MAX_MESSAGE},
                                      {"confirm", required_argument, NULL, CONFIRM},
                                      {"clock-wait", required_argument, NULL, CLOCK_WAIT},
                                      {"fence-within", required_argument, NULL, FENCE_WITHIN},
                                      OPTIONS_MQTT,
                                      {"verbose", no_argument, NULL, 'v'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static bool take(edge_arguments *out, int option, const char *value) {
    spb_node_options *node = &out->node;
    switch (option) {
    case BROKER: return add_broker(out, value);
    case PRIMARY_HOST: node->primary_host_id = value; return true;
    case GROUP: node->group_id = value; return true;
    case NODE: node->node_id = value; return true;
    case INTERVAL: return take_u32("interval", value, 100, 60000, 1, &out->interval_ms);
    case DURATION: return take_u32("duration", value, 1, 100000000, 1, &out->duration_s);
    case KEEP_ALIVE: return take_u32("keep-alive", value, 1, 65535, 1, &node->keep_alive_s);
    case RECONNECT: return take_u32("reconnect", value, 1, 3600, 1000, &node->reconnect_max_ms);
    case STORE: node->store_path = value; return true;
    case STORE_SIZE: return take_store_size(value, &node->store_options.max_bytes);
    case STORE_SYNC: return take_sync(value, &node->store_options.sync);
    case DELIVERY: return take_delivery(value, &node->delivery);
    case REPLAY_RATE: return take_u32("replay-rate", value, 0, UINT32_MAX, 1, &node->replay_samples_per_s);
    case STRICT_ORDER: node->strict_order = true; return true;
    case MAX_MESSAGE: return take_message_size(value, &node->max_message_bytes);
    case CONFIRM: return take_confirm(value, &node->confirm);
    case CLOCK_WAIT: return take_u32("clock-wait", value, 0, 86400, 1, &node->clock_wait_s);
    case FENCE_WITHIN: return take_u32("fence-within", value, 0, 3600000, 1, &node->fence_within_ms);
    case 'v': out->is_verbose = true; return true;
    case 'h': out->help = help_edge; return true;
    case OPTIONS_MQTT_HELP: out->help = help_mqtt; return true;
    default: return options_take_mqtt("edge", option, value, &node->mqtt);
    }
}

/* The name of this machine, made valid as an ID (tck-id-topic-structure-namespace-valid-edge-node-id). */
static void default_node_id(char id[static 256]) {
    if (gethostname(id, 255) != 0 || id[0] == '\0') {
        strcpy(id, "edge");
    }
    id[255] = '\0';
    for (char *c = id; *c; c++) {
        if (*c <= ' ' || *c > '~' || strchr("+/#", *c)) {
            *c = '-';
        }
    }
}

int edge_arguments_parse(int argc, char **argv, edge_arguments *out) {
    *out = (edge_arguments){.node = SPB_NODE_OPTIONS_INIT, .interval_ms = 1000};
    default_node_id(out->node_id);
    out->node.servers = "mqtt://127.0.0.1:1883";
    out->node.group_id = "Plant1";
    out->node.node_id = out->node_id;
    opterr = 0;
    while (!out->help) {
        const char *word = argv[optind]; /* '+' lets getopt take them in their order */
        int option = getopt_long(argc, argv, "+:vh", known, NULL);
        if (option == -1 && optind < argc) {
            return options_usage("edge", "unexpected argument ", argv[optind]);
        } else if (option == -1) {
            break;
        } else if (option == ':' || option == '?') {
            return options_usage("edge", option == ':' ? "a value is missing after " : "no option ", word);
        } else if (!take(out, option, optarg)) {
            return CLI_USAGE;
        }
    }
    options_finish_mqtt(&out->node.mqtt);
    return CLI_OK;
}
