/* Decides how the demo edge node is started, run and stopped from the command line. What it publishes is left to
 * plant.c. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spb/node.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/plant.h"

enum { STOP_MS = 5000 };

typedef struct arguments {
    spb_node_options node;
    uint32_t interval_ms;
    uint32_t duration_s; /* 0: no end */
    bool is_verbose;
    bool wants_help;
    char servers[2048]; /* those of --broker */
} arguments;

/* ---- the command line ---- */

static int usage(const char *what, const char *word) {
    fprintf(stderr, "spb: %s%s; see spb edge --help\n", what, word);
    return CLI_USAGE;
}

static bool parse_number(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *out) {
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || end == text || errno || number < min || number > max) {
        fprintf(stderr, "spb: --%s %s: not a number from %u to %u; see spb edge --help\n", option, text, (unsigned)min,
                (unsigned)max);
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* Appends to the list of servers. */
static bool add_broker(arguments *out, const char *uri) {
    size_t len = strlen(out->servers);
    int more = snprintf(out->servers + len, sizeof out->servers - len, "%s%s", len > 0 ? "," : "", uri);
    if ((size_t)more >= sizeof out->servers - len) {
        fprintf(stderr, "spb: --broker %s: too many; see spb edge --help\n", uri);
        return false;
    }
    out->node.servers = out->servers;
    return true;
}

static bool parse_version(const char *text, spb_mqtt_version *out) {
    bool is_5 = strcmp(text, "5") == 0;
    if (!is_5 && strcmp(text, "3") != 0 && strcmp(text, "3.1.1") != 0) {
        fprintf(stderr, "spb: --mqtt %s: there is 3.1.1 and 5; see spb edge --help\n", text);
        return false;
    }
    *out = is_5 ? SPB_MQTT_5 : SPB_MQTT_3_1_1;
    return true;
}

static int parse_arguments(int argc, char **argv, arguments *out) {
    enum {
        BROKER = 256,
        PRIMARY_HOST,
        KEEP_ALIVE,
        RECONNECT,
        GROUP,
        NODE,
        INTERVAL,
        DURATION,
        STORE,
        MQTT,
        USER,
        PASSWORD_FILE,
        CAFILE,
        CERT,
        KEY,
        INSECURE
    };
    static const struct option options[] = {{"broker", required_argument, NULL, BROKER},
                                            {"primary-host", required_argument, NULL, PRIMARY_HOST},
                                            {"keep-alive", required_argument, NULL, KEEP_ALIVE},
                                            {"reconnect", required_argument, NULL, RECONNECT},
                                            {"group", required_argument, NULL, GROUP},
                                            {"node", required_argument, NULL, NODE},
                                            {"interval", required_argument, NULL, INTERVAL},
                                            {"duration", required_argument, NULL, DURATION},
                                            {"store", required_argument, NULL, STORE},
                                            {"mqtt", required_argument, NULL, MQTT},
                                            {"user", required_argument, NULL, USER},
                                            {"password-file", required_argument, NULL, PASSWORD_FILE},
                                            {"cafile", required_argument, NULL, CAFILE},
                                            {"cert", required_argument, NULL, CERT},
                                            {"key", required_argument, NULL, KEY},
                                            {"insecure", no_argument, NULL, INSECURE},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    opterr = 0;
    for (;;) {
        const char *word = argv[optind]; /* '+' lets getopt take them in their order */
        int option = getopt_long(argc, argv, "+:vh", options, NULL);
        switch (option) {
        case -1: return optind < argc ? usage("unexpected argument ", argv[optind]) : CLI_OK;
        case BROKER:
            if (!add_broker(out, optarg)) {
                return CLI_USAGE;
            }
            break;
        case PRIMARY_HOST: out->node.primary_host_id = optarg; break;
        case KEEP_ALIVE:
            if (!parse_number("keep-alive", optarg, 1, 65535, &out->node.keep_alive_s)) {
                return CLI_USAGE;
            }
            break;
        case RECONNECT:
            if (!parse_number("reconnect", optarg, 1, 3600, &out->node.reconnect_max_ms)) {
                return CLI_USAGE;
            }
            out->node.reconnect_max_ms *= 1000;
            break;
        case GROUP: out->node.group_id = optarg; break;
        case NODE: out->node.node_id = optarg; break;
        case STORE: out->node.store_path = optarg; break;
        case USER: out->node.mqtt.user = optarg; break;
        case PASSWORD_FILE: out->node.mqtt.password_file = optarg; break;
        case CAFILE: out->node.mqtt.ca_file = optarg; break;
        case CERT: out->node.mqtt.cert_file = optarg; break;
        case KEY: out->node.mqtt.key_file = optarg; break;
        case INSECURE: out->node.mqtt.insecure_skip_verify = true; break;
        case MQTT:
            if (!parse_version(optarg, &out->node.mqtt.version)) {
                return CLI_USAGE;
            }
            break;
        case 'v': out->is_verbose = true; break;
        case 'h': out->wants_help = true; return CLI_OK;
        case INTERVAL:
            if (!parse_number("interval", optarg, 100, 60000, &out->interval_ms)) {
                return CLI_USAGE;
            }
            break;
        case DURATION:
            if (!parse_number("duration", optarg, 1, 100000000, &out->duration_s)) {
                return CLI_USAGE;
            }
            break;
        case ':': return usage("a value is missing after ", word);
        default: return usage("no option ", word);
        }
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

/* ---- what it tells ---- */

/* One call per line, so that lines of different threads do not mix. Why a connection failed or was lost is in the log,
 * as a warning. */
static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    const arguments *args = user;
    (void)node;
    (void)reason;
    if (state == SPB_SESSION_ONLINE) {
        fprintf(stderr, "spb: online as %s/%s at %s\n", args->node.group_id, args->node.node_id, args->node.servers);
    } else if (args->is_verbose) {
        fprintf(stderr, "spb: %s\n", spb_session_state_name(state));
    }
}

static void on_log(spb_log_level level, const char *text, void *user) {
    static const char *const prefixes[] = {
        [SPB_LOG_ERROR] = "error: ", [SPB_LOG_WARNING] = "warning: ", [SPB_LOG_INFO] = "", [SPB_LOG_DEBUG] = ""};
    (void)user;
    fprintf(stderr, "spb: %s%s\n", prefixes[level], text);
}

static void print_stats(const spb_node *node) {
    spb_stats stats;
    spb_node_stats(node, &stats);
    fprintf(stderr,
            "spb: published %" PRIu64 " samples and %" PRIu64 " births in %" PRIu64 " messages; lost %" PRIu64
            " connections\n",
            stats.samples_published, stats.births, stats.messages_published, stats.connections_lost);
}

/* ---- its life ---- */

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* True when one of the signals has come, or comes before the deadline. */
static bool wait_for_signal(const sigset_t *signals, uint64_t deadline_ms) {
    for (;;) {
        uint64_t now = now_ms();
        uint64_t rest_ms = now < deadline_ms ? deadline_ms - now : 0;
        struct timespec rest = {.tv_sec = (time_t)(rest_ms / 1000), .tv_nsec = (long)(rest_ms % 1000) * 1000000};
        if (sigtimedwait(signals, NULL, &rest) > 0) {
            return true;
        }
        if (rest_ms == 0) {
            return false;
        }
    }
}

/* Measures at multiples of the interval until the end or a signal. What was missed, by a machine that slept, is left
 * out. */
static void measure_until_end(plant *p, const arguments *args, const sigset_t *signals) {
    uint64_t start_ms = now_ms(), before_ms = start_ms;
    uint64_t end_ms = args->duration_s ? start_ms + args->duration_s * UINT64_C(1000) : UINT64_MAX;
    for (;;) {
        uint64_t next_ms = before_ms + args->interval_ms - (before_ms - start_ms) % args->interval_ms;
        if (wait_for_signal(signals, next_ms < end_ms ? next_ms : end_ms)) {
            return;
        }
        uint64_t now = now_ms();
        if (now >= end_ms) {
            return;
        }
        plant_measure(p, now - before_ms);
        before_ms = now;
    }
}

static int stop(spb_node *node) {
    spb_status status = spb_node_stop(node, STOP_MS);
    if (status != SPB_OK) {
        fprintf(stderr, "spb: %s\n",
                status == SPB_ERR_TIMEOUT
                    ? "the server did not take the goodbye in time; it will publish the will"
                    : "the connection was lost before the goodbye; the server publishes the will");
        return CLI_FAILED;
    }
    return CLI_OK;
}

/* In all threads: those that come later inherit it. */
static void block_signals(sigset_t *signals) {
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static int fail(const spb_error *err) {
    fprintf(stderr, "spb: %s\n", err->text);
    return CLI_FAILED;
}

static int run(spb_node *node, const arguments *args) {
    plant *p;
    spb_error err;
    sigset_t signals;
    block_signals(&signals);
    if (plant_new(&p, node, &err) != SPB_OK) {
        return fail(&err);
    }
    int result;
    if (spb_node_start(node, &err) != SPB_OK) {
        result = fail(&err);
    } else {
        measure_until_end(p, args, &signals);
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second signal ends the process at once */
        result = stop(node);
    }
    if (args->is_verbose) {
        print_stats(node);
    }
    plant_free(p);
    return result;
}

int cmd_edge(int argc, char **argv) {
    char node_id[256];
    default_node_id(node_id);
    arguments args = {.node = SPB_NODE_OPTIONS_INIT, .interval_ms = 1000};
    args.node.servers = "mqtt://127.0.0.1:1883";
    args.node.group_id = "Plant1";
    args.node.node_id = node_id;
    args.node.on_state = on_state;
    args.node.on_log = on_log;
    args.node.user_data = &args;
    /* A proxy for the web is none for MQTT, and the library refuses to connect through one. */
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    int result = parse_arguments(argc, argv, &args);
    if (result != CLI_OK) {
        return result;
    }
    if (args.wants_help) {
        fputs(help_edge, stdout);
        return CLI_OK;
    }
    args.node.log_level = args.is_verbose ? SPB_LOG_INFO : SPB_LOG_WARNING;
    if (args.node.mqtt.user && !args.node.mqtt.password_file) {
        args.node.mqtt.password = getenv("SPB_PASSWORD");
    }

    spb_node *node;
    spb_error err;
    spb_status status = spb_node_new(&node, &args.node, &err);
    if (status != SPB_OK) {
        fail(&err);
        return status == SPB_ERR_ARGUMENT || status == SPB_ERR_NAME ? CLI_USAGE : CLI_FAILED;
    }
    result = run(node, &args);
    spb_node_free(node);
    return result;
}
