/*
 * The edge program of the chaos test: a node made with the public interface alone, whose metrics are updated by several
 * threads, and an account of what is owed.
 *
 * On stdin: `finish` (end when there are enough samples), `drain` (wait until all is confirmed), `link` (until the link
 * is sound), `stop`, `unset` and `clock MS` (the wall clock), `device N on|off`. On stdout: `state …`, `produced`,
 * `drained`, `linked`, `clock set`, `stopped …`.
 */
#include "chaos/edge.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "chaos/clocks.h"
#include "chaos/samples.h"

void edge_say(const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    puts(line);
    fflush(stdout);
}

void edge_die(const char *what, const char *why) {
    fprintf(stderr, "edge: %s: %s\n", what, why);
    edge_say("failed %s", what);
    exit(3);
}

/* ---- commands ---- */

static bool is_drained(edge *self) {
    spb_stats stats;
    spb_flush how;
    spb_status status = spb_node_flush(self->node, 1000, &how);
    spb_node_stats(self->node, &stats);
    return status == SPB_OK && stats.samples_unconfirmed == 0 && stats.journal.samples == 0;
}

/* The library has no event for an empty journal, so this looks now and then. */
static void drain(edge *self) {
    while (!is_drained(self)) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    edge_say("drained");
}

/* Returns when the server has read something that was published after now, or just before. */
static void await_link(edge *self) {
    spb_stats before, after;
    spb_node_stats(self->node, &before);
    do {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        spb_node_stats(self->node, &after);
    } while (after.samples_confirmed == before.samples_confirmed);
    edge_say("linked");
}

static void stop(edge *self) {
    self->may_finish = true;
    producer_join(self);
    spb_status status = spb_node_stop(self->node, 20000);
    edge_node_count(self);
    self->life->is_ended = true;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    edge_say("stopped %s, %ld KiB of memory at most", spb_status_name(status), usage.ru_maxrss);
}

static void set_clock(edge *self, const char *offset_ms) {
    pthread_rwlock_wrlock(&self->clock_lock);
    if (offset_ms) {
        chaos_clock_shift(atoll(offset_ms));
    } else {
        chaos_clock_unset();
    }
    pthread_rwlock_unlock(&self->clock_lock);
    edge_say("clock set");
}

static void set_device(edge *self, char *words) {
    char *state = NULL;
    unsigned long holder = strtoul(words, &state, 10);
    if (holder == 0 || holder >= self->account->metrics / self->account->per_holder) {
        edge_die("no such device", words);
    }
    spb_device_set_online(self->devices[holder], strcmp(state, " on") == 0);
}

/* false: that was the last one. */
static bool obey(edge *self, char *line) {
    if (strcmp(line, "finish") == 0) {
        self->may_finish = true;
    } else if (strcmp(line, "drain") == 0) {
        drain(self);
    } else if (strcmp(line, "link") == 0) {
        await_link(self);
    } else if (strcmp(line, "unset") == 0) {
        set_clock(self, NULL);
    } else if (strncmp(line, "clock ", 6) == 0) {
        set_clock(self, line + 6);
    } else if (strncmp(line, "device ", 7) == 0) {
        set_device(self, line + 7);
    } else if (strcmp(line, "stop") == 0) {
        stop(self);
        return false;
    } else {
        edge_die("no such command", line);
    }
    return true;
}

/* ---- options ---- */

static spb_delivery level_of(const char *name) {
    static const char *const names[] = {"auto", "live", "outage", "durable"};
    for (int level = 0; level < 4; level++) {
        if (strcmp(names[level], name) == 0) {
            return (spb_delivery)level;
        }
    }
    edge_die("no such level", name);
}

static void open_account(edge *self, const char *path) {
    self->account = chaos_account_open(path);
    if (!self->account) {
        edge_die("account", path);
    }
}

enum {
    SERVER,
    STORE,
    LEVEL,
    ACCOUNT,
    SAMPLES,
    RATE,
    HOLDERS,
    METRICS,
    THREADS,
    KEEP_ALIVE,
    PRIMARY,
    UNCONFIRMED,
    SETTLE,
    CLOCK,
    REPLAY,
    FLUSH,
    SYNC,
    STORE_BYTES,
    MESSAGE,
    DEBUG
};

static const struct option words[] = {{"server", required_argument, NULL, SERVER},
                                      {"store", required_argument, NULL, STORE},
                                      {"level", required_argument, NULL, LEVEL},
                                      {"account", required_argument, NULL, ACCOUNT},
                                      {"samples", required_argument, NULL, SAMPLES},
                                      {"rate", required_argument, NULL, RATE},
                                      {"devices", required_argument, NULL, HOLDERS},
                                      {"metrics", required_argument, NULL, METRICS},
                                      {"threads", required_argument, NULL, THREADS},
                                      {"keep-alive", required_argument, NULL, KEEP_ALIVE},
                                      {"primary", required_argument, NULL, PRIMARY},
                                      {"unconfirmed", required_argument, NULL, UNCONFIRMED},
                                      {"settle", required_argument, NULL, SETTLE},
                                      {"clock", required_argument, NULL, CLOCK},
                                      {"replay", required_argument, NULL, REPLAY},
                                      {"flush", required_argument, NULL, FLUSH},
                                      {"sync", required_argument, NULL, SYNC},
                                      {"store-bytes", required_argument, NULL, STORE_BYTES},
                                      {"message", required_argument, NULL, MESSAGE},
                                      {"debug", no_argument, NULL, DEBUG},
                                      {0}};

static void set_option(edge *self, int option, const char *value, unsigned *devices, unsigned *metrics) {
    spb_node_options *options = &self->options;
    uint32_t number = value ? (uint32_t)strtoul(value, NULL, 10) : 0;
    switch (option) {
    case SERVER: options->servers = value; break;
    case STORE: options->store_path = value; break;
    case LEVEL: options->delivery = level_of(value); break;
    case ACCOUNT: open_account(self, value); break;
    case SAMPLES: self->samples = strtoull(value, NULL, 10); break;
    case RATE: self->samples_per_s = number; break;
    case HOLDERS: *devices = number; break;
    case METRICS: *metrics = number; break;
    case THREADS: self->threads = number; break;
    case KEEP_ALIVE: options->keep_alive_s = number; break;
    case PRIMARY: options->primary_host_id = value; break;
    case UNCONFIRMED: options->max_unconfirmed_bytes = number; break;
    case SETTLE: options->settle_ms = (uint32_t)number; break;
    case CLOCK: strcmp(value, "unset") == 0 ? chaos_clock_unset() : chaos_clock_shift(atoll(value)); break;
    case REPLAY: options->replay_samples_per_s = number; break;
    case FLUSH: self->flush_ms = number; break;
    case SYNC:
        options->store_options.sync = strcmp(value, "full") == 0 ? SPB_STORE_SYNC_FULL : SPB_STORE_SYNC_NORMAL;
        break;
    case STORE_BYTES: options->store_options.max_bytes = strtoull(value, NULL, 10); break;
    case MESSAGE: options->batch_max_samples = number; break;
    case DEBUG: options->log_level = SPB_LOG_DEBUG; break;
    default: exit(2);
    }
}

int main(int argc, char **argv) {
    edge self = {.options = SPB_NODE_OPTIONS_INIT, .threads = 4, .samples_per_s = 1000};
    self.options.group_id = CHAOS_GROUP;
    self.options.node_id = CHAOS_NODE;
    self.options.reconnect_min_ms = 50;
    self.options.reconnect_max_ms = 500;
    self.options.connect_timeout_ms = 1500;
    unsigned devices = 4, metrics = 12;
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        set_option(&self, option, optarg, &devices, &metrics);
    }
    unsigned count = (devices + 1) * metrics;
    if (!self.account || !self.options.servers || self.threads == 0 || self.threads > CHAOS_MAX_THREADS ||
        metrics < self.threads || count > CHAOS_MAX_METRICS) {
        edge_die("options", "see edge.c");
    }
    self.account->metrics = count;
    self.account->per_holder = metrics;
    self.life = chaos_account_begin(self.account);
    if (!self.life) {
        edge_die("account", "too many lives");
    }
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow any more is an error of write, not an end */
    pthread_rwlock_init(&self.clock_lock, NULL);
    edge_node_start(&self);
    producer_start(&self);
    char line[128];
    bool goes_on = true;
    while (goes_on && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        goes_on = obey(&self, line);
    }
    if (goes_on) { /* the run is gone */
        _exit(4);
    }
    spb_node_free(self.node);
    pthread_rwlock_destroy(&self.clock_lock);
    chaos_account_close(self.account);
    return EXIT_SUCCESS;
}
