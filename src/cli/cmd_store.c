/* Decides what is told of a store file: a summary, its samples, what is wrong in it, or a capture of it. How a block
 * becomes a message is left to journal.c, what is wrong in one to journal_check.c. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/help.h"
#include "cli/journal.h"
#include "cli/journal_check.h"
#include "cli/journal_tsv.h"
#include "cli/json.h"
#include "cli/json_message.h"
#include "cli/number.h"
#include "cli/options.h"
#include "cli/text.h"

typedef struct options {
    const char *file;
    const char *export_to; /* NULL: nowhere */
    bool wants_samples, wants_check, as_json, wants_help;
} options;

/* A store that is being read, and what was found so far. */
typedef struct inspection {
    const char *file;
    journal from;
    uint64_t blocks, samples, bytes; /* as counted here */
    uint64_t newest_ms;              /* 0: nothing has a time */
    uint64_t wrong;                  /* things reported */
} inspection;

/* ---- what is wrong ---- */

/* `id` 0: of the store as a whole. */
static void report(void *context, uint64_t id, const char *what) {
    inspection *self = context;
    self->wrong++;
    if (id > 0) {
        complain("%s: block %" PRIu64 ": %s", self->file, id, what);
    } else {
        complain("%s: %s", self->file, what);
    }
}

/* When all was read: before, the store would look for the oldest block to tell of it, and count a damaged one. */
static void warn(const inspection *self) {
    spb_store_info info;
    self->from.store->info(self->from.store, &info);
    if (info.warning) {
        complain("warning: %s", info.warning);
    }
}

static void check_whole(inspection *self, const spb_store_info *info) {
    char line[200];
    if (!self->from.has_owner) {
        report(self, 0, "it does not say whose it is");
    }
    if (self->blocks != info->blocks || self->samples != info->samples || self->bytes != info->bytes) {
        snprintf(line, sizeof line,
                 "%" PRIu64 " blocks with %" PRIu64 " samples and %" PRIu64 " bytes can be read, of %" PRIu64
                 " with %" PRIu64 " and %" PRIu64,
                 self->blocks, self->samples, self->bytes, info->blocks, info->samples, info->bytes);
        report(self, 0, line);
    }
}

/* ---- reading ---- */

typedef bool (*block_fn)(void *context, const journal_block *found);

/* Hands out each block until `each`, which may be NULL, says false. */
static void read_all(inspection *self, bool with_check, block_fn each, void *context) {
    for (;;) {
        journal_block found;
        spb_error err = {.text = ""};
        journal_status status = journal_next(&self->from, &found, &err);
        if (status == JOURNAL_END) {
            return;
        }
        if (status != JOURNAL_BLOCK) {
            report(self, status == JOURNAL_BAD ? found.block.id : 0, err.text);
            if (status == JOURNAL_FAILED) {
                return;
            }
            continue;
        }
        uint64_t last_ms = journal_wall_ms(&found.block, found.block.last_ms);
        self->blocks++;
        self->samples += found.block.samples;
        self->bytes += found.block.metrics.len;
        self->newest_ms = last_ms > self->newest_ms ? last_ms : self->newest_ms;
        if (with_check) {
            journal_check(&self->from, &found, report, self);
        }
        if (each && !each(context, &found)) {
            return;
        }
    }
}

/* ---- summary ---- */

static const char *time_text(uint64_t ms, char form[static NUMBER_SIZE + 1]) {
    form[ms > 0 ? number_datetime(form, ms) : 0] = '\0';
    return ms > 0 ? form : "-";
}

/* The file may be anybody's, so its texts are escaped. */
static void print_line(out *to, const char *name, const char *value) {
    out_text(to, name);
    text_escaped(to, spb_str_from(value));
    out_char(to, '\n');
}

static void print_summary(out *to, const inspection *self, const spb_store_info *info, bool has_bdseq, uint8_t bdseq) {
    char form[NUMBER_SIZE + 1], line[200];
    print_line(to, "owner    ", self->from.owner);
    snprintf(line, sizeof line, "%u", (unsigned)bdseq);
    print_line(to, "bdSeq    ", has_bdseq ? line : "-");
    snprintf(line, sizeof line, "%zu", self->from.alias_count);
    print_line(to, "aliases  ", line);
    snprintf(line, sizeof line, "%" PRIu64 " samples", info->samples - info->kept_samples);
    print_line(to, "waiting  ", line);
    snprintf(line, sizeof line, "%" PRIu64 " samples that have arrived, for hosts that may ask again",
             info->kept_samples);
    print_line(to, "kept     ", line);
    snprintf(line, sizeof line, "%" PRIu64 " with %" PRIu64 " bytes; the file has %" PRIu64, info->blocks, info->bytes,
             info->file_bytes);
    print_line(to, "blocks   ", line);
    print_line(to, "oldest   ", time_text(info->oldest_ms, form));
    print_line(to, "newest   ", time_text(self->newest_ms, form));
    print_line(to, "damage   ", info->damage ? info->damage : self->wrong > 0 ? "see above" : "none");
}

static void write_number(json *j, const char *key, bool is_known, uint64_t number) {
    json_key(j, key);
    if (is_known) {
        json_u64(j, number);
    } else {
        json_null(j);
    }
}

static void write_summary(out *to, const inspection *self, const spb_store_info *info, bool has_bdseq, uint8_t bdseq) {
    json j = {.to = to};
    json_begin_object(&j);
    json_key(&j, "file");
    json_text(&j, self->file);
    json_key(&j, "owner");
    json_text(&j, self->from.owner);
    write_number(&j, "bdseq", has_bdseq, bdseq);
    write_number(&j, "aliases", true, self->from.alias_count);
    write_number(&j, "blocks", true, info->blocks);
    write_number(&j, "samples", true, info->samples);
    write_number(&j, "kept_samples", true, info->kept_samples);
    write_number(&j, "bytes", true, info->bytes);
    write_number(&j, "file_bytes", true, info->file_bytes);
    write_number(&j, "oldest", info->oldest_ms > 0, info->oldest_ms);
    write_number(&j, "newest", self->newest_ms > 0, self->newest_ms);
    json_key(&j, "damage");
    if (info->damage) {
        json_text(&j, info->damage);
    } else {
        json_null(&j);
    }
    write_number(&j, "wrong", true, self->wrong);
    json_end_object(&j);
    json_end_line(&j);
}

static void summarise(inspection *self, const options *o, out *to) {
    spb_store *store = self->from.store;
    spb_store_info info;
    spb_error err = {.text = ""};
    uint8_t bdseq = 0;
    bool has_bdseq = false;
    if (store->load_bdseq(store, &bdseq, &has_bdseq, &err) != SPB_OK) {
        report(self, 0, err.text);
    }
    read_all(self, o->wants_check, NULL, NULL);
    store->info(store, &info);
    if (o->wants_check) {
        check_whole(self, &info);
    }
    self->wrong += info.damage != NULL;
    if (o->as_json) {
        write_summary(to, self, &info, has_bdseq, bdseq);
    } else {
        print_summary(to, self, &info, has_bdseq, bdseq);
    }
}

/* ---- samples ---- */

typedef struct samples {
    out *to;
    bool as_json;
    text_state text;
} samples;

static bool show_samples(void *context, const journal_block *found) {
    samples *self = context;
    if (self->as_json) {
        json_message_write(self->to, &found->message);
    } else {
        text_message(&self->text, &found->message);
    }
    return self->to->error == 0;
}

/* ---- export ---- */

typedef struct export {
    out *to;
    inspection *from;
}
export;

static bool export_block(void *context, const journal_block *found) {
    export *self = context;
    spb_error err = {.text = ""};
    if (journal_write_tsv(self->to, &self->from->from, &err) != SPB_OK) {
        report(self->from, found->block.id, err.text);
    }
    return self->to->error == 0;
}

static int run_export(inspection *self, const options *o, out *to) {
    int fd = open(o->export_to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        complain("%s: %s", o->export_to, strerror(errno));
        return CLI_FAILED;
    }
    out_init(to, fd);
    export context = {.to = to, .from = self};
    read_all(self, o->wants_check, export_block, &context);
    out_flush(to);
    bool is_good = close(fd) == 0 && to->error == 0;
    if (!is_good) {
        complain("%s: %s", o->export_to, strerror(to->error ? to->error : errno));
    }
    return is_good ? CLI_OK : CLI_FAILED;
}

/* ---- the command ---- */

static int read_options(int argc, char **argv, options *o) {
    enum { SAMPLES = 256, EXPORT, CHECK, JSON };
    static const struct option known[] = {
        {"samples", no_argument, NULL, SAMPLES}, {"export", required_argument, NULL, EXPORT},
        {"check", no_argument, NULL, CHECK},     {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
        switch (option) {
        case SAMPLES: o->wants_samples = true; break;
        case EXPORT: o->export_to = optarg; break;
        case CHECK: o->wants_check = true; break;
        case JSON: o->as_json = true; break;
        case 'h': o->wants_help = true; return CLI_OK;
        case ':': return options_usage("store", "a value is missing after ", argv[optind - 1]);
        default: return options_usage("store", "no option ", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) {
        return argc == optind ? options_usage("store", "a file is missing", "")
                              : options_usage("store", "unexpected argument ", argv[optind + 1]);
    }
    if (o->export_to && (o->wants_samples || o->as_json)) {
        return options_usage("store", "--export goes without ", o->as_json ? "--json" : "--samples");
    }
    o->file = argv[optind];
    return CLI_OK;
}

static int inspect(inspection *self, const options *o, out *to) {
    int result = CLI_OK;
    if (o->export_to) {
        result = run_export(self, o, to);
    } else if (o->wants_samples) {
        samples context = {.to = to, .as_json = o->as_json};
        text_init(&context.text, to, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
        read_all(self, o->wants_check, show_samples, &context);
    } else {
        summarise(self, o, to);
    }
    out_flush(to);
    warn(self);
    if (!o->export_to && to->error != 0 && to->error != EPIPE) {
        complain("standard output: %s", strerror(to->error));
        result = CLI_FAILED;
    }
    return self->wrong > 0 ? CLI_FAILED : result;
}

int cmd_store(int argc, char **argv) {
    options o = {.file = NULL};
    int result = read_options(argc, argv, &o);
    if (result != CLI_OK || o.wants_help) {
        fputs(o.wants_help ? help_store : "", stdout);
        return result;
    }
    static out to; /* too large for a stack */
    static inspection self;
    spb_error err = {.text = ""};
    signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
    out_init(&to, STDOUT_FILENO);
    self.file = o.file;
    if (journal_open(&self.from, o.file, &err) == SPB_OK) {
        result = inspect(&self, &o, &to);
    } else {
        complain("%s", err.text);
        result = CLI_FAILED;
    }
    journal_close(&self.from);
    return result;
}
