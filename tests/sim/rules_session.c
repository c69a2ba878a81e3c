/* The rules of time and state: deadlines, stopping, links, requests that must be answered, what hosts know in the end.
 */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

#define REBIRTH "Node Control/Rebirth"
#define NEXT_SERVER "Node Control/Next Server"

/* ---- after each call ---- */

static bool has_connection(spb_session_state state) {
    return state == SPB_SESSION_BIRTHING || state == SPB_SESSION_ONLINE || state == SPB_SESSION_STOPPING;
}

void sim_rules_called(sim *s) {
    if (!s->session) {
        return;
    }
    spb_session_state state = spb_session_get_state(s->session);
    if (state == SPB_SESSION_STOPPING) {
        s->wire.is_leaving = s->stop_by_ms == SPB_NEVER;
    } else if (!has_connection(state)) {
        sim_rules_forget(s, state != SPB_SESSION_STOPPED && (s->wire.is_leaving || !s->wire.is_born));
        s->wire.is_born = false;
    }
    if (state == SPB_SESSION_STOPPED || state == SPB_SESSION_WAITING || state == SPB_SESSION_SAVING) {
        s->wire.is_over = s->wire.link != 0;
        sim_way_ended(s);
        s->wire.wants_birth = false;
    }
    if (state == SPB_SESSION_STOPPED) {
        s->stop_by_ms = SPB_NEVER;
    }
}

#define TO(state) (1u << SPB_SESSION_##state)

/* Which states may follow each state. */
static const unsigned successors[] = {
    [SPB_SESSION_STOPPED] = TO(SAVING) | TO(WAITING), /* for the clock */
    [SPB_SESSION_WAITING] = TO(SAVING) | TO(STOPPED),
    [SPB_SESSION_SAVING] = TO(CONNECTING) | TO(STOPPED),
    [SPB_SESSION_CONNECTING] = TO(SUBSCRIBING) | TO(WAITING) | TO(STOPPED),
    [SPB_SESSION_SUBSCRIBING] = TO(WAIT_HOST) | TO(BIRTHING) | TO(WAITING) | TO(STOPPING),
    [SPB_SESSION_WAIT_HOST] = TO(BIRTHING) | TO(WAITING) | TO(STOPPING),
    [SPB_SESSION_BIRTHING] = TO(ONLINE) | TO(WAITING) | TO(STOPPING),
    [SPB_SESSION_ONLINE] = TO(BIRTHING) | TO(WAITING) | TO(STOPPING),
    [SPB_SESSION_STOPPING] = TO(WAITING) | TO(STOPPED),
};

bool sim_awaits_clock(const sim *s) {
    return s->now.wall_ms < SPB_EARLIEST_MS &&
           s->now.mono_ms < s->started_ms + s->options.clock_wait_s * UINT64_C(1000);
}

void sim_rules_told(sim *s, spb_session_state state) {
    sim_note(s, "> STATE %s", spb_session_state_name(state));
    if (!(successors[s->told_state] & 1u << state)) {
        sim_fail(s, "state", "told %s after %s", spb_session_state_name(state), spb_session_state_name(s->told_state));
    }
    bool is_for_clock = s->told_state == SPB_SESSION_STOPPED;
    if (state == SPB_SESSION_WAITING && is_for_clock && (!s->has_unset_clocks || s->options.clock_wait_s == 0)) {
        sim_fail(s, "clock", "the session waits for a clock that is set");
    }
    s->told_state = state;
    s->is_for_clock = state == SPB_SESSION_WAITING && is_for_clock;
    if (state == SPB_SESSION_WAITING && !is_for_clock) {
        s->next_server = (s->next_server + 1) % s->server_count;
    }
    if (state == SPB_SESSION_ONLINE && spb_session_get_state(s->session) == SPB_SESSION_ONLINE) {
        sim_births_told(s);
    }
}

/* Only where a server has said what it takes. The link may be another one by now. */
void sim_rules_too_large(sim *s, const spb_birth_too_large *birth) {
    bool has_reason = s->has_packet_limits && birth->server && birth->max_bytes > 0 && birth->bytes > birth->max_bytes;
    bool is_one_of_several = birth->is_everywhere || s->server_count > 1;
    if (!has_reason || !is_one_of_several) {
        sim_fail(s, "size", "a birth of %zu bytes is said to be larger than %zu of %s", birth->bytes, birth->max_bytes,
                 birth->server ? birth->server : "the options");
    }
    for (unsigned i = 1; birth->device_id && i < s->holder_count && strcmp(s->holders[i].id, birth->device_id) != 0;
         i++) {
        if (i + 1 == s->holder_count) {
            sim_fail(s, "size", "there is no device %s", birth->device_id);
        }
    }
}

/* ---- after the last action ---- */

/* How much later than it wants to the application may call the session, twice: for the fence, and at the end. */
static uint64_t lateness_ms(const sim *s) {
    const unsigned *permille = s->scenario.permille;
    return (permille[SIM_LATE_TICK] ? 1000 : 0) + (permille[SIM_BUSY] ? 200 : 0);
}

/* A server that does not answer any more is given up within 1.5 keep-alives and a second, whatever the transport says.
 */
static void check_watch(sim *s, spb_session_state state, uint64_t deadline_ms) {
    uint64_t carried_ms = sim_transport_carried_ms(s); /* what a narrow link still carries is no silence */
    uint64_t heard_ms = carried_ms > s->wire.answered_ms ? carried_ms : s->wire.answered_ms;
    uint64_t limit_ms = heard_ms + s->wire.keep_alive_ms * 3 / 2;
    /* What lies ahead has twice the time that it takes on a link that was seen to carry 1 KiB in 2.3 s, or more. */
    uint64_t slow_ms = 2 * s->wire.unanswered * SIM_LEAST_MS / SIM_LEAST_BYTES;
    limit_ms += slow_ms > s->wire.keep_alive_ms ? slow_ms - s->wire.keep_alive_ms : 0;
    bool is_watched = !sim_fence_is_in_vain(s); /* where time alone confirms, the transport watches then */
    is_watched &= state == SPB_SESSION_WAIT_HOST || state == SPB_SESSION_BIRTHING || state == SPB_SESSION_ONLINE;
    if (is_watched && s->now.mono_ms > limit_ms + 1000 + lateness_ms(s)) {
        sim_fail(s, "watchdog", "no answer for %llu ms, keep-alive %llu ms",
                 (unsigned long long)(s->now.mono_ms - s->wire.answered_ms), (unsigned long long)s->wire.keep_alive_ms);
    }
    if (is_watched && deadline_ms > limit_ms + lateness_ms(s)) {
        sim_fail(s, "watchdog", "nobody would notice a silent server");
    }
}

/* One that is never set is not waited for. */
static void check_clock(sim *s, spb_session_state state) {
    uint64_t end_ms = s->started_ms + s->options.clock_wait_s * UINT64_C(1000);
    if (s->is_for_clock && state == SPB_SESSION_WAITING && s->now.mono_ms > end_ms + lateness_ms(s)) {
        sim_fail(s, "clock", "the session still waits for a clock");
    }
}

/* A request does not wait longer than the window of the birth before it, or than that is on its way, unless the link is
 * full. */
static void check_window(sim *s, uint64_t deadline_ms) {
    bool may_wait = s->journal.answers_waiting > 0 || s->journal.has_failed; /* for the aliases */
    /* Last samples go ahead of it: those wait for the journal, and when too much is under way, for an answer. */
    bool is_held_up = s->level == SPB_DELIVERY_DURABLE || s->wire.unanswered >= SIM_LEAST_WINDOW;
    for (size_t i = 0; i < s->holder_count && is_held_up; i++) {
        may_wait |= s->holders[i].is_flushing || s->holders[i].is_dying;
    }
    uint64_t limit_ms = s->wire.birth_ms + s->options.rebirth_window_ms, free_ms = sim_births_free_ms(s);
    limit_ms = free_ms > limit_ms ? free_ms : limit_ms;
    if (sim_births_are_out(s) && s->wire.wants_birth && !may_wait && s->wire.in_flight < s->options.max_in_flight &&
        deadline_ms > limit_ms) {
        sim_fail(s, "window", "a request for a rebirth waits for longer than the window");
    }
}

/* A link that carries what it was given is not given up, whatever it takes: but where what is written waits in the
 * process, or the process sleeps, for longer than a keep-alive, one cannot know. */
void sim_rules_logged(sim *s, const char *text) {
    const sim_link *l = &s->link;
    const sim_broker *broker = &s->brokers[l->server];
    const unsigned *permille = s->scenario.permille;
    bool can_tell = permille[SIM_SLOW_WRITE] == 0 && permille[SIM_LATE_TICK] == 0 && permille[SIM_BUSY] == 0;
    bool is_sound = !l->up_cut && !l->down_cut && !l->is_stalled && !broker->is_mute && broker->forms == 7;
    bool is_for_silence = strstr(text, "does not answer any more") || strstr(text, "answered no fence");
    if (is_for_silence && is_sound && can_tell && broker->connection == l->connection) {
        sim_fail(s, "watchdog", "a link that carries was given up: %s", text);
    }
}

void sim_rules_drained(sim *s) {
    if (s->has_failed) {
        return;
    }
    spb_session_state state = spb_session_get_state(s->session);
    uint64_t deadline_ms = spb_session_deadline_ms(s->session);
    if (deadline_ms <= s->now.mono_ms) {
        sim_fail(s, "deadline", "%llu ms ago, with nothing to do in state %s",
                 (unsigned long long)(s->now.mono_ms - deadline_ms), spb_session_state_name(state));
    }
    if (s->told_state != state) {
        sim_fail(s, "state", "told %s, but it is %s", spb_session_state_name(s->told_state),
                 spb_session_state_name(state));
    }
    if (s->stop_by_ms != SPB_NEVER && (s->now.mono_ms >= s->stop_by_ms || deadline_ms > s->stop_by_ms)) {
        sim_fail(s, "stop", "in state %s at its deadline", spb_session_state_name(state));
    }
    if (state == SPB_SESSION_STOPPED && deadline_ms != SPB_NEVER) {
        sim_fail(s, "deadline", "there is one in state STOPPED");
    }
    if (s->link.is_open && (state == SPB_SESSION_STOPPED || state == SPB_SESSION_WAITING)) {
        sim_fail(s, "links", "link %u was left open in state %s", s->link.number, spb_session_state_name(state));
    }
    check_watch(s, state, deadline_ms);
    check_clock(s, state);
    sim_rules_host_drained(s, state, deadline_ms);
    check_window(s, deadline_ms);
    sim_births_drained(s, state);
    sim_way_drained(s, state, deadline_ms);
    sim_exception_drained(s, deadline_ms);
    sim_rules_count(s);
}

/* ---- what came from the transport ---- */

/* A request must be answered by an NBIRTH that follows it; other commands may lead to an action each. */
static void take_command(sim *s, const spb_transport_event *event, bool is_short_of_memory) {
    spb_payload *payload = NULL;
    bool is_node = strstr(event->topic.data, "/NCMD/") != NULL;
    if (event->retained || spb_payload_decode(&payload, event->payload, NULL, NULL) != SPB_OK) {
        return;
    }
    bool is_request = false;
    for (size_t i = 0; i < payload->metric_count; i++) {
        const spb_payload_metric *metric = &payload->metrics[i];
        if (is_node && spb_str_equal(metric->name, spb_str_from(REBIRTH))) {
            is_request |= metric->value.type == SPB_BOOLEAN && metric->value.as.boolean;
        } else if (is_node && s->options.next_server_metric && spb_str_equal(metric->name, spb_str_from(NEXT_SERVER))) {
            s->wire.must_leave |= metric->value.type == SPB_BOOLEAN && metric->value.as.boolean;
            s->has_state_doubt |= is_short_of_memory;
        } else {
            s->counts.commands_in++;
        }
    }
    if (is_request) {
        spb_stats stats;
        spb_session_stats(s->session, &stats);
        bool was_counted = stats.rebirth_requests == s->counts.rebirth_requests + 1;
        s->counts.rebirth_requests += was_counted || !is_short_of_memory;
        s->wire.has_cause |= s->wire.is_born;
        s->wire.wants_birth |= was_counted || !is_short_of_memory;
        if (s->options.resend_on_rebirth_ms > 0) {
            sim_rules_may_come_again(s);
        }
    }
    spb_payload_free(payload);
}

void sim_rules_event(sim *s, const spb_transport_event *event, bool is_listening, bool is_short_of_memory) {
    if (event->link != s->wire.link) {
        return;
    }
    if (event->kind == SPB_TRANSPORT_MESSAGE && is_listening) {
        take_command(s, event, is_short_of_memory);
    } else if (event->kind == SPB_TRANSPORT_SUBSCRIBED && is_listening) {
        s->wire.answered_ms = s->wire.is_subscribed ? s->wire.answered_ms : s->now.mono_ms;
        s->wire.subscribed_ms = s->wire.is_subscribed ? s->wire.subscribed_ms : s->now.mono_ms;
        s->wire.is_subscribed |= event->status == SPB_OK;
    } else if (event->kind == SPB_TRANSPORT_FENCED) {
        s->wire.answered_ms = sim_way_fenced(s, event->fence) ? s->now.mono_ms : s->wire.answered_ms;
    } else if (event->kind == SPB_TRANSPORT_CONNECTED && s->wire.keep_alive_ms == 0) {
        s->wire.max_packet_bytes = event->max_packet_bytes;
        for (unsigned i = 0; i < s->holder_count && event->max_packet_bytes > 0; i++) {
            sim_rules_doubt_owed(s, i); /* what is too large will be dropped */
        }
        s->wire.keep_alive_ms = 1000u * (event->keep_alive_s ? event->keep_alive_s : s->options.keep_alive_s);
    } else if (event->kind == SPB_TRANSPORT_PUBLISHED) {
        uint32_t count = event->count < s->wire.in_flight ? event->count : s->wire.in_flight;
        s->wire.in_flight -= count;
        s->wire.stall_ms = s->wire.in_flight > 0 ? s->now.mono_ms + SIM_STALL_MS : 0;
    }
}

/* ---- in the end ---- */

static const char *missing_metric(const sim *s, char *text, size_t capacity) {
    for (size_t i = 0; i < s->metric_count; i++) {
        const sim_metric *metric = &s->metrics[i];
        const sim_host_metric *heard = &s->host->metrics[i];
        const sim_holder *holder = &s->holders[metric->holder];
        uint64_t timestamp_ms;
        if (metric->is_removed) {
            continue;
        }
        spb_value value = spb_session_value(s->session, metric->handle, &timestamp_ms);
        if (sim_look(&value, metric->witness.quality) != metric->hash || timestamp_ms != metric->timestamp_ms) {
            snprintf(text, capacity, "the session has another value of metric %s", metric->name);
            return text;
        }
        if (metric->witness.is_held && !metric->is_unsure) {
            snprintf(text, capacity, "metric %s has a sample that is held", metric->name);
            return text;
        }
        bool is_shown = metric->holder == 0 || holder->is_online;
        const char *what = is_shown && heard->is_known ? sim_exception_known(s, i) : NULL;
        what = is_shown && !heard->is_known ? "lacks" : what;
        if (what) {
            snprintf(text, capacity, "a host %s metric %s of %s", what, metric->name,
                     metric->holder == 0 ? "the node" : holder->id);
            return text;
        }
    }
    return NULL;
}

const char *sim_rules_converged(sim *s, char *text, size_t capacity) {
    s->checks++;
    spb_session_state state = spb_session_get_state(s->session);
    if (state != SPB_SESSION_ONLINE) {
        snprintf(text, capacity, "the session is %s", spb_session_state_name(state));
        return text;
    }
    if (s->wire.wants_birth) {
        return "a rebirth request was not answered";
    }
    if (!s->host->is_node_born || s->host->bdseq != s->wire.will_bdseq) {
        return "a host has not seen the node's birth";
    }
    for (size_t i = 0; i < s->holder_count; i++) {
        if (s->holders[i].is_flushing && s->holders[i].is_online) {
            return "a birth shows a metric that was removed";
        }
    }
    if (s->wire.lacks_template) {
        return "the NBIRTH shows other templates than the node has";
    }
    for (size_t i = 1; i < s->holder_count; i++) {
        if (s->host->is_born[i] != s->holders[i].is_online) {
            snprintf(text, capacity, "a host takes %s for %s", s->holders[i].id,
                     s->host->is_born[i] ? "online" : "offline");
            return text;
        }
    }
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    if (stats.is_store_failing) {
        return "the store is given up";
    }
    const char *missing = missing_metric(s, text, capacity);
    return missing || s->level == SPB_DELIVERY_LIVE ? missing : sim_replay_settled(s, text, capacity);
}
