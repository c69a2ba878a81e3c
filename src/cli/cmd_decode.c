/* Decides what becomes of each record: topic, payload, births, what is reported and what counts as wrong. Reading is
 * left to input.c, the forms of output to text.c and json_message.c. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complaint.h"
#include "cli/error.h"
#include "cli/help.h"
#include "cli/input.h"
#include "cli/json_message.h"
#include "cli/text.h"

typedef struct options {
    const char *file; /* "-": standard input */
    input_format format;
    bool as_json;
    bool use_colour;
} options;

typedef struct decoder {
    const char *file; /* as messages name it */
    bool as_json;
    bool is_wrong; /* something was: the exit status */
    births *known;
    metric_view *views; /* of the message at hand */
    size_t view_capacity;
    text_state text;
    out messages;
    out complaints;
} decoder;

/* ---- reports ---- */

/* `of`: what the byte is counted in. */
static void note(decoder *d, size_t line, const spb_error *err, const char *of) {
    out_flush(&d->messages); /* so that what belongs together stays together */
    complain(&d->complaints, d->file, line, err, of);
}

static void report(decoder *d, size_t line, const spb_error *err, const char *of) {
    d->is_wrong = true;
    note(d, line, err, of);
}

static void report_no_memory(decoder *d, size_t line) {
    spb_error err;
    error_set(&err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory");
    report(d, line, &err, "");
}

/* Once per node or device: what its births should have told. */
static void report_unknown(decoder *d, size_t line, const spb_topic *topic, const metric_view *view, bool has_birth) {
    spb_error err = {.status = SPB_ERR_NOT_FOUND, .offset = SPB_NO_OFFSET};
    char source[128];
    bool has_device = topic->device_id.data != NULL;
    snprintf(source, sizeof source, "%.*s/%.*s%s%.*s", (int)topic->group_id.len, topic->group_id.data,
             (int)topic->node_id.len, topic->node_id.data, has_device ? "/" : "", (int)topic->device_id.len,
             has_device ? topic->device_id.data : "");
    if (!has_birth) {
        snprintf(err.text, sizeof err.text, "%s: no birth was seen, so not all names and datatypes are known", source);
    } else if (!view->name.data) {
        snprintf(err.text, sizeof err.text, "%s: alias %llu is not in the birth", source,
                 (unsigned long long)view->metric->alias);
    } else {
        snprintf(err.text, sizeof err.text, "%s: metric '%.*s' has no datatype in the birth", source,
                 (int)(view->name.len < 64 ? view->name.len : 64), view->name.data);
    }
    report(d, line, &err, "");
}

static void report_misfit(decoder *d, size_t line, const metric_view *view, spb_error *err) {
    spb_error whole = {.status = err->status, .offset = SPB_NO_OFFSET};
    snprintf(whole.text, sizeof whole.text, "metric '%.*s': %.150s", (int)(view->name.len < 64 ? view->name.len : 64),
             view->name.data ? view->name.data : "", err->text);
    report(d, line, &whole, "");
}

/* ---- messages ---- */

static void show(decoder *d, const message *m) {
    if (d->as_json) {
        json_message_write(&d->messages, m);
    } else {
        text_message(&d->text, m);
    }
}

static bool reserve_views(decoder *d, size_t count) {
    if (count > d->view_capacity) {
        metric_view *views = realloc(d->views, count * sizeof *views);
        if (!views) {
            return false;
        }
        d->views = views;
        d->view_capacity = count;
    }
    return true;
}

static bool is_unknown(const metric_view *view) {
    return !view->name.data || view->value.type == SPB_UNKNOWN;
}

/* `scope` NULL: a payload alone, of which nothing can be known. */
static void view_metrics(decoder *d, size_t line, const message *m, birth_scope *scope) {
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        metric_view *view = &d->views[i];
        spb_error err;
        if (births_view(scope, &m->payload->metrics[i], view, &err) != SPB_OK) {
            report_misfit(d, line, view, &err);
        } else if (scope && is_unknown(view) && births_first_complaint(scope)) {
            report_unknown(d, line, &m->topic, view, births_is_known(scope));
        }
    }
}

static bool is_birth(const message *m) {
    return m->topic_text.data && (m->topic.kind == SPB_KIND_NBIRTH || m->topic.kind == SPB_KIND_DBIRTH);
}

static void show_payload(decoder *d, size_t line, message *m, birth_scope *scope) {
    char remark[64] = "";
    if (!reserve_views(d, m->payload->metric_count)) {
        report_no_memory(d, line);
        return;
    }
    if (scope) {
        births_remark(scope, &m->topic, m->payload, remark, sizeof remark);
    }
    view_metrics(d, line, m, scope);
    m->metrics = d->views;
    m->remark = remark;
    show(d, m);
}

static void decode_payload(decoder *d, const input_record *record, message *m) {
    birth_scope *scope = m->topic_text.data ? births_scope(d->known, &m->topic) : NULL;
    if (m->topic_text.data && !scope) {
        report_no_memory(d, record->line);
        return;
    }
    spb_payload *payload = NULL;
    spb_error err;
    if (spb_payload_decode(&payload, record->payload, NULL, &err) != SPB_OK) {
        report(d, record->line, &err, " of the payload");
        if (is_birth(m)) {
            births_forget(scope);
        }
        return;
    }
    m->payload = payload;
    if (!is_birth(m)) {
        show_payload(d, record->line, m, scope);
        spb_payload_free(payload);
    } else if (births_learn(scope, payload)) {
        show_payload(d, record->line, m, scope);
    } else {
        report_no_memory(d, record->line);
    }
}

static void decode_state(decoder *d, const input_record *record, message *m) {
    spb_error err;
    if (spb_host_state_parse(&m->state, record->payload, &err) == SPB_OK) {
        show(d, m);
    } else {
        report(d, record->line, &err, " of the payload");
    }
}

static bool is_of_sparkplug(spb_str topic) {
    static const char prefix[] = SPB_NAMESPACE "/";
    return topic.len >= sizeof prefix - 1 && memcmp(topic.data, prefix, sizeof prefix - 1) == 0;
}

static void decode_record(decoder *d, const input_record *record) {
    message m = {.has_time = record->has_time, .time_ms = record->time_ms, .topic_text = record->topic, .remark = ""};
    spb_error err;
    if (!record->topic.data) {
        decode_payload(d, record, &m);
    } else if (!is_of_sparkplug(record->topic)) {
        err = (spb_error){.status = SPB_ERR_NAME, .offset = SPB_NO_OFFSET};
        snprintf(err.text, sizeof err.text, "skipped, not a topic of Sparkplug: %.*s",
                 (int)(record->topic.len < 128 ? record->topic.len : 128), record->topic.data);
        note(d, record->line, &err, "");
    } else if (spb_topic_parse(&m.topic, record->topic, &err) != SPB_OK) {
        report(d, record->line, &err, " of the topic");
    } else if (m.topic.kind == SPB_KIND_STATE) {
        decode_state(d, record, &m);
    } else {
        decode_payload(d, record, &m);
    }
}

/* ---- the command ---- */

static void flush_messages(void *user) {
    out_flush(user);
}

/* Until the input ends or nobody reads the output any more. */
static void decode_all(decoder *d, int fd, input_format format) {
    input in;
    input_init(&in, fd, format, flush_messages, &d->messages);
    input_status status = INPUT_RECORD;
    while ((status == INPUT_RECORD || status == INPUT_BAD) && d->messages.error == 0) {
        input_record record;
        spb_error err;
        status = input_next(&in, &record, &err);
        if (status == INPUT_RECORD) {
            decode_record(d, &record);
        } else if (status != INPUT_END) {
            report(d, record.line, &err, " of the line");
        }
    }
    input_clear(&in);
    out_flush(&d->messages);
    if (d->messages.error != 0 && d->messages.error != EPIPE) {
        fprintf(stderr, "spb: standard output: %s\n", strerror(d->messages.error));
        d->is_wrong = true;
    }
}

static int decode_fd(const options *o, int fd) {
    decoder *d = calloc(1, sizeof *d);
    int result = CLI_FAILED;
    if (!d || !(d->known = births_new())) {
        fputs("spb: out of memory\n", stderr);
        goto cleanup;
    }
    d->file = fd == STDIN_FILENO ? "stdin" : o->file;
    d->as_json = o->as_json;
    out_init(&d->messages, STDOUT_FILENO);
    out_init(&d->complaints, STDERR_FILENO);
    text_init(&d->text, &d->messages, o->use_colour);
    decode_all(d, fd, o->format);
    result = d->is_wrong ? CLI_FAILED : CLI_OK;

cleanup:
    if (d) {
        births_free(d->known);
        free(d->views);
        free(d);
    }
    return result;
}

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

static int usage(const char *what, const char *word) {
    fprintf(stderr, "spb decode: %s%s; see spb decode --help\n", what, word);
    return CLI_USAGE;
}

/* CLI_OK: go on. */
static int read_options(int argc, char **argv, options *o, bool *wants_help) {
    enum { OPTION_INPUT = 256, OPTION_JSON, OPTION_COLOR };
    static const struct option known[] = {{"input", required_argument, NULL, OPTION_INPUT},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          {"color", required_argument, NULL, OPTION_COLOR},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (option) {
        case 'h': *wants_help = true; return CLI_OK;
        case OPTION_JSON: o->as_json = true; break;
        case OPTION_INPUT:
            if (!input_format_from_name(optarg, &o->format)) {
                return usage("unknown input format ", optarg);
            }
            break;
        case OPTION_COLOR:
            if (!read_colour(optarg, &o->use_colour)) {
                return usage("--color takes auto, always or never, not ", optarg);
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

int cmd_decode(int argc, char **argv) {
    options o = {.use_colour = colour_by_default()};
    bool wants_help = false;
    int result = read_options(argc, argv, &o, &wants_help);
    if (result != CLI_OK) {
        return result;
    }
    if (wants_help) {
        fputs(help_decode, stdout);
        return CLI_OK;
    }
    int fd = strcmp(o.file, "-") == 0 ? STDIN_FILENO : open(o.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "spb: %s: %s\n", o.file, strerror(errno));
        return CLI_FAILED;
    }
    signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
    result = decode_fd(&o, fd);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return result;
}
