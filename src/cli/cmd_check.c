/* Decides where the events come from that are checked, and how `spb check` ends. The rules are left to src/check, the
 * look of findings to findings.c. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cli/cli.h"
#include "cli/error.h"
#include "cli/feed.h"
#include "cli/findings.h"
#include "cli/help.h"
#include "cli/progress.h"

typedef struct options {
    const char *file; /* "-": standard input */
    feed_options feed;
    bool as_json, all, wants_rules, wants_help;
} options;

typedef struct checker {
    check *rules;
    findings *found;
    uint64_t messages;
    uint64_t last_ms;
    feed feed;
    report report;
    progress progress;
    out to;
} checker;

static void add_event(checker *k, const check_event *event, place at) {
    if (event->has_time) {
        k->last_ms = event->time_ms;
    }
    if (!check_event_add(k->rules, event)) {
        report_no_memory(&k->report, at);
    }
}

/* ---- captures ---- */

static check_will publish_of(const capture_publish *from) {
    return (check_will){from->topic, from->payload, from->qos, from->retain};
}

static void add_subscriptions(checker *k, check_event *event, const capture_event *from) {
    size_t cursor = 0;
    capture_filter filter;
    event->kind = CHECK_SUBSCRIBE;
    while (capture_next_filter(&from->as.subscribe, &cursor, &filter)) {
        event->as.subscribe.filter = filter.topic;
        event->as.subscribe.qos = filter.qos;
        add_event(k, event, (place){.packet = from->packet});
    }
}

/* False: nothing to be judged. */
static bool translate(const capture_event *from, check_event *event) {
    switch (from->kind) {
    case CAPTURE_CONNECT: {
        const capture_connect *c = &from->as.connect;
        event->kind = CHECK_CONNECT;
        event->as.connect.protocol_level = from->protocol_level;
        event->as.connect.is_clean = c->is_clean;
        event->as.connect.session_expiry_s = c->session_expiry_s;
        event->as.connect.has_will = c->has_will;
        event->as.connect.will = (check_will){c->will_topic, c->will_payload, c->will_qos, c->will_retain};
        return true;
    }
    case CAPTURE_PUBLISH:
        event->kind = CHECK_PUBLISH;
        event->as.publish = publish_of(&from->as.publish);
        return !from->as.publish.is_forwarded && !from->as.publish.is_duplicate;
    case CAPTURE_DISCONNECT:
        event->kind = CHECK_DISCONNECT;
        event->as.disconnect.reason = from->as.disconnect.reason;
        return from->direction == CAPTURE_FROM_CLIENT;
    case CAPTURE_GAP: event->kind = CHECK_GAP; return true;
    case CAPTURE_CLOSED: event->kind = CHECK_CLOSED; return true;
    default: return false;
    }
}

static void on_event(void *user, const capture_event *from) {
    checker *k = user;
    check_event event = {.number = from->packet,
                         .has_time = true,
                         .time_ms = from->time_us / 1000,
                         .connection = from->connection,
                         .from_client = from->direction == CAPTURE_FROM_CLIENT,
                         .has_mqtt = true};
    if (from->kind == CAPTURE_SUBSCRIBE) {
        add_subscriptions(k, &event, from);
    } else if (translate(from, &event)) {
        k->messages += from->kind == CAPTURE_PUBLISH;
        add_event(k, &event, (place){.packet = from->packet});
    }
}

/* ---- text ---- */

static void on_record(void *user, const feed_record *record) {
    checker *k = user;
    check_event event = {.kind = CHECK_PUBLISH,
                         .number = record->at.line,
                         .has_time = record->has_time,
                         .time_ms = record->time_ms,
                         .as.publish = {.topic = record->topic, .payload = record->payload}};
    spb_error err;
    if (record->wire) {
        return; /* on_event had it */
    }
    if (!record->topic.data) {
        error_set(
            &err, SPB_ERR_NAME, SPB_NO_OFFSET,
            "a payload without its topic cannot be checked: a capture, or lines of time, topic and hex are wanted");
        report_wrong(&k->report, record->at, &err, "");
        return;
    }
    k->messages++;
    add_event(k, &event, record->at);
}

/* ---- the command ---- */

static void flush(void *user) {
    out_flush(user);
}

static int run(checker *k) {
    while (k->to.error == 0 && feed_next(&k->feed, on_record, k) == FEED_MORE) {
        findings_set_counted(k->found, k->feed.packets ? "packet" : "line");
        progress_step(&k->progress);
    }
    progress_hide(&k->progress);
    check_end(k->rules, k->last_ms);
    findings_summary(k->found, k->messages);
    out_flush(&k->to);
    if (k->to.error != 0 && k->to.error != EPIPE) {
        fprintf(stderr, "spb: standard output: %s\n", strerror(k->to.error));
        k->report.is_wrong = true;
    }
    return k->report.is_wrong ? CLI_UNREADABLE : findings_count(k->found) > 0 ? CLI_FAILED : CLI_OK;
}

static int check_fd(const options *o, int fd) {
    checker *k = calloc(1, sizeof *k);
    int result = CLI_UNREADABLE;
    if (!k) {
        fputs("spb: out of memory\n", stderr);
        return result;
    }
    out_init(&k->to, STDOUT_FILENO);
    report_init(&k->report, fd == STDIN_FILENO ? "stdin" : o->file, &k->to);
    k->report.before = progress_hide;
    k->report.user = &k->progress;
    feed_init(&k->feed, fd, &o->feed, &k->report, flush, &k->to);
    progress_begin(&k->progress, fd);
    k->found = findings_new(&k->to, o->as_json, o->all, isatty(STDOUT_FILENO));
    k->rules = k->found ? check_new(findings_add, k->found) : NULL;
    if (k->rules) {
        result = run(k);
    } else {
        fputs("spb: out of memory\n", stderr);
    }
    feed_clear(&k->feed);
    check_free(k->rules);
    findings_free(k->found);
    free(k);
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
    fprintf(stderr, "spb check: %s%s; see spb check --help\n", what, word);
    return CLI_USAGE;
}

/* CLI_OK: go on. */
static int read_options(int argc, char **argv, options *o) {
    enum { OPTION_INPUT = 256, OPTION_JSON, OPTION_ALL, OPTION_RULES };
    static const struct option known[] = {{"input", required_argument, NULL, OPTION_INPUT},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          {"all", no_argument, NULL, OPTION_ALL},
                                          {"rules", no_argument, NULL, OPTION_RULES},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (option) {
        case 'h': o->wants_help = true; return CLI_OK;
        case OPTION_JSON: o->as_json = true; break;
        case OPTION_ALL: o->all = true; break;
        case OPTION_RULES: o->wants_rules = true; break;
        case OPTION_INPUT:
            if (!input_format_from_name(optarg, &o->feed.format)) {
                return usage("unknown input format ", optarg);
            }
            break;
        case ':': return usage("a value is missing behind ", argv[optind - 1]);
        default: return usage("unknown option ", argv[optind - 1]);
        }
    }
    if (argc - optind > 1) {
        return usage("only one file can be read, not also ", argv[optind + 1]);
    }
    o->file = optind < argc ? argv[optind] : "-";
    return CLI_OK;
}

int cmd_check(int argc, char **argv) {
    options o = {.feed.on_event = on_event};
    int result = read_options(argc, argv, &o);
    if (result != CLI_OK) {
        return result;
    }
    if (o.wants_help || o.wants_rules) {
        o.wants_help ? (void)fputs(help_check, stdout) : print_rules();
        return CLI_OK;
    }
    int fd = strcmp(o.file, "-") == 0 ? STDIN_FILENO : open(o.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "spb: %s: %s\n", o.file, strerror(errno));
        return CLI_UNREADABLE;
    }
    signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
    result = check_fd(&o, fd);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return result;
}
