/*
 * Forms of fences: which of them a broker answers, in which one the session may ask, and whether it does without.
 *
 * A run's brokers answer all forms, or some; or none, where time alone confirms: with fences to confirm by, a node on
 * such a broker would be on and off for ever. A broker may be exchanged for another one, as of the next connection.
 */
#include "sim/sim.h"

#define ALL_FORMS ((1u << SPB_FENCE_FORMS) - 1)
#define MAX_TRIAL_MS 3000

/* ---- the brokers ---- */

static uint8_t draw_forms(sim *s) {
    static const uint8_t some[] = {ALL_FORMS,
                                   ALL_FORMS,
                                   ALL_FORMS,
                                   ALL_FORMS,
                                   ALL_FORMS,
                                   ALL_FORMS & ~(1u << SPB_FENCE_FORM_UNSUBSCRIBE),
                                   1u << SPB_FENCE_FORM_SUBSCRIBE,
                                   1u << SPB_FENCE_FORM_BOTH};
    bool is_silent = s->options.confirm == SPB_CONFIRM_WINDOW && sim_below(s, 2) == 0;
    return is_silent ? 0 : some[sim_below(s, 8)];
}

void sim_fence_draw(sim *s) {
    for (unsigned i = 0; i < s->server_count; i++) {
        s->fence_forms[i] = draw_forms(s);
        sim_note(s, "broker %u answers forms %u of fences", i, s->fence_forms[i]);
    }
}

static void exchange(sim *s) {
    s->fence_forms[sim_below(s, s->server_count)] = draw_forms(s);
}

const sim_move sim_fence_moves[] = {{"another broker takes the place of one", 1, false, exchange}, {0}};

/* ---- what the session may know of them ---- */

void sim_fence_answered(sim *s, spb_fence_form form) {
    s->wire.form = s->wire.is_form_known ? s->wire.form : form;
    s->wire.is_form_known = true;
    s->form_memory[s->link.server] = (sim_form_memory){.is_certain = true, .has_form = true, .form = s->wire.form};
}

void sim_fence_ended(sim *s) {
    if (s->wire.tried != 0 && !s->wire.is_form_known) {
        s->form_memory[s->link.server].is_certain = false; /* it may have been given up */
    }
}

/* For all one can know, this broker answers none. */
bool sim_fence_is_in_vain(const sim *s) {
    const sim_form_memory *memory = &s->form_memory[s->link.server];
    return s->options.confirm == SPB_CONFIRM_WINDOW && s->wire.tried == ALL_FORMS && !s->wire.is_form_known &&
           !(memory->has_form && memory->is_certain);
}

/* While the first fence of a link waits, it is seen, from look to look, to carry what was sent before that. */
void sim_fence_see(sim *s, uint64_t carried, uint64_t left) {
    sim_wire *wire = &s->wire;
    uint64_t most = wire->first_ahead + wire->first_ahead / 2 + 128;
    if (carried == 0 || wire->tried == 0 || wire->is_form_known) {
        return;
    }
    if (wire->seen_last == 0) {
        wire->seen_last = carried;
        wire->seen_limit = carried + (wire->in_flight == 0 || left > most ? left : most);
    }
    if (carried > wire->seen_last && wire->seen_last < wire->seen_limit) {
        wire->moved_ms = s->now.mono_ms;
        wire->is_without &= wire->without_ms != s->now.mono_ms; /* the session looked in time */
    }
    wire->seen_last = carried;
}

/* Since then nothing at all has come of what was asked. */
static uint64_t silent_since_ms(const sim *s) {
    return s->wire.moved_ms > s->wire.first_ms ? s->wire.moved_ms : s->wire.first_ms;
}

/* Who looks late may have heard an answer by then, and that counts. Who is stopping has an end of its own. */
void sim_fence_look(sim *s) {
    if (!s->wire.is_without && sim_fence_is_in_vain(s) &&
        s->now.mono_ms >= silent_since_ms(s) + s->wire.keep_alive_ms &&
        spb_session_get_state(s->session) != SPB_SESSION_STOPPING) {
        s->wire.is_without = true;
        s->wire.without_ms = s->now.mono_ms;
    }
}

bool sim_fence_is_without(const sim *s) {
    return s->wire.is_without;
}

/* ---- what it may ask ---- */

static bool may_begin_with(const sim *s, spb_fence_form form) {
    const sim_form_memory *memory = &s->form_memory[s->link.server];
    spb_fence_form known = memory->has_form ? memory->form : SPB_FENCE_FORM_UNSUBSCRIBE;
    return form == known || (!memory->is_certain && form == SPB_FENCE_FORM_UNSUBSCRIBE);
}

bool sim_fence_ask(sim *s, spb_fence_form form) {
    sim_wire *wire = &s->wire;
    bool is_first = wire->tried == 0;
    bool is_new = !(wire->tried & 1u << form);
    uint64_t quarter_ms = wire->keep_alive_ms / 4;
    uint64_t trial_ms = wire->asked_ms + (quarter_ms < MAX_TRIAL_MS ? quarter_ms : MAX_TRIAL_MS);
    if (is_first && !may_begin_with(s, form)) {
        sim_fail(s, "fence", "the first one of a connection is of form %d", (int)form);
    } else if (!is_first && is_new && (wire->is_form_known || s->now.mono_ms < trial_ms)) {
        sim_fail(s, "fence", "form %d is tried, %s", (int)form, wire->is_form_known ? "but one is known" : "too early");
    } else if (!is_new && form != wire->form) {
        sim_fail(s, "fence", "of form %d instead of %d", (int)form, (int)wire->form);
    }
    bool is_stopping = spb_session_get_state(s->session) == SPB_SESSION_STOPPING; /* which has an end of its own */
    if (!is_first && !wire->is_form_known && s->now.mono_ms >= silent_since_ms(s) + wire->keep_alive_ms &&
        !is_stopping) {
        sim_fail(s, "fence", "another one to a broker that answers none");
    }
    wire->first_ms = is_first ? s->now.mono_ms : wire->first_ms;
    wire->first_ahead = is_first ? wire->unanswered : wire->first_ahead;
    wire->asked_ms = is_new ? s->now.mono_ms : wire->asked_ms;
    wire->tried |= (uint8_t)(1u << form);
    wire->form = form;
    return is_new && !is_first;
}
