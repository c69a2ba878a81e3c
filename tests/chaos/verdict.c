/* Decides what kind of message a record of the ledger is, and keeps the report. */
#include "chaos/verdict_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/samples.h"

#define TEXTS_PER_RULE 5

static const char *const rule_names[] = {"lost",  "uncounted", "stranger", "duplicate", "order", "flag",  "time",
                                         "value", "unborn",    "seq",      "bdseq",     "death", "alias", "payload"};

const char *verdict_rule_name(verdict_rule rule) {
    return rule_names[rule];
}

static void report(verdict *self, const char *what, const char *format, va_list arguments) {
    fprintf(self->report, "%s: %" PRIu64 ".%03" PRIu64 " %s: ", what, self->time_ms / 1000, self->time_ms % 1000,
            self->topic ? self->topic : "at the end");
    vfprintf(self->report, format, arguments);
    fputc('\n', self->report);
}

void verdict_break(verdict *self, verdict_rule rule, const char *format, ...) {
    if (self->numbers.broken[rule]++ < TEXTS_PER_RULE && self->report) {
        va_list arguments;
        va_start(arguments, format);
        report(self, verdict_rule_name(rule), format, arguments);
        va_end(arguments);
    }
}

void verdict_trace(verdict *self, const char *format, ...) {
    if (self->options.has_trace && self->report) {
        va_list arguments;
        va_start(arguments, format);
        report(self, "trace", format, arguments);
        va_end(arguments);
    }
}

static void *must(void *memory) {
    if (!memory) {
        abort();
    }
    return memory;
}

verdict *verdict_new(const chaos_account *account, const verdict_options *options, FILE *report) {
    verdict *self = must(calloc(1, sizeof *self));
    self->account = account;
    self->options = *options;
    self->report = report;
    self->session.life = VERDICT_NONE;
    for (unsigned metric = 0; metric < CHAOS_MAX_METRICS; metric++) {
        self->metrics[metric].last_live = VERDICT_NONE;
        self->metrics[metric].last_replayed = VERDICT_NONE;
        self->metrics[metric].floor = VERDICT_NONE;
        self->metrics[metric].lost_floor = VERDICT_NONE;
        self->metrics[metric].alias = VERDICT_NONE;
    }
    verdict_begin_session(self); /* what comes before any birth */
    return self;
}

void verdict_free(verdict *self) {
    if (!self) {
        return;
    }
    for (unsigned metric = 0; metric < CHAOS_MAX_METRICS; metric++) {
        free(self->metrics[metric].seen);
    }
    free(self->ends);
    free(self);
}

void verdict_begin_session(verdict *self) {
    if (self->end_count == self->end_capacity) {
        self->end_capacity = self->end_capacity ? 2 * self->end_capacity : 64;
        self->ends = must(realloc(self->ends, self->end_capacity * sizeof *self->ends));
    }
    self->ends[self->end_count++] = (verdict_end){.bytes = 0};
}

/* 0: the node; -1: no device of the account. */
static int holder_of(const verdict *self, const char *device) {
    unsigned holders = self->account->metrics / self->account->per_holder;
    char name[CHAOS_TEXT];
    for (unsigned holder = 1; holder < holders; holder++) {
        chaos_device_name(holder, name);
        if (strcmp(name, device) == 0) {
            return (int)holder;
        }
    }
    return -1;
}

static const struct {
    const char *kind;
    bool is_of_device;
    void (*take)(verdict *self, const verdict_message *message);
} kinds[] = {{"NBIRTH", false, verdict_nbirth}, {"DBIRTH", true, verdict_dbirth}, {"NDEATH", false, verdict_ndeath},
             {"DDEATH", true, verdict_ddeath},  {"NDATA", false, verdict_data},   {"DDATA", true, verdict_data}};

static void take(verdict *self, const char *kind, const char *device, const chaos_record *record) {
    int holder = device ? holder_of(self, device) : 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].kind, kind) != 0) {
            continue;
        }
        Spb__Pb__Payload *payload = spb__pb__payload__unpack(NULL, record->payload_len, record->payload);
        if (!payload || holder < 0 || kinds[i].is_of_device != (device != NULL)) {
            verdict_break(self, VERDICT_PAYLOAD, "%s", payload ? "no such device" : "cannot be read");
        } else {
            self->numbers.messages++;
            kinds[i].take(self, &(verdict_message){.payload = payload, .holder = (unsigned)holder});
        }
        spb__pb__payload__free_unpacked(payload, NULL);
        return;
    }
    if (strcmp(kind, "NCMD") != 0) {
        verdict_break(self, VERDICT_PAYLOAD, "no such kind of message");
    }
}

static void hear_mark(verdict *self, const char *text) {
    verdict_trace(self, "mark");
    if (strcmp(text, "broker killed") == 0) {
        self->session.broker_kills++;
        /* A primary host that connects anew has a new timestamp, as if it had been away. */
        self->ends[self->end_count - 1].is_host_lost |= self->options.host_bytes > 0;
    } else if (strstr(text, "disk_fails")) {
        self->session.disk_failed_ms = self->time_ms;
    } else if (strcmp(text, "host killed") == 0) {
        verdict_host_killed(self);
    }
}

void verdict_hear(verdict *self, const chaos_record *record) {
    char topic[256];
    self->time_ms = record->time_ms;
    self->topic = record->topic;
    if (record->is_mark) {
        hear_mark(self, record->topic);
        return;
    }
    snprintf(topic, sizeof topic, "%s", record->topic);
    char *rest = NULL, *parts[5] = {NULL};
    for (int i = 0; i < 5; i++) {
        parts[i] = strtok_r(i == 0 ? topic : NULL, "/", &rest);
    }
    if (parts[1] && strcmp(parts[1], "STATE") == 0) {
        return;
    }
    if (!parts[3] || strcmp(parts[1], CHAOS_GROUP) != 0 || strcmp(parts[3], CHAOS_NODE) != 0) {
        verdict_break(self, VERDICT_PAYLOAD, "a topic of nobody");
        return;
    }
    take(self, parts[2], parts[4], record);
}

/* What the node dropped, and what it may have sent twice, it must have counted. Of a life that was killed the last
 * counts are missing, so this is for those that ended by themselves. */
static void check_counts(verdict *self) {
    uint64_t dropped = 0, resent = 0;
    for (uint32_t life = 0; life < self->account->lives; life++) {
        if (!self->account->life[life].is_ended) {
            return;
        }
        dropped += chaos_counts_dropped(&self->account->life[life].counts);
        resent += self->account->life[life].counts.resent;
    }
    if (self->numbers.missing > dropped) {
        verdict_break(self, VERDICT_UNCOUNTED,
                      "%" PRIu64 " accepted samples never came, the node counts %" PRIu64 " as dropped",
                      self->numbers.missing, dropped);
    }
    if (self->numbers.duplicates > resent) {
        verdict_break(self, VERDICT_UNCOUNTED, "%" PRIu64 " samples came again, the node counts %" PRIu64 " as resent",
                      self->numbers.duplicates, resent);
    }
}

bool verdict_finish(verdict *self) {
    self->topic = NULL;
    verdict_count_missing(self);
    verdict_check_ends(self);
    check_counts(self);
    if (self->session.deaths_unheard > self->session.broker_kills) {
        verdict_break(self, VERDICT_DEATH,
                      "%" PRIu64 " sessions ended without NDEATH, the server was killed %" PRIu64 " times",
                      self->session.deaths_unheard, self->session.broker_kills);
    }
    for (int rule = 0; rule < VERDICT_RULES; rule++) {
        if (self->numbers.broken[rule] > 0) {
            return false;
        }
    }
    return true;
}

const verdict_numbers *verdict_get(const verdict *self) {
    return &self->numbers;
}
