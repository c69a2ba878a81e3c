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
#include "cli/complaint.h"
#include "cli/error.h"
#include "cli/findings.h"
#include "cli/help.h"
#include "cli/input.h"

typedef struct options {
    const char *file; /* "-": standard input */
    input_format format;
    bool as_json, all, wants_rules, wants_help;
} options;

typedef struct checker {
    const char *file; /* as messages name it */
    check *rules;
    findings *found;
    uint64_t messages;
    uint64_t last_ms;
    bool is_bad; /* something could not be read */
    out findings_out;
    out complaints;
} checker;

static void report(checker *k, size_t line, const spb_error *err) {
    k->is_bad = true;
    out_flush(&k->findings_out);
    complain(&k->complaints, k->file, line, err, " of the line");
}

static void add_event(checker *k, const check_event *event, size_t line) {
    spb_error err;
    if (event->has_time) {
        k->last_ms = event->time_ms;
    }
    if (!check_event_add(k->rules, event)) {
        error_set(&err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory for what is known of the nodes");
        report(k, line, &err);
    }
}

/* ---- text ---- */

static void check_record(checker *k, const input_record *record) {
    check_event event = {.kind = CHECK_PUBLISH,
                         .number = record->line,
                         .has_time = record->has_time,
                         .time_ms = record->time_ms,
                         .as.publish = {.topic = record->topic, .payload = record->payload}};
    spb_error err;
    if (!record->topic.data) {
        error_set(
            &err, SPB_ERR_NAME, SPB_NO_OFFSET,
            "a payload without its topic cannot be checked: a capture or lines of time, topic and hex are wanted");
        report(k, record->line, &err);
        return;
    }
    k->messages++;
    add_event(k, &event, record->line);
}

static void flush(void *user) {
    out_flush(user);
}

static void check_text(checker *k, int fd, input_format format) {
    input in;
    input_init(&in, fd, format, flush, &k->findings_out);
    input_status status = INPUT_RECORD;
    while ((status == INPUT_RECORD || status == INPUT_BAD) && k->findings_out.error == 0) {
        input_record record;
        spb_error err;
        status = input_next(&in, &record, &err);
        if (status == INPUT_RECORD) {
            check_record(k, &record);
        } else if (status != INPUT_END) {
            report(k, record.line, &err);
        }
    }
    input_clear(&in);
}

/* ---- the command ---- */

static int finish(checker *k) {
    check_end(k->rules, k->last_ms);
    findings_summary(k->found, k->messages);
    out_flush(&k->findings_out);
    if (k->findings_out.error != 0 && k->findings_out.error != EPIPE) {
        fprintf(stderr, "spb: standard output: %s\n", strerror(k->findings_out.error));
        k->is_bad = true;
    }
    return k->is_bad ? CLI_UNREADABLE : findings_count(k->found) > 0 ? CLI_FAILED : CLI_OK;
}

static int check_fd(const options *o, int fd) {
    checker *k = calloc(1, sizeof *k);
    int result = CLI_UNREADABLE;
    if (!k) {
        fputs("spb: out of memory\n", stderr);
        return result;
    }
    out_init(&k->findings_out, STDOUT_FILENO);
    out_init(&k->complaints, STDERR_FILENO);
    k->file = fd == STDIN_FILENO ? "stdin" : o->file;
    k->found = findings_new(&k->findings_out, "line", o->as_json, o->all, isatty(STDOUT_FILENO));
    k->rules = k->found ? check_new(findings_add, k->found) : NULL;
    if (k->rules) {
        check_text(k, fd, o->format);
        result = finish(k);
    } else {
        fputs("spb: out of memory\n", stderr);
    }
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
            if (!input_format_from_name(optarg, &o->format)) {
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
    options o = {.format = INPUT_AUTO};
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
