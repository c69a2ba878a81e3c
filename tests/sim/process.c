/* The process: it may die at any moment, and what it leaves behind is the store. */
#include <string.h>

#include "sim/sim.h"

static void make_session(sim *s) {
    spb_error err;
    s->options.has_bdseq = s->has_stored;
    s->options.bdseq = s->stored_bdseq;
    s->options.random_seed = sim_draw(s);
    while (!s->session && !s->has_failed) {
        sim_enter(s);
        spb_status status = spb_session_new(&s->session, &s->options, &err);
        bool is_short = sim_leave(s);
        if (status != SPB_OK && (!is_short || status != SPB_ERR_NO_MEMORY || s->session)) {
            sim_fail(s, "call", "spb_session_new: %s", spb_status_name(status));
        }
    }
}

/* Mostly the process starts again, now and then the machine, which may have no clock of its own. */
static void boot(sim *s) {
    bool is_first = s->options.boot == 0;
    if (is_first || sim_below(s, 3) == 0) {
        s->options.boot++;
        s->now.wall_ms = s->has_unset_clocks && !is_first ? 1000 + sim_below(s, 100000) : s->now.wall_ms;
    }
}

void sim_process_begin(sim *s) {
    for (size_t i = 0; i < s->event_count; i++) {
        s->calendar[i]->is_void |= s->calendar[i]->of_process;
    }
    sim_transport_die(s);
    sim_rules_forget(s, false);
    if (s->options.boot != 0) {
        sim_journal_die(s);
        sim_ledger_bury(s);
    }
    boot(s);
    sim_journal_open(s);
    sim_way_reset(s);
    s->host_offline_ms = SPB_NEVER;
    s->next_server = 0;
    s->attempts = 0;
    s->has_state_doubt = s->has_template = false;
    memset(s->accepted_state_ms, 0, sizeof s->accepted_state_ms);
    memset(s->accepted_states, 0, sizeof s->accepted_states);
    s->counts = (sim_counts){0};
    s->is_turn_open = s->is_running = false;
    for (size_t i = 0; i < s->holder_count; i++) {
        s->holders[i].is_scanning = false;
    }
    s->wire = (sim_wire){0};
    s->link = (sim_link){.server = s->link.server};
    s->told_state = SPB_SESSION_STOPPED;
    s->stop_by_ms = s->wake_ms = SPB_NEVER;
    s->saving = -1;
    s->saves_waiting = 0;
    s->last_bdseq = s->has_stored ? s->stored_bdseq : -1;
    s->is_bdseq_spare = false;
    s->last_link = 0;
    memset(s->form_memory, 0, sizeof s->form_memory);
    make_session(s);
    if (s->has_journal) {
        sim_journal_adopt(s);
    }
}

static void die(sim *s) {
    spb_session_free(s->session);
    s->session = NULL;
    sim_application_begin(s);
}

const sim_move sim_process_moves[] = {{"the process is killed and started again", 1, true, die}, {0}};
