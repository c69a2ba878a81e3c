/* Decides where the events come from that are checked, and how `spb check` ends. What becomes of them is left to
 * checker.c. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/checker.h"
#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/patience.h"
#include "cli/progress.h"

typedef struct options {
    const char *file;   /* "-": standard input */
    const char *server; /* instead of a file; NULL: none */
    spb_mqtt_options mqtt;
    uint64_t duration_s;
    feed_options feed;
    bool as_json, all, wants_rules, wants_help, wants_mqtt_help;
} options;

/* All that lives as long as the command runs: too large for the stack. */
typedef struct run {
    checker checker;
    feed feed;
    report report;
    progress progress;
    out to;
} run;

static void flush(void *user) {
    out_flush(user);
}

/* ---- a file ---- */

static void check_file(run *r, const options *o, int fd) {
    r->report.before = progress_hide;
    r->report.user = &r->progress;
    feed_init(&r->feed, fd, &o->feed, &r->report, flush, &r->to);
    progress_begin(&r->progress, fd);
    while (r->to.error == 0 && feed_next(&r->feed, checker_record, &r->checker) == FEED_MORE) {
        findings_set_counted(r->checker.found, r->feed.packets ? "packet" : "line");
        progress_step(&r->progress);
    }
    progress_hide(&r->progress);
    feed_clear(&r->feed);
    checker_end(&r->checker, 0);
}

/* ---- a server ---- */

/* False: it was never reached. */
static bool take_live_events(run *r, live *from, bool *was_online) {
    live_event event;
    while (live_next(from, &event)) {
        if (event.kind == LIVE_WARNING) {
            complain("%s", event.reason.text);
            continue;
        }
        if (event.kind == LIVE_ONLINE) {
            *was_online = true;
            complain("checking what comes; Ctrl-C ends it");
            continue;
        }
        if (event.kind == LIVE_OFFLINE) {
            report_wrong(&r->report, (place){.line = 0}, &event.reason, "");
        }
        if (!*was_online) {
            return false;
        }
        checker_live_event(&r->checker, &event);
    }
    out_flush(&r->to);
    return true;
}

static void check_server(run *r, const options *o) {
    spb_error err;
    live *from;
    patience_begin();
    if (live_new(&from, o->server, &o->mqtt, &err) != SPB_OK) {
        report_wrong(&r->report, (place){.line = 0}, &err, "");
        return;
    }
    bool was_online = false, goes_on = true;
    uint64_t end_ms = o->duration_s > 0 ? patience_now_ms() + 1000 * o->duration_s : UINT64_MAX;
    while (goes_on && !patience_is_over() && r->to.error == 0 && patience_now_ms() < end_ms) {
        enum { LONGEST_MS = 1000 };
        uint64_t left_ms = end_ms - patience_now_ms();
        int wait_ms = left_ms < LONGEST_MS ? (int)left_ms : LONGEST_MS, live_ms = live_wait_ms(from);
        bool has_events, ignored;
        patience_wait(live_fd(from), -1, live_ms >= 0 && live_ms < wait_ms ? live_ms : wait_ms, &has_events, &ignored);
        goes_on = take_live_events(r, from, &was_online);
    }
    live_free(from);
    if (was_online) {
        checker_end(&r->checker, patience_unix_ms());
    }
}

/* ---- the command ---- */

static int finish(run *r) {
    out_flush(&r->to);
    if (r->to.error != 0 && r->to.error != EPIPE) {
        complain("standard output: %s", strerror(r->to.error));
        r->report.is_wrong = true;
    }
    return r->report.is_wrong ? CLI_UNREADABLE : findings_count(r->checker.found) > 0 ? CLI_FAILED : CLI_OK;
}

static int check_input(const options *o, int fd) {
    run *r = calloc(1, sizeof *r);
    int result = CLI_UNREADABLE;
    if (!r) {
        complain("out of memory");
        return result;
    }
    out_init(&r->to, STDOUT_FILENO);
    report_init(&r->report, o->server ? o->server : fd == STDIN_FILENO ? "stdin" : o->file, &r->to);
    if (!checker_init(&r->checker, &r->report, &r->to, o->as_json, o->all, isatty(STDOUT_FILENO))) {
        complain("out of memory");
    } else if (o->server) {
        check_server(r, o);
        result = finish(r);
    } else {
        check_file(r, o, fd);
        result = finish(r);
    }
    checker_clear(&r->checker);
    free(r);
    return result;
}

static void print_rules(void) {
    size_t count;
    const check_rule *rules = check_rules(&count);
    for (size_t i = 0; i < count; i++) {
        printf("%-6s  %s\n        %s\n", rules[i].level == CHECK_MUST ? "MUST" : "SHOULD", rules[i].id, rules[i].right);
    }
}

static int usage(const char *what, const char *word) {
    return options_usage("check", what, word);
}

enum { OPTION_INPUT = 256, OPTION_JSON, OPTION_ALL, OPTION_RULES, OPTION_BROKER, OPTION_DURATION };

static const struct option known[] = {{"input", required_argument, NULL, OPTION_INPUT},
                                      {"json", no_argument, NULL, OPTION_JSON},
                                      {"all", no_argument, NULL, OPTION_ALL},
                                      {"rules", no_argument, NULL, OPTION_RULES},
                                      {"broker", required_argument, NULL, OPTION_BROKER},
                                      {"duration", required_argument, NULL, OPTION_DURATION},
                                      {"help", no_argument, NULL, 'h'},
                                      OPTIONS_MQTT,
                                      {NULL, 0, NULL, 0}};

/* CLI_OK: go on. */
static int take_option(options *o, int option, const char *value) {
    switch (option) {
    case OPTION_JSON: o->as_json = true; return CLI_OK;
    case OPTION_ALL: o->all = true; return CLI_OK;
    case OPTION_RULES: o->wants_rules = true; return CLI_OK;
    case OPTION_BROKER: o->server = value; return CLI_OK;
    case OPTION_INPUT:
        return input_format_from_name(value, &o->feed.format) ? CLI_OK : usage("unknown input format ", value);
    case OPTION_DURATION:
        return options_number("check", "duration", value, 1, 100000000, &o->duration_s) ? CLI_OK : CLI_USAGE;
    default: return options_take_mqtt("check", option, value, &o->mqtt) ? CLI_OK : CLI_USAGE;
    }
}

static int read_options(int argc, char **argv, options *o) {
    int option, result = CLI_OK;
    opterr = 0;
    while (result == CLI_OK && (option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (option) {
        case 'h': o->wants_help = true; return CLI_OK;
        case OPTIONS_MQTT_HELP: o->wants_mqtt_help = true; return CLI_OK;
        case ':': return usage("a value is missing behind ", argv[optind - 1]);
        case '?': return usage("unknown option ", argv[optind - 1]);
        default: result = take_option(o, option, optarg); break;
        }
    }
    if (result != CLI_OK) {
        return result;
    }
    spb_error err;
    if (o->server && spb_mqtt_check_server(o->server, &o->mqtt, &err) != SPB_OK) {
        return usage("", err.text);
    }
    if (argc - optind > (o->server ? 0 : 1)) {
        return usage("only one input can be read, not also ", argv[argc - 1]);
    }
    o->file = optind < argc ? argv[optind] : "-";
    options_finish_mqtt(&o->mqtt);
    return CLI_OK;
}

static int show_text(const options *o) {
    if (o->wants_rules) {
        print_rules();
    } else {
        fputs(o->wants_help ? help_check : help_mqtt, stdout);
    }
    return CLI_OK;
}

int cmd_check(int argc, char **argv) {
    options o = {.feed.on_event = checker_capture_event};
    int result = read_options(argc, argv, &o);
    if (result != CLI_OK) {
        return result;
    }
    if (o.wants_help || o.wants_rules || o.wants_mqtt_help) {
        return show_text(&o);
    }
    int fd = o.server || strcmp(o.file, "-") == 0 ? STDIN_FILENO : open(o.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("%s: %s", o.file, strerror(errno));
        return CLI_UNREADABLE;
    }
    signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
    result = check_input(&o, fd);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return result;
}
