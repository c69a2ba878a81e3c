/* Decides what the words of the command line mean. */
#include "cli/decode_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"

static bool colour_by_default(void) {
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static bool read_colour(const char *when, bool *use_colour) {
    bool is_known = strcmp(when, "auto") == 0 || strcmp(when, "always") == 0 || strcmp(when, "never") == 0;
    *use_colour = strcmp(when, "always") == 0 || (strcmp(when, "auto") == 0 && colour_by_default());
    return is_known;
}

static bool read_ports(const char *list, feed_options *o) {
    do {
        char *end;
        unsigned long port = *list >= '0' && *list <= '9' ? strtoul(list, &end, 10) : 0;
        if (port == 0 || port > 65535 || (*end != ',' && *end != '\0') || o->port_count == CAPTURE_MAX_PORTS) {
            return false;
        }
        o->ports[o->port_count++] = (uint16_t)port;
        list = end;
    } while (*list++ == ',');
    return true;
}

static int usage(const char *what, const char *word) {
    return options_usage("decode", what, word);
}

enum {
    OPTION_INPUT = 256,
    OPTION_JSON,
    OPTION_CSV,
    OPTION_CSV_SAFE,
    OPTION_STATS,
    OPTION_UNFOLD,
    OPTION_GROUP,
    OPTION_NODE,
    OPTION_DEVICE,
    OPTION_METRIC,
    OPTION_KIND,
    OPTION_FROM,
    OPTION_TO,
    OPTION_PORT,
    OPTION_ALL,
    OPTION_COLOR
};

static const struct option known[] = {{"input", required_argument, NULL, OPTION_INPUT},
                                      {"json", no_argument, NULL, OPTION_JSON},
                                      {"csv", no_argument, NULL, OPTION_CSV},
                                      {"csv-safe", no_argument, NULL, OPTION_CSV_SAFE},
                                      {"stats", no_argument, NULL, OPTION_STATS},
                                      {"unfold", no_argument, NULL, OPTION_UNFOLD},
                                      {"group", required_argument, NULL, OPTION_GROUP},
                                      {"node", required_argument, NULL, OPTION_NODE},
                                      {"device", required_argument, NULL, OPTION_DEVICE},
                                      {"metric", required_argument, NULL, OPTION_METRIC},
                                      {"kind", required_argument, NULL, OPTION_KIND},
                                      {"from", required_argument, NULL, OPTION_FROM},
                                      {"to", required_argument, NULL, OPTION_TO},
                                      {"port", required_argument, NULL, OPTION_PORT},
                                      {"all", no_argument, NULL, OPTION_ALL},
                                      {"color", required_argument, NULL, OPTION_COLOR},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

/* NULL: understood; else what is wrong with `word`. */
static const char *read_value(decode_options *o, int option, const char *word) {
    switch (option) {
    case OPTION_GROUP: o->wanted.group = word; return NULL;
    case OPTION_NODE: o->wanted.node = word; return NULL;
    case OPTION_DEVICE: o->wanted.device = word; return NULL;
    case OPTION_METRIC: o->wanted.metric = word; return NULL;
    case OPTION_INPUT: return input_format_from_name(word, &o->feed.format) ? NULL : "unknown input format ";
    case OPTION_KIND: return filter_read_kinds(word, &o->wanted.kinds) ? NULL : "--kind takes NBIRTH … STATE, not ";
    case OPTION_FROM: return filter_read_time(word, &o->wanted.from) ? NULL : "--from takes a time, not ";
    case OPTION_TO: return filter_read_time(word, &o->wanted.to) ? NULL : "--to takes a time, not ";
    case OPTION_PORT: return read_ports(word, &o->feed) ? NULL : "--port takes numbers from 1 to 65535, not ";
    default: return read_colour(word, &o->use_colour) ? NULL : "--color takes auto, always or never, not ";
    }
}

static int check(const decode_options *o) {
    if (o->wants_csv && (o->wants_json || o->wants_stats)) {
        return usage("--csv goes with neither --json nor --stats", "");
    }
    return CLI_OK;
}

int decode_options_read(int argc, char **argv, decode_options *o) {
    int option;
    *o = (decode_options){.use_colour = colour_by_default()};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        const char *wrong = NULL;
        switch (option) {
        case 'h': o->wants_help = true; return CLI_OK;
        case OPTION_JSON: o->wants_json = true; break;
        case OPTION_CSV_SAFE: o->is_csv_safe = o->wants_csv = true; break;
        case OPTION_CSV: o->wants_csv = true; break;
        case OPTION_STATS: o->wants_stats = true; break;
        case OPTION_UNFOLD: o->is_unfolding = true; break;
        case OPTION_ALL: o->feed.with_copies = true; break;
        case ':': return usage("a value is missing behind ", argv[optind - 1]);
        case '?': return usage("unknown option ", argv[optind - 1]);
        default: wrong = read_value(o, option, optarg); break;
        }
        if (wrong) {
            return usage(wrong, optarg);
        }
    }
    if (argc - optind > 1) {
        return usage("only one file can be read, not also ", argv[optind + 1]);
    }
    o->file = optind < argc ? argv[optind] : "-";
    return check(o);
}

output_form decode_options_form(const decode_options *o) {
    if (o->wants_stats) {
        return o->wants_json ? OUTPUT_STATS_JSON : OUTPUT_STATS;
    }
    return o->wants_csv ? OUTPUT_CSV : o->wants_json ? OUTPUT_JSON : OUTPUT_TEXT;
}
