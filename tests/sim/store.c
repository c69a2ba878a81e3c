/* The store of the bdSeq: it may be slow, and may fail. */
#include "sim/sim.h"

static void answer(sim *s, spb_status status) {
    s->saves_waiting--;
    sim_enter(s);
    spb_session_on_bdseq_saved(s->session, status, status == SPB_OK ? NULL : "simulated", s->now);
    sim_leave(s);
}

static void answer_later(sim *s, sim_event *event) {
    sim_note(s, "< the bdSeq is saved%s", event->status == SPB_OK ? "" : ", failed");
    answer(s, event->status);
}

void sim_store_save(sim *s, uint8_t bdseq) {
    spb_status status = sim_happens(s, SIM_SAVE_FAILS) ? SPB_ERR_STORE : SPB_OK;
    sim_note(s, "> SAVE %u%s", bdseq, status == SPB_OK ? "" : ", fails");
    if (status == SPB_OK) {
        s->has_stored = true;
        s->stored_bdseq = bdseq;
    }
    s->saving = bdseq;
    s->saves_waiting++;
    if (sim_happens(s, SIM_SAVE_SLOW)) {
        sim_event *event = sim_later(s, sim_below(s, 2000), answer_later);
        event->status = status;
        event->of_process = true;
    } else {
        answer(s, status);
    }
}
