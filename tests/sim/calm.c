/* Decides what must come true once faults cease: the session is online, hosts know everything, then there is silence;
 * and a stop is a good end. */
#include "sim/sim.h"

/* In a calm world, how long a host may be without the truth: beyond it, and beyond all timers. */
#define CALM_SLACK_MS 60000
#define CALM_STEP_MS 250
/* What takes longer than this waits for a minute to be over, or has a slow pace: there is no need to look often. */
#define SOON_MS 15000
#define CALM_STRIDE_MS 2500
/* What the primary host says now has arrived after so long. */
#define NEWS_MS 2000
/* What the storm has delayed comes within this time; then there is silence. */
#define LATE_ANSWERS_MS 10000
#define SILENCE_MS 20000
/* Old samples expire, and after a minute one looks for what a new process does not know any more. */
#define STORE_ACTIONS_IN_SILENCE 40
/* About what a sample has. */
#define SAMPLE_BYTES 32
/* Enough for everything that waits to be written. */
#define PEACE_MS 60000

/* Of the last CONNECT, which may ask for a longer one than the options: see stretch_keep_alive in core/life.c. */
static uint64_t keep_alive_ms(const sim *s) {
    uint32_t keep_alive_s = s->options.keep_alive_s > s->keep_alive_s ? s->options.keep_alive_s : s->keep_alive_s;
    return keep_alive_s * UINT64_C(1000);
}

/* What is sent within this time is confirmed together, where time alone confirms; 0: fences do. */
static uint64_t confirm_window_ms(const sim *s) {
    bool is_by_time = s->options.confirm == SPB_CONFIRM_WINDOW;
    return is_by_time ? 4 * (keep_alive_ms(s) + s->wire.keep_alive_ms) + 15000 : 0;
}

/* Where time alone confirms, the replay goes window by window: half of what may be unconfirmed in each, also of what is
 * not in the journal yet. */
static uint64_t windows(const sim *s) {
    spb_store_info info;
    spb_stats stats;
    sim_journal_info(s, &info);
    spb_session_stats(s->session, &stats);
    uint64_t bytes = info.bytes + stats.samples_waiting * SAMPLE_BYTES;
    return 4 + bytes / (s->options.max_unconfirmed_bytes / 2);
}

/* In strict order, live data waits for history that is stored when the live data ahead of it has settled, for which
 * many wait together: block by block, if they come in turns. */
static uint64_t turns_ms(const sim *s) {
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    return s->options.strict_order ? stats.samples_waiting * (s->options.settle_ms + UINT64_C(1500)) : 0;
}

/* A store is tried again within a minute, and so is a metric that may still be added; then the replay has its pace. */
static uint64_t replay_limit_ms(const sim *s) {
    return s->has_journal ? 130000 + s->calm_replay_ms + windows(s) * confirm_window_ms(s) + turns_ms(s) : 0;
}

static uint64_t replay_ms(const sim *s) {
    spb_store_info info;
    sim_journal_info(s, &info);
    uint64_t samples_ms = s->options.replay_samples_per_s ? 2000 * info.samples / s->options.replay_samples_per_s : 0;
    uint64_t bytes_ms = s->options.replay_bytes_per_s ? 2000 * info.bytes / s->options.replay_bytes_per_s : 0;
    return samples_ms + bytes_ms;
}

static uint64_t calm_limit_ms(const sim *s) {
    const spb_session_options *o = &s->options;
    return s->now.mono_ms + CALM_SLACK_MS + 2 * keep_alive_ms(s) + o->reconnect_max_ms * UINT64_C(5) / 4 +
           confirm_window_ms(s) + /* of the births, before which the session is not ONLINE */
           2 * s->server_count * (o->connect_timeout_ms + o->host_wait_ms + UINT64_C(4000)) + replay_limit_ms(s);
}

/* Its end is still to come, or may be: as for one that leads to a broker that answers no fences any more, or another
 * form than the first, which is tried for a part of a keep-alive alone, until the session is known to have found out.
 */
static bool is_cut(const sim *s) {
    const sim_broker *broker = &s->brokers[s->link.server];
    bool is_other = !(broker->forms & 1u << SPB_FENCE_FORM_UNSUBSCRIBE) && !s->wire.is_form_known;
    bool is_silent = (broker->is_mute || is_other) && !sim_fence_is_without(s);
    return s->link.is_open && (s->link.up_cut || s->link.down_cut || is_silent);
}

/* More messages than seq has numbers, without a birth between them. */
static void talk_long(sim *s) {
    for (int i = 0; i < 300 && !s->has_failed; i++) {
        sim_application_update(s);
        sim_pump(s);
        sim_run_until(s, s->now.mono_ms + s->options.batch_window_ms + 1);
    }
}

/* Everything has arrived, or is safe. */
static void check_parted(sim *s) {
    char text[256];
    if (s->level == SPB_DELIVERY_LIVE) {
        return;
    }
    const char *missing = sim_ledger_settled(s, text, sizeof text);
    if (missing) {
        sim_fail(s, "stop", "%s", missing);
    }
    for (size_t i = 0; i < s->journal.count; i++) {
        const sim_block *block = &s->journal.blocks[i];
        if (!block->is_gone && (!block->is_committed || block->is_confirmed != block->is_confirm_committed)) {
            sim_fail(s, "stop", "block %llu was left without a commit", (unsigned long long)block->id);
        }
    }
}

/* On a good link, stopping loses nothing, and hosts are told. */
static void part_in_peace(sim *s) {
    spb_stats before, after;
    sim_application_update_much(s);
    spb_session_stats(s->session, &before);
    sim_note(s, "-- stop in peace");
    sim_application_stop(s, PEACE_MS);
    sim_pump(s);
    sim_run_until(s, s->now.mono_ms + PEACE_MS + NEWS_MS); /* where time has to pass, it may need all of it */
    if (s->has_failed) {
        return;
    }
    check_parted(s);
    spb_session_stats(s->session, &after);
    if (after.samples_dropped_lost != before.samples_dropped_lost) {
        sim_fail(s, "stop", "%llu samples were lost on a good link",
                 (unsigned long long)(after.samples_dropped_lost - before.samples_dropped_lost));
    }
    if (s->host->is_node_born || s->brokers[s->link.server].connection != 0) {
        sim_fail(s, "stop", "%s after a stop in peace",
                 s->host->is_node_born ? "a host believes in the node" : "connected");
    }
}

/* What waits for late answers. Where time alone confirms, the session cannot know that all has arrived, and sends it
 * again: in each window as much as may be unconfirmed, at least one sample. So it does with what made room, and waits
 * for the journal until what is ahead of it counts as read. */
static void await_quiet(sim *s) {
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    uint64_t left = stats.samples_in_journal + stats.samples_waiting, before, window_ms = confirm_window_ms(s);
    sim_run_until(s, s->now.mono_ms + LATE_ANSWERS_MS);
    do {
        before = s->actions;
        sim_run_until(s, s->now.mono_ms + window_ms);
    } while (!s->has_failed && s->actions != before && left-- > 0);
}

/* Once faults cease, the session must be online within its timers, and hosts know the last value of everything; then
 * nothing moves any more. */
void sim_calm(sim *s) {
    char text[256];
    s->calm_replay_ms = replay_ms(s);
    uint64_t begin_ms = s->now.mono_ms, limit_ms = calm_limit_ms(s);
    const char *missing = NULL;
    s->is_calm = true;
    s->calm_ms = begin_ms;
    s->busy_until_ms = SPB_NEVER;
    sim_note(s, "-- calm");
    sim_journal_mend(s);
    sim_application_set_clock(s);
    sim_exception_end_scans(s);
    sim_primary_settle(s);
    if (s->has_packet_limits) { /* from now on everything fits */
        sim_transport_reset(s);
    }
    sim_pump(s);
    sim_run_until(s, begin_ms + NEWS_MS);
    do {
        if (!s->wants_up || spb_session_get_state(s->session) == SPB_SESSION_STOPPED) {
            sim_application_start(s);
            sim_pump(s);
        }
        bool is_soon = s->now.mono_ms < begin_ms + SOON_MS;
        sim_run_until(s, s->now.mono_ms + (is_soon ? CALM_STEP_MS : CALM_STRIDE_MS));
        missing = is_cut(s) ? "the link is cut" : sim_rules_converged(s, text, sizeof text);
        if (missing && s->host->has_missed && s->now.mono_ms - s->host->asked_ms > 5000) {
            sim_host_request_rebirth(s);
        }
    } while (!s->has_failed && missing && s->now.mono_ms < limit_ms);
    if (!s->has_failed && missing) {
        sim_ledger_note(s);
        sim_fail(s, "liveness", "%s, %llu ms after the last fault", missing,
                 (unsigned long long)(s->now.mono_ms - begin_ms));
    }
    await_quiet(s);
    uint64_t actions = s->actions, store_actions = s->store_actions;
    sim_run_until(s, s->now.mono_ms + SILENCE_MS);
    if (!s->has_failed && s->actions != actions && !sim_exception_is_unsure(s)) {
        sim_fail(s, "busy", "%llu actions without a cause", (unsigned long long)(s->actions - actions));
    }
    if (!s->has_failed && s->store_actions > store_actions + STORE_ACTIONS_IN_SILENCE) {
        sim_fail(s, "busy", "%llu calls of the store without a cause",
                 (unsigned long long)(s->store_actions - store_actions));
    }
    s->has_converged = true;
    missing = sim_rules_converged(s, text, sizeof text);
    s->has_converged = false;
    if (!s->has_failed && missing) {
        sim_fail(s, "convergence", "it was lost again without a fault: %s", missing);
    }
    if (!s->has_failed && sim_below(s, 16) == 0) {
        talk_long(s);
    }
    if (!s->has_failed && sim_below(s, 4) == 0) {
        part_in_peace(s);
    }
    s->is_calm = false;
    sim_note(s, "-- the storm goes on");
}
