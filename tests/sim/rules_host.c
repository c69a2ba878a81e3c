/* The rules of the primary host and of the way from server to server: which STATE counts, when the node may be born,
 * when it must leave, where it goes then, and how long it pauses. */
#include <string.h>

#include "sim/sim.h"

const char *const sim_server_names[SIM_MAX_SERVERS] = {"mqtt://first", "mqtt://second", "mqtt://third"};

/* ---- which server ---- */

/* A round of attempts in which no server would do is followed by a pause. */
static void check_pause(sim *s) {
    size_t count = s->server_count;
    uint64_t at_ms = s->now.mono_ms;
    if (s->attempts >= count) {
        uint64_t pause_ms = at_ms - s->attempts_ms[(s->attempts - count) % SIM_MAX_SERVERS];
        if (pause_ms < s->options.reconnect_min_ms * UINT64_C(3) / 4) {
            sim_fail(s, "pause", "%zu attempts in %llu ms", count + 1, (unsigned long long)pause_ms);
        }
    }
    s->attempts_ms[s->attempts++ % SIM_MAX_SERVERS] = at_ms;
}

void sim_rules_server(sim *s, const char *server) {
    const char *expected = sim_server_names[s->next_server];
    if (strcmp(server, expected) != 0) {
        sim_fail(s, "servers", "CONNECT to %s instead of %s", server, expected);
    }
    check_pause(s);
}

/* ---- what the host says ---- */

/* tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp: of each server, the latest counts. */
static bool counts(sim *s, const sim_event *event) {
    const sim_state *state = &event->state;
    uint64_t *accepted_ms = s->accepted_states[s->link.server], by_now_ms = s->now.wall_ms + SPB_CLOCK_ALLOWANCE_MS;
    bool is_ahead = state->timestamp_ms > by_now_ms;
    if (state->kind == SIM_STATE_GARBAGE) {
        return false;
    }
    if (s->options.legacy_state) {
        return true;
    }
    for (size_t i = 0; i < 2;
         i++) { /* beside those that are ahead of our clock, which may be wrong, others are not old */
        if (state->timestamp_ms < accepted_ms[i] && (is_ahead || accepted_ms[i] <= by_now_ms)) {
            return false;
        }
    }
    accepted_ms[is_ahead] = s->accepted_state_ms[s->link.server] = state->timestamp_ms;
    return true;
}

/* The session was told that it has arrived, and keeps it for hosts. Without a birth, the time stands still. */
bool sim_rules_may_be_kept(const sim *s, const sim_record *record) {
    uint64_t window_ms = sim_host_window_ms(s, true), resend_ms = s->options.resend_on_rebirth_ms + UINT64_C(2000);
    uint64_t arrived_ms = record->was_stored ? s->journal.blocks[record->block].arrived_ms : 0;
    uint64_t last_ms = arrived_ms > record->confirmed_ms ? arrived_ms : record->confirmed_ms;
    return record->is_confirmed && last_ms + (window_ms > resend_ms ? window_ms : resend_ms) >= sim_way_born_ms(s);
}

/* The host was away, whenever that was, or a host asks for a rebirth: what was confirmed shortly before may come again.
 * So may what is under way: it counts as arrived when those ahead of it have come again; and what an earlier process
 * kept, whenever that was. */
void sim_rules_may_come_again(sim *s) {
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        sim_record *record = &s->ledger.records[i];
        record->is_overtaken |= record->sent > 0 && record->copies > 0 && !record->is_confirmed;
        record->may_come_again |= record->was_kept || sim_rules_may_be_kept(s, record);
    }
}

void sim_rules_state(sim *s, const sim_event *event, spb_session_state before, bool is_short_of_memory) {
    sim_wire *wire = &s->wire;
    bool is_born = before == SPB_SESSION_BIRTHING || before == SPB_SESSION_ONLINE;
    s->has_state_doubt |= is_short_of_memory; /* it could not be read, perhaps */
    uint64_t last_ms = s->accepted_state_ms[s->link.server];
    if (event->link != wire->link || !counts(s, event)) {
        return;
    }
    if (event->state.kind == SIM_STATE_OFFLINE || event->state.timestamp_ms != last_ms) {
        sim_rules_may_come_again(s);
    }
    wire->is_host_known = true;
    wire->is_host_online = event->state.kind == SIM_STATE_ONLINE;
    if (!wire->is_host_online) {
        bool is_waiting = before == SPB_SESSION_WAIT_HOST && s->server_count > 1;
        wire->must_leave |= is_born || is_waiting;
        if (is_born && s->level != SPB_DELIVERY_LIVE) {
            s->host_offline_ms = s->now.mono_ms;
            sim_replay_host_lost(s);
        }
    }
}

bool sim_is_kept_by_time(const sim *s) {
    bool is_kept = s->options.primary_host_id || s->options.resend_on_rebirth_ms > 0;
    return is_kept && s->options.confirm == SPB_CONFIRM_WINDOW;
}

/* The server may have named another keep-alive than the session's; and calls may come late. */
uint64_t sim_host_window_ms(const sim *s, bool at_most) {
    uint64_t ours_ms = s->options.keep_alive_s * UINT64_C(1000), its_ms = s->wire.keep_alive_ms;
    uint64_t keep_alive_ms = (ours_ms < its_ms) == at_most ? its_ms : ours_ms;
    uint64_t window_ms = s->options.host_window_ms == UINT32_MAX ? 2 * keep_alive_ms : s->options.host_window_ms;
    return at_most ? window_ms + 2000 : window_ms > 2000 ? window_ms - 2000 : 0;
}

/* ---- leaving ---- */

void sim_rules_may_be_born(sim *s) {
    if (s->options.primary_host_id && !s->wire.is_host_online && !s->has_state_doubt) {
        sim_fail(s, "host", "NBIRTH, but the primary host is not known to be online");
    }
}

bool sim_rules_may_leave(const sim *s) {
    const sim_wire *wire = &s->wire;
    bool has_others = s->options.primary_host_id && s->server_count > 1;
    bool has_waited = s->options.host_wait_ms > 0 && s->now.mono_ms >= wire->subscribed_ms + s->options.host_wait_ms;
    return wire->must_leave || s->has_state_doubt ||
           (has_others && !wire->is_host_online && (wire->is_host_known || has_waited));
}

void sim_rules_host_drained(sim *s, spb_session_state state, uint64_t deadline_ms) {
    const sim_wire *wire = &s->wire;
    bool is_up = state >= SPB_SESSION_SUBSCRIBING && state <= SPB_SESSION_ONLINE;
    if (s->has_state_doubt || !is_up) {
        return;
    }
    if (wire->must_leave) {
        sim_fail(s, "host", "it stays, although the primary host is offline or a host asked it to go");
    }
    if (state == SPB_SESSION_WAIT_HOST) {
        bool has_others = s->server_count > 1;
        if (wire->is_host_online || (has_others && wire->is_host_known)) {
            sim_fail(s, "host", "it waits, but the host is %s", wire->is_host_online ? "online" : "offline");
        }
        if (has_others && s->options.host_wait_ms > 0 && deadline_ms > wire->subscribed_ms + s->options.host_wait_ms) {
            sim_fail(s, "host", "it waits for longer than host_wait_ms");
        }
    } else if (state != SPB_SESSION_SUBSCRIBING && s->options.primary_host_id && !wire->is_host_online) {
        sim_fail(s, "host", "it is born, but the primary host is not online");
    }
}
