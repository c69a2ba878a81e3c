/*
 * Decides which message the journal is asked to take next, and what its answer means. The order in which messages come
 * here is left to shelf.c and deliver.c: it is that of the samples of each metric.
 */
#include "codec/reframe.h"
#include "core/session.h"

/* At the level OUTAGE, how long an append may wait for others to share a commit with. */
#define COMMIT_WAIT_MS 100
/* A journal that is full is not asked for room by each message of live data. */
#define FULL_MS 1000

static spb_queue *queue(spb_session *session, spb_queue_kind kind) {
    return &session->queues[kind];
}

bool spb_session__is_asked(const spb_session *session, const spb_device *holder, bool is_held) {
    return session->journal.asked == SPB_CALL_APPEND && session->appending.holder == holder &&
           session->appending.is_held == is_held;
}

typedef struct keep_context {
    const spb_session *session;
    const spb_device *holder; /* NULL: it was removed */
} keep_context;

/* Those that are gone stay: a metric of that name may come back. */
static bool is_to_be_stored(void *context, uint64_t alias, spb_str name) {
    const keep_context *c = context;
    const spb_metric *metric = alias != 0  ? spb_table__find_alias(&c->session->table, alias)
                               : c->holder ? spb_table__find_metric(&c->session->table, c->holder, name)
                                           : NULL;
    return !metric || metric->keep == SPB_KEEP_ALL;
}

/* Appends the metrics to the payload, without those that their definition does not want to be stored. */
static bool copy_metrics(spb_session *session, spb_str device_id, spb_bytes metrics) {
    spb_appending *appending = &session->appending;
    bool is_live = appending->holder && !appending->is_held;
    if (session->has_choices && !is_live) {
        keep_context context = {session, device_id.len > 0 ? spb_table__find_device(&session->table, device_id)
                                                           : session->table.node};
        uint32_t kept, dropped;
        spb_status status = spb_reframe__filter(&session->payload, metrics, is_to_be_stored, &context, &kept, &dropped);
        if (status == SPB_OK) {
            appending->samples = kept;
            appending->unwanted = dropped;
            return true;
        }
    }
    return spb_buffer__append(&session->payload, metrics.data, metrics.len);
}

/* The message that the journal is asked to take; NULL: it is gone, or of the spill. */
static spb_segment *asked_segment(const spb_session *session) {
    const spb_appending *a = &session->appending;
    return !a->holder   ? NULL
           : a->is_held ? spb_batch__segment(&a->holder->held, a->index)
                        : spb_batch__segment(&a->holder->batch, a->holder->batch.tried);
}

/* The message that was asked for is stored as block `id`, or lost. One that was confirmed before is settled. */
static void settle_asked(spb_session *session, bool is_stored, uint64_t id) {
    const spb_segment *segment = asked_segment(session);
    const spb_record *record = session->appending.is_of_spill ? spb_window__at(&session->spill, 0) : NULL;
    uint8_t epoch = segment ? segment->epoch : record ? record->epoch : session->appending.epoch;
    if (record && record->is_settled) {
        return;
    }
    if (is_stored) {
        spb_flushes__store(&session->flushes, epoch, id);
    } else {
        spb_flushes__lose(&session->flushes, epoch);
    }
}

/* All of its samples are unwanted: the message is settled without a block. */
static void leave_out(spb_session *session) {
    const spb_appending *a = &session->appending;
    session->stats.samples_dropped_choice += a->unwanted;
    settle_asked(session, true, 0);
    if (a->is_of_spill) {
        spb_window__pop(&session->spill);
    } else {
        spb_session__pop_held(session, a->holder);
    }
}

/* The message goes out as a block: a copy, as what it is made of may change before it is written. */
static bool ask(spb_session *session, const spb_block *message, spb_time now, spb_action *out) {
    spb_appending *appending = &session->appending;
    session->payload.len = 0;
    if (!spb_buffer__append(&session->payload, message->device_id.data, message->device_id.len) ||
        !copy_metrics(session, message->device_id, message->metrics)) {
        spb_session__store_failed(session, "append", SPB_ERR_NO_MEMORY, NULL, now);
        return false;
    }
    if (appending->samples == 0) {
        leave_out(session);
        return false;
    }
    size_t device_len = message->device_id.len;
    *out = (spb_action){.kind = SPB_ACTION_APPEND};
    out->as.block = *message;
    out->as.block.id = appending->id = session->journal.appended_id + 1;
    out->as.block.samples = appending->samples;
    out->as.block.metrics = (spb_bytes){session->payload.data + device_len, session->payload.len - device_len};
    if (device_len > 0) {
        out->as.block.device_id.data = (const char *)session->payload.data;
    }
    if (appending->unwanted > 0) {
        spb_reframe__span(out->as.block.metrics, &out->as.block.first_ms, &out->as.block.last_ms);
    }
    appending->bytes = out->as.block.metrics.len;
    appending->has_boot = message->boot != 0;
    session->journal.asked = SPB_CALL_APPEND;
    return true;
}

static bool ask_spill(spb_session *session, spb_time now, spb_action *out) {
    const spb_record *record = spb_window__at(&session->spill, 0);
    spb_record_bytes bytes = spb_window__front(&session->spill);
    spb_block message = {.device_id = bytes.device_id,
                         .samples = record->samples,
                         .first_ms = record->first_ms,
                         .last_ms = record->last_ms,
                         .boot = record->boot,
                         .metrics = bytes.metrics};
    session->appending = (spb_appending){.is_of_spill = true, .samples = record->samples};
    return ask(session, &message, now, out);
}

static bool ask_holder(spb_session *session, spb_device *holder, bool is_held, spb_time now, spb_action *out) {
    const spb_batch *batch = is_held ? &holder->held : &holder->batch;
    size_t index = is_held ? 0 : batch->tried;
    const spb_segment *segment = spb_batch__segment(batch, index);
    spb_block message = {.samples = segment->samples,
                         .first_ms = segment->first_ms,
                         .last_ms = segment->last_ms,
                         .boot = segment->boot,
                         .metrics = spb_batch__metrics(batch, index)};
    if (!spb_device__is_node(holder)) {
        message.device_id = spb_device__id_view(holder);
    }
    session->appending = (spb_appending){.holder = holder, .is_held = is_held, .samples = segment->samples};
    return ask(session, &message, now, out);
}

static void close_what_is_due(spb_session *session, spb_time now) {
    for (spb_device *hold; (hold = queue(session, SPB_QUEUE_HOLD)->first) && hold->hold_end_ms <= now.mono_ms;) {
        spb_session__close_held(session, hold);
    }
    while (session->level == SPB_DELIVERY_DURABLE) {
        spb_device *window = queue(session, SPB_QUEUE_WINDOW)->first;
        if (!window || window->window_end_ms > now.mono_ms) {
            break;
        }
        spb_session__close_batch(session, window);
    }
}

static bool ask_next(spb_session *session, spb_time now, spb_action *out, bool *is_done) {
    if (session->spill.count > 0) {
        return ask_spill(session, now, out);
    }
    for (spb_device *held; (held = queue(session, SPB_QUEUE_STORE)->first);) {
        spb_session__skip_stored(session, held);
        if (spb_batch__closed(&held->held) > 0) {
            return ask_holder(session, held, true, now, out);
        }
    }
    spb_device *live = queue(session, SPB_QUEUE_TRY)->first;
    bool is_refused = session->journal.is_full && now.mono_ms < session->journal.full_ms;
    if (live && !is_refused && session->idless == 0) { /* else it would get an id before older ones */
        spb_batch__close(&live->batch);
        return ask_holder(session, live, false, now, out);
    }
    *is_done = true;
    return false;
}

bool spb_session__next_append(spb_session *session, spb_time now, spb_action *out) {
    if (!session->journal.is_used || session->table.unsaved_count > 0) {
        return false;
    }
    close_what_is_due(session, now);
    bool is_done = false;
    while (!is_done && !spb_journal__is_blocked(&session->journal, now.mono_ms)) {
        if (ask_next(session, now, out, &is_done)) {
            return true;
        }
    }
    return false;
}

uint64_t spb_session__append_due_ms(const spb_session *session) {
    if (!session->journal.is_used || session->table.unsaved_count > 0) {
        return SPB_NEVER;
    }
    bool has_live = session->queues[SPB_QUEUE_TRY].first && session->idless == 0 && !session->journal.is_full;
    if (session->spill.count > 0 || session->queues[SPB_QUEUE_STORE].first || has_live) {
        return 0;
    }
    const spb_device *hold = session->queues[SPB_QUEUE_HOLD].first;
    const spb_device *window = session->queues[SPB_QUEUE_WINDOW].first;
    uint64_t at_ms = hold ? hold->hold_end_ms : SPB_NEVER;
    bool is_durable = session->level == SPB_DELIVERY_DURABLE;
    return is_durable && window && window->window_end_ms < at_ms ? window->window_end_ms : at_ms;
}

bool spb_session__may_leave(const spb_session *session, const spb_device *holder) {
    if (session->level != SPB_DELIVERY_DURABLE) {
        return true;
    }
    if (spb_journal__cannot_take(&session->journal)) {
        return holder->batch.tried > 0 || !spb_session__is_asked(session, holder, false);
    }
    const spb_batch *batch = &holder->batch;
    return batch->tried > 0 && spb_batch__segment(batch, 0)->id <= session->journal.committed_id;
}

/* ---- the answer ---- */

static void take_spill(spb_session *session) {
    const spb_appending *a = &session->appending;
    bool is_doubtful = spb_window__at(&session->spill, 0)->is_doubtful;
    session->in_journal += a->samples;
    spb_session__want_replay(session, a->id, a->id, is_doubtful);
    spb_window__pop(&session->spill);
}

static void take_segment(spb_session *session) {
    const spb_appending *a = &session->appending;
    spb_segment *segment = asked_segment(session);
    segment->id = a->id;
    segment->samples = a->samples;
    if (a->is_held) {
        spb_session__skip_stored(session, a->holder);
    } else {
        a->holder->batch.tried++;
        spb_session__place(session, a->holder);
    }
}

/* The block is in the journal. */
static void take(spb_session *session, spb_time now) {
    const spb_appending *a = &session->appending;
    bool is_flush = session->flushes.first < session->flushes.current;
    bool is_urgent = session->level == SPB_DELIVERY_DURABLE || is_flush || session->state == SPB_SESSION_STOPPED;
    spb_journal__appended(&session->journal, a->id, a->bytes, is_urgent ? 0 : COMMIT_WAIT_MS, now.mono_ms);
    session->journal.has_boot_blocks |= a->has_boot;
    session->stats.samples_stored += a->samples;
    session->stats.samples_dropped_choice += a->unwanted;
    settle_asked(session, true, a->id);
    if (a->is_of_spill) {
        take_spill(session);
    } else if (a->holder) {
        take_segment(session);
    } else {
        session->in_journal += a->samples;
        spb_session__want_replay(session, a->id, a->id, false);
    }
}

/* The block is not in the journal, and will not be. */
static void give_away(spb_session *session) {
    const spb_appending *a = &session->appending;
    if (a->holder && !a->is_held) { /* then it goes live as it is */
        a->holder->batch.tried++;
        spb_session__place(session, a->holder);
        return;
    }
    if (a->holder && a->index > 0) { /* asked again when its turn comes */
        return;
    }
    session->stats.samples_dropped_choice += a->unwanted;
    session->stats.samples_dropped_disk += a->samples;
    settle_asked(session, false, 0);
    if (a->is_of_spill) {
        spb_window__pop(&session->spill);
    } else if (a->holder) {
        spb_session__pop_held(session, a->holder);
    }
}

void spb_session_on_appended(spb_session *session, uint64_t id, spb_status status, const char *reason, spb_time now) {
    const spb_appending *a = &session->appending;
    if (session->journal.asked != SPB_CALL_APPEND || a->id != id) {
        return;
    }
    session->journal.asked = SPB_CALL_NONE;
    if (status == SPB_OK) {
        spb_session__store_went_well(session);
        take(session, now);
    } else if (status == SPB_ERR_LIMIT) {
        if (!session->journal.is_full) {
            spb_session__log(session, SPB_LOG_ERROR, "the journal is full: %s", reason ? reason : "no room");
        }
        give_away(session);
    } else {
        if (!a->holder && !a->is_of_spill) {
            give_away(session);
        }
        spb_session__store_failed(session, "append", status, reason, now);
    }
    session->journal.is_full = status == SPB_ERR_LIMIT;
    session->journal.full_ms = now.mono_ms + FULL_MS;
}
