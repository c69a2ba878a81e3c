/*
 * Births on their way: a fence follows them at once; the application is told that the node is born when they have
 * arrived, and not before; and no others follow them until then.
 */
#include <string.h>

#include "sim/sim.h"

/* An NBIRTH leaves, or a DBIRTH that belongs to it. */
void sim_births_left(sim *s) {
    if (s->wire.births_handed == 0) { /* else it had to wait for the end of a device of the same name */
        s->wire.births_last = s->wire.messages + 1;
        s->wire.births_ms = s->now.mono_ms;
    }
}

static bool has_dying_namesake(const sim *s, size_t holder) {
    for (size_t i = 1; i < s->holder_count; i++) {
        if (i != holder && s->holders[i].is_dying && strcmp(s->holders[i].id, s->holders[holder].id) == 0) {
            return true;
        }
    }
    return false;
}

/* The session says so in its log. A device that comes online while births leave may be one of them, so that nothing
 * else tells; one that was online before is. */
void sim_births_logged(sim *s, const char *text) {
    if (strncmp(text, "births handed over: ", 20) != 0) {
        return;
    }
    for (size_t i = 1; i < s->holder_count; i++) {
        if (s->holders[i].is_due && !has_dying_namesake(s, i)) {
            sim_fail(s, "births", "%s is online, and not born", s->holders[i].id);
        }
    }
    s->wire.births_handed = s->wire.messages;
    s->wire.births_handed_ms = s->now.mono_ms;
}

static bool are_all_out(const sim *s) {
    return s->wire.is_born && s->wire.births_handed != 0;
}

/* Data may leave, as far as births are concerned. */
bool sim_births_are_out(const sim *s) {
    spb_session_state state = spb_session_get_state(s->session);
    return state == SPB_SESSION_ONLINE || (state == SPB_SESSION_BIRTHING && are_all_out(s));
}

bool sim_births_want_fence(const sim *s) {
    return are_all_out(s) && s->wire.covered < s->wire.births_handed;
}

/* When the link is free for others: 0: it is. Without any answer, after a keep-alive. */
uint64_t sim_births_free_ms(const sim *s) {
    return s->wire.passed >= s->wire.births_handed ? 0
           : sim_fence_is_without(s)               ? s->wire.births_handed_ms + s->wire.keep_alive_ms
                                                   : SPB_NEVER;
}

/* Another NBIRTH leaves. */
void sim_births_may_follow(sim *s) {
    if (s->wire.is_born && s->now.mono_ms < sim_births_free_ms(s)) {
        sim_fail(s, "births", "an NBIRTH, but the births before are still on their way");
    }
}

/* Where fences are not trusted, or not answered, time shows it. */
static bool is_by_time(const sim *s) {
    return sim_fence_is_without(s) || (s->level != SPB_DELIVERY_LIVE && s->options.confirm == SPB_CONFIRM_WINDOW);
}

static bool have_arrived(const sim *s) {
    uint64_t asked_ms = s->options.keep_alive_s * UINT64_C(1000);
    uint64_t ping_ms = asked_ms > s->wire.keep_alive_ms ? asked_ms : s->wire.keep_alive_ms;
    uint64_t wait_ms = sim_fence_is_without(s) ? 4 * ping_ms + 15000 : 2 * s->wire.keep_alive_ms;
    return is_by_time(s) ? s->now.mono_ms >= s->wire.births_ms + wait_ms : s->wire.passed >= s->wire.births_handed;
}

/* The application is told that the session is ONLINE. */
void sim_births_told(sim *s) {
    if (!are_all_out(s) || s->wire.births_last > s->wire.births_handed) {
        sim_fail(s, "births", "told to be ONLINE without all births");
    } else if (!have_arrived(s)) {
        sim_fail(s, "births", "told to be ONLINE, but the births are still on their way");
    }
}

/* All that can be done is done. */
void sim_births_drained(sim *s, spb_session_state state) {
    bool is_up = state == SPB_SESSION_BIRTHING || state == SPB_SESSION_ONLINE;
    if (!is_up || !are_all_out(s) || s->wire.is_over) {
        return;
    }
    if (sim_births_want_fence(s) && s->way.fences < SIM_MAX_FENCES && !sim_fence_is_without(s)) {
        sim_fail(s, "births", "no fence follows them");
    }
    if (state == SPB_SESSION_BIRTHING && !is_by_time(s) && have_arrived(s)) {
        sim_fail(s, "births", "they have arrived, and nobody is told");
    }
}
