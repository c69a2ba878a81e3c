/* Decides how the demo edge node is started, run and stopped. Its command line is left to edge_arguments.c, what it
 * publishes to plant.c. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <spb/node.h>

#include "base/monotonic.h"
#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/edge_arguments.h"
#include "cli/plant.h"

enum { STOP_MS = 5000 };

/* ---- what it tells ---- */

/* Why a connection failed or was lost is in the log, as a warning. */
static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    const edge_arguments *args = user;
    (void)node;
    (void)reason;
    if (state == SPB_SESSION_ONLINE) {
        complain("online as %s/%s at %s", args->node.group_id, args->node.node_id, args->node.servers);
    } else if (args->is_verbose) {
        complain("%s", spb_session_state_name(state));
    }
}

/* Nothing that this node does makes its births smaller. The signal is what the main thread waits for. */
static atomic_bool is_in_vain;

static void on_birth_too_large(spb_node *node, const spb_birth_too_large *birth, void *user) {
    (void)node;
    (void)user;
    if (birth->is_everywhere) {
        complain("the births of this node are larger than %s: the %s%s has %zu bytes, and %zu are the most",
                 birth->server ? "any server takes" : "--max-message allows",
                 birth->device_id ? "DBIRTH of " : "NBIRTH", birth->device_id ? birth->device_id : "", birth->bytes,
                 birth->max_bytes);
        atomic_store(&is_in_vain, true);
        kill(getpid(), SIGUSR1);
    }
}

static void on_log(spb_log_level level, const char *text, void *user) {
    static const char *const prefixes[] = {
        [SPB_LOG_ERROR] = "error: ", [SPB_LOG_WARNING] = "warning: ", [SPB_LOG_INFO] = "", [SPB_LOG_DEBUG] = ""};
    (void)user;
    complain("%s%s", prefixes[level], text);
}

/* Why samples were dropped, as far as any were. */
static void tell_dropped(const spb_stats *stats, char *to, size_t size) {
    const struct {
        const char *why;
        uint64_t samples;
    } reasons[] = {
        {"replaced while offline", stats->samples_dropped_offline},
        {"connection lost", stats->samples_dropped_lost},
        {"link too slow", stats->samples_dropped_overflow},
        {"not to be stored", stats->samples_dropped_choice},
        {"metric gone", stats->samples_dropped_gone},
        {"store failed", stats->samples_dropped_disk},
        {"store full", stats->journal.dropped_full},
        {"too old", stats->journal.dropped_age},
        {"store damaged", stats->journal.dropped_damage},
    };
    size_t len = 0;
    snprintf(to, size, "none");
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons && len < size; i++) {
        if (reasons[i].samples > 0) {
            len += (size_t)snprintf(to + len, size - len, "%s%" PRIu64 " (%s)", len > 0 ? ", " : "", reasons[i].samples,
                                    reasons[i].why);
        }
    }
}

static void print_stats(const spb_node *node) {
    spb_stats stats;
    char dropped[512];
    spb_node_stats(node, &stats);
    tell_dropped(&stats, dropped, sizeof dropped);
    complain("published %" PRIu64 " samples and %" PRIu64 " births in %" PRIu64 " messages; lost %" PRIu64
             " connections",
             stats.samples_published, stats.births, stats.messages_published, stats.connections_lost);
    complain("samples: accepted %" PRIu64 ", confirmed %" PRIu64 ", stored %" PRIu64 ", replayed %" PRIu64
             ", in the store %" PRIu64 "; dropped %s",
             stats.samples_accepted, stats.samples_confirmed, stats.samples_stored, stats.samples_replayed,
             stats.samples_in_journal, dropped);
}

/* ---- its life ---- */

/* True when one of the signals has come, or comes before the deadline. */
static bool wait_for_signal(const sigset_t *signals, uint64_t deadline_ms) {
    for (;;) {
        uint64_t now = spb_monotonic__ms();
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
 * out, and so is what would follow at once: no two samples of a metric have the same time. */
static void measure_until_end(plant *p, const edge_arguments *args, const sigset_t *signals) {
    uint64_t start_ms = spb_monotonic__ms(), before_ms = start_ms;
    uint64_t end_ms = args->duration_s ? start_ms + args->duration_s * UINT64_C(1000) : UINT64_MAX;
    for (;;) {
        uint64_t rest_ms = args->interval_ms - (before_ms - start_ms) % args->interval_ms;
        uint64_t next_ms = before_ms + rest_ms + (rest_ms < args->interval_ms / 2 ? args->interval_ms : 0);
        if (wait_for_signal(signals, next_ms < end_ms ? next_ms : end_ms)) {
            return;
        }
        uint64_t now = spb_monotonic__ms();
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
        complain(status == SPB_ERR_TIMEOUT
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
    sigaddset(signals, SIGUSR1); /* of our own */
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static int fail(const spb_error *err) {
    complain("%s", err->text);
    return CLI_FAILED;
}

static int run(spb_node *node, const edge_arguments *args) {
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
        sigdelset(&signals, SIGUSR1);
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second signal ends the process at once */
        result = stop(node);
        result = atomic_load(&is_in_vain) ? CLI_FAILED : result;
    }
    if (args->is_verbose) {
        print_stats(node);
    }
    plant_free(p);
    return result;
}

int cmd_edge(int argc, char **argv) {
    static edge_arguments args;
    int result = edge_arguments_parse(argc, argv, &args);
    if (result != CLI_OK || args.help) {
        fputs(args.help ? args.help : "", stdout);
        return result;
    }
    args.node.on_state = on_state;
    args.node.on_birth_too_large = on_birth_too_large;
    args.node.on_log = on_log;
    args.node.user_data = &args;
    args.node.log_level = args.is_verbose ? SPB_LOG_INFO : SPB_LOG_WARNING;

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
