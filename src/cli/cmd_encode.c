/* Decides what becomes of each line of JSON: a payload in the wanted form, or a complaint. What the JSON means is left
 * to json_record.c. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/error.h"
#include "cli/help.h"
#include "cli/input.h"
#include "cli/json_record.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/tsv.h"

typedef enum form { FORM_AUTO, FORM_RAW, FORM_HEX, FORM_BASE64, FORM_TSV } form;

typedef struct encoder {
    form form;
    bool has_message; /* one was written */
    json_tree tree;
    pool memory;
    out payloads;
    report complaints;
} encoder;

static void blame(encoder *e, size_t line, const spb_error *err) {
    report_wrong(&e->complaints, (place){.line = line}, err, " of the line");
}

/* Without a time of capture: that of the payload, or 0. */
static uint64_t time_of(const json_record *record) {
    return record->has_time   ? record->time_ms
           : record->is_state ? record->state.timestamp_ms
                              : record->payload.timestamp_ms;
}

static spb_status write_record(encoder *e, const json_record *record, spb_bytes payload, spb_error *err) {
    out *to = &e->payloads;
    if (e->form == FORM_AUTO) {
        e->form = record->topic.data ? FORM_TSV : FORM_HEX;
    }
    switch (e->form) {
    case FORM_RAW:
        if (e->has_message) {
            error_set(err, SPB_ERR_STATE, SPB_NO_OFFSET, "raw output has no place for a second payload");
            return err->status;
        }
        out_bytes(to, payload.data, payload.len);
        return SPB_OK;
    case FORM_BASE64: out_base64(to, payload.data, payload.len); break;
    case FORM_TSV:
        if (!record->topic.data) {
            error_set(err, SPB_ERR_NAME, SPB_NO_OFFSET, "topic: missing, and tsv output has one in each line");
            return err->status;
        }
        return tsv_write(to, time_of(record), record->topic, payload, err);
    default: out_hex(to, payload.data, payload.len); break;
    }
    out_char(to, '\n');
    return SPB_OK;
}

static void encode_line(encoder *e, size_t number, spb_str line) {
    json_record record;
    spb_bytes payload;
    spb_error err = {.status = SPB_OK};
    spb_status status = json_tree_parse(&e->tree, line, &err);
    pool_reset(&e->memory);
    if (status == SPB_OK) {
        status = json_record_read(&record, &e->tree, &e->memory, &err);
    }
    if (status == SPB_OK) {
        status = json_record_encode(&record, &e->memory, &payload, &err);
    }
    if (status == SPB_OK) {
        status = write_record(e, &record, payload, &err);
    }
    if (status == SPB_OK) {
        e->has_message = true;
    } else {
        blame(e, number, &err);
    }
}

static void flush_payloads(void *user) {
    out_flush(user);
}

static bool is_blank(spb_str line) {
    size_t i = 0;
    while (i < line.len && strchr(" \t\r", line.data[i])) {
        i++;
    }
    return i == line.len;
}

/* Until the input ends or nobody reads the output any more. */
static void encode_all(encoder *e, int fd) {
    reader from;
    reader_init(&from, fd, flush_payloads, &e->payloads);
    reader_status status = READER_OK;
    while ((status == READER_OK || status == READER_TOO_LONG) && e->payloads.error == 0) {
        spb_str line;
        spb_error err;
        status = reader_line(&from, 2 * (size_t)INPUT_MAX_LINE_BYTES, &line, &err);
        if (status == READER_OK && !is_blank(line)) {
            encode_line(e, from.line, line);
        } else if (status == READER_TOO_LONG) {
            error_set(&err, SPB_ERR_LIMIT, SPB_NO_OFFSET, "the line is too long");
            blame(e, from.line, &err);
        } else if (status == READER_FAILED) {
            blame(e, from.line, &err);
        }
    }
    reader_clear(&from);
    out_flush(&e->payloads);
    if (e->payloads.error != 0 && e->payloads.error != EPIPE) {
        complain("standard output: %s", strerror(e->payloads.error));
        e->complaints.is_wrong = true;
    }
}

static int encode_fd(const char *file, form wanted, int fd) {
    encoder *e = calloc(1, sizeof *e);
    if (!e) {
        complain("out of memory");
        return CLI_FAILED;
    }
    e->form = wanted;
    out_init(&e->payloads, STDOUT_FILENO);
    report_init(&e->complaints, fd == STDIN_FILENO ? "stdin" : file, &e->payloads);
    encode_all(e, fd);
    int result = e->complaints.is_wrong ? CLI_FAILED : CLI_OK;
    json_tree_clear(&e->tree);
    pool_clear(&e->memory);
    free(e);
    return result;
}

/* ---- the command line ---- */

static bool form_from_name(const char *name, form *to) {
    static const char *const names[] = {"auto", "raw", "hex", "base64", "tsv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *to = (form)i;
            return true;
        }
    }
    return false;
}

static int usage(const char *what, const char *word) {
    return options_usage("encode", what, word);
}

/* CLI_OK: go on. */
static int read_options(int argc, char **argv, form *wanted, bool *wants_help) {
    enum { OPTION_OUTPUT = 256 };
    static const struct option known[] = {
        {"output", required_argument, NULL, OPTION_OUTPUT}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (option) {
        case 'h': *wants_help = true; return CLI_OK;
        case OPTION_OUTPUT:
            if (!form_from_name(optarg, wanted)) {
                return usage("unknown output format ", optarg);
            }
            break;
        case ':': return usage("a value is missing behind ", argv[optind - 1]);
        default: return usage("unknown option ", argv[optind - 1]);
        }
    }
    return argc - optind > 1 ? usage("only one file can be read, not also ", argv[optind + 1]) : CLI_OK;
}

int cmd_encode(int argc, char **argv) {
    form wanted = FORM_AUTO;
    bool wants_help = false;
    int result = read_options(argc, argv, &wanted, &wants_help);
    if (result != CLI_OK) {
        return result;
    }
    if (wants_help) {
        fputs(help_encode, stdout);
        return CLI_OK;
    }
    const char *file = optind < argc ? argv[optind] : "-";
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("%s: %s", file, strerror(errno));
        return CLI_FAILED;
    }
    signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
    result = encode_fd(file, wanted, fd);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return result;
}
