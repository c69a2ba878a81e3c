/* The application: updates values, answers writes, starts and stops; its clock may step. */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"
#include "support/short_way.h"

/* ---- values ---- */

static uint64_t draw_timestamp(sim *s, const sim_metric *metric) {
    uint64_t stamp_ms = sim_stamp_ms(s), age_ms;
    switch (sim_below(s, 10)) {
    case 0: age_ms = sim_below(s, 60000); return age_ms < stamp_ms ? stamp_ms - age_ms : SPB_NOW;
    case 1: return metric->timestamp_ms;
    case 2: return stamp_ms + sim_below(s, 1000);
    case 3: return stamp_ms;
    default: return SPB_NOW;
    }
}

/* ---- samples of the past ---- */

static uint64_t chance(const sim *s) {
    uint64_t x = (s->seed ^ s->counts.accepted << 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 20;
}

/* In every second run, one in eight. With a journal, those of metrics that do not keep all go along with live data, or
 * are dropped: what becomes of a message with both, which the journal keeps in part, is left to the unit tests. */
static bool may_be_past(const sim *s, const sim_metric *metric) {
    return s->level == SPB_DELIVERY_LIVE || metric->keep == SPB_KEEP_ALL;
}

static bool wants_past(const sim *s, const sim_metric *metric) {
    return s->seed % 2 == 0 && chance(s) % 8 == 0 && may_be_past(s, metric);
}

static uint64_t time_of_past(const sim *s, uint64_t timestamp_ms) {
    uint64_t stamp_ms = sim_stamp_ms(s), age_ms = chance(s) / 8 % 100000;
    return timestamp_ms != SPB_NOW ? timestamp_ms : age_ms < stamp_ms ? stamp_ms - age_ms : stamp_ms;
}

/* As <spb/metric.h> has it; the clock of a call may be a tick behind that of another one. */
static bool is_past(const sim *s, const sim_metric *metric, uint64_t given_ms, uint32_t flags) {
    return (flags & SPB_SAMPLE_HISTORICAL) != 0 ||
           (given_ms != SPB_NOW && (flags & SPB_SAMPLE_FORCED) == 0 && metric->is_time_given &&
            given_ms < metric->timestamp_ms && metric->timestamp_ms <= sim_stamp_ms(s) + 10);
}

/* ---- updates ---- */

/* Sometimes as spb_metric_update does. */
static bool is_short_way(const sim *s) {
    return s->now.mono_ms % 2 != 0;
}

static spb_status take_sample(sim *s, const spb_sample *sample) {
    return is_short_way(s) ? short_way_sample(s->session, sample, s->now, &s->joined)
                           : spb_session_sample(s->session, sample, s->now);
}

/* On the short way, the time of a metric does not go back when a sample of now says nothing new: threads read their
 * clocks before they have the metric, so that of the sample before may be a tick ahead. */
#define TICK_MS 10

static bool may_keep_time(const sim *s, const sim_metric *metric, uint64_t given_ms, uint64_t stamp_ms) {
    return is_short_way(s) && given_ms == SPB_NOW && metric->timestamp_ms > stamp_ms &&
           metric->timestamp_ms <= stamp_ms + TICK_MS;
}

/* What the sample got that was just taken. */
static uint64_t time_of(sim *s, const sim_metric *metric, uint64_t stamp_ms, const spb_stats *before) {
    spb_stats after;
    uint64_t timestamp_ms;
    spb_session_value(s->session, metric->handle, &timestamp_ms);
    spb_session_stats(s->session, &after);
    bool is_kept = after.samples_suppressed > before->samples_suppressed && timestamp_ms == metric->timestamp_ms;
    return is_kept ? timestamp_ms : stamp_ms;
}

static void update_metric(sim *s, int index) {
    sim_metric *metric = &s->metrics[index];
    sim_space space;
    spb_stats before;
    spb_value value = (metric->has_rule ? sim_near_value : sim_value)(&space, metric->type, sim_draw(s));
    uint64_t timestamp_ms = draw_timestamp(s, metric);
    uint32_t flags = sim_exception_flags(s, metric);
    if (wants_past(s, metric)) {
        flags |= SPB_SAMPLE_HISTORICAL;
        timestamp_ms = time_of_past(s, timestamp_ms);
    } else if (is_past(s, metric, timestamp_ms, flags) && !may_be_past(s, metric)) {
        timestamp_ms = SPB_NOW;
    }
    bool is_of_past = is_past(s, metric, timestamp_ms, flags);
    uint64_t stamp_ms = timestamp_ms == SPB_NOW ? sim_stamp_ms(s) : timestamp_ms;
    uint64_t look = sim_look(&value, flags & SIM_QUALITY);
    bool may_keep = !is_of_past && may_keep_time(s, metric, timestamp_ms, stamp_ms);
    if (sim_ledger_has(s, index, look, stamp_ms) || sim_rules_owes(s, index, look, stamp_ms) ||
        (may_keep && sim_ledger_has(s, index, look, metric->timestamp_ms))) {
        return; /* nobody could tell the two apart */
    }
    spb_session_stats(s->session, &before);
    sim_enter(s);
    spb_sample sample = {.metric = metric->handle, .value = value, .timestamp_ms = timestamp_ms, .flags = flags};
    spb_status status = take_sample(s, &sample);
    bool is_short = sim_leave(s);
    sample.timestamp_ms = may_keep ? time_of(s, metric, stamp_ms, &before) : stamp_ms;
    if (status == SPB_OK && is_of_past) {
        sim_rules_past(s, &sample, index, &before);
    } else if (status == SPB_OK) {
        sim_rules_accepted(s, &sample, index, &before);
        metric->is_time_given = timestamp_ms != SPB_NOW;
    } else if (status == SPB_ERR_LIMIT && (flags & SPB_SAMPLE_HISTORICAL) != 0 && before.samples_waiting > 0) {
        sim_note(s, "  %s at %llu finds no room", metric->name, (unsigned long long)stamp_ms);
    } else if (!is_short || status != SPB_ERR_NO_MEMORY) {
        sim_fail(s, "call", "update of %s: %s", metric->name, spb_status_name(status));
    }
}

void sim_application_update(sim *s) {
    int index = sim_model_any(s);
    if (index >= 0) {
        update_metric(s, index);
    }
}

void sim_application_update_much(sim *s) {
    for (uint32_t n = sim_below(s, 60); n > 0; n--) {
        sim_application_update(s);
    }
}

/* More than may be on its way without an answer. */
static void flood(sim *s) {
    for (int i = 0; i < 600 && s->options.batch_max_bytes >= 65536 && s->level != SPB_DELIVERY_LIVE; i++) {
        sim_application_update(s);
    }
}

static void update_wrongly(sim *s) {
    int index = sim_model_any(s);
    if (index >= 0) {
        const sim_metric *metric = &s->metrics[index];
        spb_value value = spb_null(metric->type == SPB_INT8 ? SPB_INT16 : SPB_INT8);
        spb_status status = spb_session_update(s->session, metric->handle, &value, SPB_NOW, s->now);
        if (status != SPB_ERR_TYPE) {
            sim_fail(s, "call", "a value of another datatype: %s", spb_status_name(status));
        }
    }
}

/* ---- writes ---- */

/* The memory of one that was removed may serve a later one; the name tells them apart. */
static int index_of(const sim *s, const spb_metric *handle) {
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].handle == handle && strcmp(s->metrics[i].name, spb_metric_name(handle)) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void answer_write(sim *s, int index, spb_status status, const spb_value *value) {
    spb_stats before, after;
    if (sim_ledger_has(s, index, sim_hash(value), sim_stamp_ms(s))) {
        status = SPB_ERR_REFUSED; /* as above */
    }
    spb_session_stats(s->session, &before);
    sim_enter(s);
    spb_session_on_write_done(s->session, s->metrics[index].handle, status, value, s->now);
    sim_leave(s);
    spb_session_stats(s->session, &after);
    if (after.samples_accepted > before.samples_accepted) {
        s->counts.writes_accepted++;
        spb_sample sample = {
            .value = *value, .timestamp_ms = sim_stamp_ms(s), .flags = SPB_SAMPLE_FORCED}; /* hosts wait for it */
        sim_rules_accepted(s, &sample, index, &before);
        s->metrics[index].is_time_given = false;
    } else if (after.commands_refused != before.commands_refused + 1) {
        sim_fail(s, "commands", "a write was neither accepted nor refused");
    }
}

static void answer_later(sim *s, sim_event *event) {
    sim_space space;
    spb_value value = sim_value(&space, s->metrics[event->metric].type, sim_draw(s));
    sim_note(s, "< the application answers a write of %s", s->metrics[event->metric].name);
    answer_write(s, event->metric, event->status, &value);
}

/* Neither too old nor another value than the metric takes. */
static void judge_write(sim *s, const sim_metric *metric, const spb_value *wanted) {
    sim_space space;
    uint64_t hash = sim_hash(wanted);
    for (uint64_t seed = SIM_OLD_SEED; seed <= (s->has_clock_stepped ? SIM_OLD_SEED : SIM_STALE_SEED); seed++) {
        spb_value old = sim_value(&space, metric->type, seed);
        if (metric->has_age_limit && !s->has_unset_clocks && hash == sim_hash(&old)) {
            sim_fail(s, "commands", "a command on %s that is too old was passed on", metric->name);
        }
    }
    for (unsigned i = 0; i < 2 && metric->choice_seed != 0; i++) {
        spb_value choice = sim_value(&space, metric->type, metric->choice_seed + i);
        if (hash == sim_hash(&choice)) {
            return;
        }
    }
    if (metric->choice_seed != 0) {
        sim_fail(s, "commands", "%s was written with none of its choices", metric->name);
    }
}

void sim_application_write(sim *s, spb_metric *handle, const spb_value *wanted) {
    int index = index_of(s, handle);
    sim_note(s, "> WRITE %s", index < 0 ? "?" : s->metrics[index].name);
    if (index < 0 || !s->metrics[index].is_writable || wanted->type != s->metrics[index].type) {
        sim_fail(s, "commands", "WRITE of what cannot be written, or with another datatype");
        return;
    }
    judge_write(s, &s->metrics[index], wanted);
    spb_status status = sim_below(s, 4) == 0 ? SPB_ERR_REFUSED : SPB_OK;
    uint32_t manner = sim_below(s, 4);
    if (manner == 0 && !s->is_calm) {
        sim_event *event = sim_later(s, sim_below(s, 1000), answer_later);
        event->metric = index;
        event->status = status;
        event->of_process = true;
    } else {
        sim_space space;
        spb_value other = sim_value(&space, s->metrics[index].type, sim_draw(s));
        answer_write(s, index, status, manner == 1 ? &other : wanted);
    }
}

/* ---- start and stop ---- */

void sim_application_start(sim *s) {
    s->wants_up = true;
    bool is_begin = spb_session_get_state(s->session) == SPB_SESSION_STOPPED;
    s->attempts = is_begin ? 0 : s->attempts;
    s->started_ms = is_begin ? s->now.mono_ms : s->started_ms;
    sim_enter(s);
    spb_session_start(s->session, s->now);
    sim_leave(s);
}

void sim_application_stop(sim *s, uint32_t timeout_ms) {
    s->wants_up = false;
    sim_exception_cut(s);
    sim_note(s, "  within %u ms", (unsigned)timeout_ms);
    uint64_t end_ms = s->now.mono_ms + timeout_ms;
    s->stop_by_ms = end_ms < s->stop_by_ms ? end_ms : s->stop_by_ms;
    spb_session_state state = spb_session_get_state(s->session);
    if (state >= SPB_SESSION_SUBSCRIBING && state <= SPB_SESSION_ONLINE) {
        sim_exception_release_all(s);
        sim_exception_ring(s);
    } else if (state == SPB_SESSION_STOPPING) {
        sim_exception_ring(s);
    }
    sim_enter(s);
    spb_session_stop(s->session, timeout_ms, s->now);
    sim_leave(s);
}

static void stop(sim *s) {
    static const uint32_t timeouts[] = {0, 1, 50, 1000, 10000};
    sim_application_stop(s, timeouts[sim_below(s, 5)]);
}

/* Another NBIRTH was asked for, and until then no data leaves. */
static void note_request(sim *s) {
    spb_session_state state = spb_session_get_state(s->session);
    s->wire.has_cause |= s->wire.is_born;
    s->wire.wants_birth |= state >= SPB_SESSION_SUBSCRIBING && state <= SPB_SESSION_ONLINE;
}

static void ask_for_rebirth(sim *s) {
    spb_session_rebirth(s->session, s->now);
    note_request(s);
}

static void tick(sim *s) {
    sim_exception_ring(s);
    sim_fence_look(s);
    sim_enter(s);
    spb_session_on_tick(s->session, s->now);
    sim_leave(s);
}

void sim_application_set_clock(sim *s) {
    if (s->now.wall_ms >= SPB_EARLIEST_MS) {
        return;
    }
    s->now.wall_ms = UINT64_C(1700000000000) + s->now.mono_ms + sim_below(s, 1000000);
    s->has_clock_stepped = true;
    s->clock_offset_ms = (int64_t)(s->now.wall_ms - s->now.mono_ms);
    for (size_t i = 0; i < s->metric_count; i++) {
        sim_exception_shift(s, (int)i);
    }
    sim_exception_cut(s);
    tick(s);
    note_request(s); /* of the session by itself, and data waits for that as for any other */
    for (size_t i = 0; i < s->holder_count; i++) {
        s->holders[i].has_cause = true;
        if (s->level == SPB_DELIVERY_LIVE) { /* what waits goes ahead of the birth, with its own time or with the new */
            s->holders[i].is_flushing = true;
            sim_rules_doubt_owed(s, (unsigned)i);
        }
    }
}

static void flush(sim *s) {
    sim_exception_release_all(s);
    sim_exception_flush(s);
    sim_enter(s);
    uint64_t ticket = spb_session_flush(s->session, s->now);
    sim_leave(s);
    s->way.has_flushed = true;
    sim_flush_begin(s, ticket);
}

static void step_clock(sim *s) {
    if (s->now.wall_ms < SPB_EARLIEST_MS) {
        return;
    }
    uint64_t step_ms = sim_below(s, 2) == 0 ? sim_below(s, 3000) : sim_below(s, 100000000);
    s->has_clock_stepped = true;
    s->now.wall_ms = sim_below(s, 2) == 0 ? s->now.wall_ms + step_ms : s->now.wall_ms - step_ms;
}

const sim_move sim_application_moves[] = {{"update", 120, false, sim_application_update},
                                          {"many updates", 10, false, sim_application_update_much},
                                          {"a flood of updates", 1, false, flood},
                                          {"an update of another datatype", 1, false, update_wrongly},
                                          {"start", 10, false, sim_application_start},
                                          {"stop", 3, false, stop},
                                          {"the application asks for a rebirth", 2, false, ask_for_rebirth},
                                          {"tick", 3, false, tick},
                                          {"the wall clock steps", 3, false, step_clock},
                                          {"the wall clock is set", 2, false, sim_application_set_clock},
                                          {"flush", 4, false, flush},
                                          {0}};

/* ---- a new process ---- */

void sim_application_begin(sim *s) {
    bool is_first = s->holder_count == 0;
    if (is_first) {
        s->holder_count = 1; /* the node */
        s->holders[0].is_online = true;
    }
    sim_process_begin(s);
    if (s->has_failed) {
        return;
    }
    sim_model_define(s);
    if (is_first) {
        sim_model_begin(s);
    }
    if (s->wants_up || sim_below(s, 4) != 0) {
        sim_application_start(s);
    }
}
