/*
 * Decides what becomes of samples that nobody follows: with a journal they go there, message by message, in their
 * order; without one they are lost and counted. While there is no birth, each holder has a shelf of its own for them
 * (`held`); what was published in a connection that was lost, and with the next births all that is on the shelves, goes
 * ahead of it (`spill`), so that live data never waits behind.
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

/* ---- what is in the journal already ---- */

static void reckon_stored(spb_session *session, const spb_segment *segment) {
    session->in_journal += segment->samples;
    spb_session__want_replay(session, segment->id, segment->id, false);
}

static bool is_asked(const spb_session *session, const spb_device *holder, bool is_held) {
    return session->journal.asked == SPB_CALL_APPEND && session->appending.holder == holder &&
           session->appending.is_held == is_held;
}

/* ---- onto the shelf ---- */

static uint32_t hold_window_ms(const spb_session *session) {
    const spb_session_options *o = &session->options;
    bool is_durable = session->level == SPB_DELIVERY_DURABLE; /* which promises what it promises online, too */
    return is_durable && o->batch_window_ms < o->store_window_ms ? o->batch_window_ms : o->store_window_ms;
}

static void pass_on(spb_session *session, spb_device *holder);

/* What is closed goes to the journal from here; or, in a connection, behind what was published before, and what waits
 * to be. */
static void place_held(spb_session *session, spb_device *holder) {
    bool is_connected = session->phase != SPB_PHASE_UNBORN;
    if (is_connected && spb_batch__is_empty(&holder->batch)) {
        pass_on(session, holder);
    } else if (!is_connected && spb_batch__closed(&holder->held) > 0) {
        spb_queue__push(queue(session, SPB_QUEUE_STORE), holder);
    }
    if (!holder->held.is_open || spb_batch__is_empty(&holder->held)) {
        spb_queue__remove(queue(session, SPB_QUEUE_HOLD), holder);
    }
}

void spb_session__close_held(spb_session *session, spb_device *holder) {
    if (!spb_batch__is_empty(&holder->held)) {
        spb_batch__close(&holder->held);
        place_held(session, holder);
    }
}

void spb_session__settle_held(spb_session *session, spb_device *holder) {
    spb_batch__close(&holder->held);
    spb_queue__remove(queue(session, SPB_QUEUE_HOLD), holder);
    pass_on(session, holder);
}

void spb_session__release_held(spb_session *session, spb_device *holder) {
    if (spb_batch__is_empty(&holder->batch) && spb_batch__closed(&holder->held) > 0) {
        place_held(session, holder);
    }
}

static bool is_shelf_full(const spb_session *session, const spb_device *holder, size_t more) {
    size_t most_bytes = SPB_MAX_WAITING_BATCHES * session->options.batch_max_bytes;
    bool is_full = spb_batch__size(&holder->held) + more > most_bytes && !spb_batch__is_empty(&holder->held);
    return is_full || session->held_bytes + more > SPB_MAX_HELD_BYTES;
}

static void append_held(spb_session *session, spb_device *holder, uint64_t timestamp_ms, spb_time now) {
    spb_batch *held = &holder->held;
    spb_batch_limits limits = {.full_bytes = session->options.batch_max_bytes};
    bool is_new = spb_batch__append(held, &session->scratch, timestamp_ms, limits);
    session->held_bytes += session->scratch.len;
    if (is_new) {
        spb_segment *segment = spb_batch__segment(held, held->count - 1);
        segment->epoch = spb_flushes__begin(&session->flushes);
        segment->boot = spb_session__boot(session);
        spb_queue__remove(queue(session, SPB_QUEUE_HOLD), holder);
        holder->hold_end_ms = now.mono_ms + hold_window_ms(session);
        spb_queue__push(queue(session, SPB_QUEUE_HOLD), holder);
    }
    if (spb_batch__closed(held) > 0) {
        place_held(session, holder);
    }
}

spb_status spb_session__hold(spb_session *session, spb_metric *metric, const spb_value *value, uint64_t timestamp_ms,
                             spb_time now) {
    spb_device *holder = metric->holder;
    bool is_full = is_shelf_full(session, holder, session->scratch.len);
    if (!is_full && !spb_batch__reserve(&holder->held, session->scratch.len)) {
        return SPB_ERR_NO_MEMORY;
    }
    spb_status status = spb_metric__set(metric, value, timestamp_ms, NULL);
    if (status != SPB_OK) {
        return status;
    }
    if (is_full) { /* the next birth has the value; the sample is gone */
        session->stats.samples_dropped_disk++;
    } else {
        append_held(session, holder, timestamp_ms, now);
    }
    return SPB_OK;
}

/* ---- from live to the shelf ---- */

static void leave_queues(spb_session *session, spb_device *holder) {
    holder->has_dropped = false;
    holder->flush_count = 0;
    spb_queue__remove(queue(session, SPB_QUEUE_FLUSH), holder);
    spb_queue__remove(queue(session, SPB_QUEUE_READY), holder);
    spb_queue__remove(queue(session, SPB_QUEUE_TRY), holder);
    spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
}

/* Lost for good: into the counter. */
static void drop(spb_session *session, spb_batch *batch, uint64_t *counter) {
    for (size_t i = 0; i < batch->count; i++) {
        spb_flushes__lose(&session->flushes, spb_batch__segment(batch, i)->epoch);
    }
    *counter += spb_batch__drop(batch);
}

/* An APPEND of the batch may be under way: it is found again at its new place. */
static void follow(spb_session *session, const spb_device *holder, size_t index) {
    if (is_asked(session, holder, false)) {
        session->appending.is_held = true;
        session->appending.index = index;
    }
}

/* What is on the shelf goes behind the batch, which is older; without memory the rest of it is lost. */
static void merge_held_behind(spb_session *session, spb_device *holder) {
    size_t index = holder->batch.count;
    while (!spb_batch__is_empty(&holder->held) && spb_batch__move_front(&holder->batch, &holder->held)) {
    }
    if (is_asked(session, holder, true)) {
        session->appending.index += index;
        session->appending.holder = session->appending.index < holder->batch.count ? holder : NULL;
    }
    drop(session, &holder->held, &session->stats.samples_dropped_disk);
}

static void move_to_held(spb_session *session, spb_device *holder) {
    spb_batch *batch = &holder->batch;
    while (batch->tried > 0 && spb_batch__segment(batch, 0)->id != 0) {
        reckon_stored(session, spb_batch__segment(batch, 0));
        spb_batch__pop(batch);
    }
    size_t asked = batch->tried; /* the index of the one that the journal is asked to take, if there is one */
    batch->tried = 0;
    if (spb_batch__is_empty(batch)) {
        return;
    }
    spb_batch__close(batch);
    size_t before = spb_batch__size(&holder->held);
    if (!spb_batch__is_empty(&holder->held)) {
        merge_held_behind(session, holder);
    }
    follow(session, holder, asked);
    spb_batch empty = holder->held;
    holder->held = *batch;
    *batch = empty;
    session->held_bytes += spb_batch__size(&holder->held) - before;
    spb_session__close_held(session, holder);
}

void spb_session__shelve(spb_session *session, spb_device *holder) {
    leave_queues(session, holder);
    if (session->journal.is_used) {
        move_to_held(session, holder);
    } else {
        drop(session, &holder->batch, &session->stats.samples_dropped_lost);
    }
}

/* ---- from the shelf to the spill ---- */

static bool push_spill(spb_session *session, const spb_record *record, const void *device_id, const void *metrics) {
    return spb_window__size(&session->spill) <= SPB_MAX_HELD_BYTES &&
           spb_window__push(&session->spill, record, device_id, metrics);
}

void spb_session__spill(spb_session *session, const spb_record *record, spb_record_bytes bytes, bool is_doubtful) {
    spb_record added = *record;
    added.is_doubtful = is_doubtful;
    if (!push_spill(session, &added, bytes.device_id.data, bytes.metrics.data)) {
        session->stats.samples_dropped_disk += record->samples;
        if (!record->is_settled) {
            spb_flushes__lose(&session->flushes, record->epoch);
        }
    }
}

void spb_session__spill_kept(spb_session *session, const spb_record *record, spb_record_bytes bytes) {
    spb_record kept = *record;
    kept.is_kept = true;
    push_spill(session, &kept, bytes.device_id.data, bytes.metrics.data); /* it has arrived, so nothing is lost */
}

void spb_session__reopen_spill(spb_session *session) {
    for (size_t i = 0; i < session->spill.count; i++) {
        spb_record *record = spb_window__at(&session->spill, i);
        session->reopened += record->is_kept ? record->samples : 0;
        record->is_doubtful |= record->is_kept;
        record->is_kept = false;
    }
}

static void pop_held(spb_session *session, spb_device *holder) {
    size_t size = spb_batch__size(&holder->held);
    spb_batch__pop(&holder->held);
    session->held_bytes -= size - spb_batch__size(&holder->held);
    if (spb_batch__closed(&holder->held) == 0) {
        spb_queue__remove(queue(session, SPB_QUEUE_STORE), holder);
    }
}

/* A message that was never published joins the spill, or is lost. */
static void spill_segment(spb_session *session, const spb_device *holder, const spb_segment *segment,
                          spb_bytes metrics) {
    spb_record record = {.first_ms = segment->first_ms,
                         .last_ms = segment->last_ms,
                         .boot = segment->boot,
                         .samples = segment->samples,
                         .device_len = holder->id_len,
                         .len = (uint32_t)metrics.len,
                         .epoch = segment->epoch};
    spb_record_bytes bytes = {.device_id = spb_device__id_view(holder), .metrics = metrics};
    spb_session__spill(session, &record, bytes, false);
}

/* It goes to the journal behind what was published before it. */
static void send_on(spb_session *session, const spb_device *holder, const spb_segment *segment, spb_bytes metrics) {
    if (spb_session__has_unconfirmed(session)) {
        if (!spb_session__keep_waiting(session, holder, segment, metrics)) {
            session->stats.samples_dropped_disk += segment->id == 0 ? segment->samples : 0;
            if (segment->id != 0) {
                reckon_stored(session, segment);
            } else {
                spb_flushes__lose(&session->flushes, segment->epoch);
            }
        }
    } else if (segment->id != 0) {
        reckon_stored(session, segment);
    } else {
        spill_segment(session, holder, segment, metrics);
    }
}

/* The oldest message of the shelf joins the spill, or is lost. */
static void spill_front(spb_session *session, spb_device *holder, bool is_asked_for) {
    const spb_segment *segment = spb_batch__segment(&holder->held, 0);
    size_t before = session->spill.count;
    if (is_asked_for && before > 0) {
        session->appending.holder = NULL; /* the block is all that is left of it */
        session->appending.epoch = segment->epoch;
        return;
    }
    spill_segment(session, holder, segment, spb_batch__metrics(&holder->held, 0));
    if (is_asked_for) {
        session->appending.holder = NULL;
        session->appending.is_of_spill = session->spill.count > before;
        session->appending.epoch = segment->epoch;
    }
}

static void spill_holder(spb_session *session, spb_device *holder) {
    size_t asked = is_asked(session, holder, true) ? session->appending.index : SIZE_MAX;
    spb_batch__close(&holder->held);
    spb_queue__remove(queue(session, SPB_QUEUE_HOLD), holder);
    for (size_t i = 0; !spb_batch__is_empty(&holder->held); i++) {
        const spb_segment *segment = spb_batch__segment(&holder->held, 0);
        if (segment->id != 0) {
            reckon_stored(session, segment);
        } else {
            spill_front(session, holder, i == asked);
        }
        pop_held(session, holder);
    }
}

void spb_session__spill_held(spb_session *session) {
    while (queue(session, SPB_QUEUE_STORE)->first) {
        spill_holder(session, queue(session, SPB_QUEUE_STORE)->first);
    }
}

static void pass_on(spb_session *session, spb_device *holder) {
    size_t asked = is_asked(session, holder, true) ? session->appending.index : SIZE_MAX;
    for (size_t i = 0; spb_batch__closed(&holder->held) > 0; i++) {
        const spb_segment *segment = spb_batch__segment(&holder->held, 0);
        if (i == asked) {
            spill_front(session, holder, true);
        } else {
            send_on(session, holder, segment, spb_batch__metrics(&holder->held, 0));
        }
        pop_held(session, holder);
    }
}

bool spb_session__store_oldest(spb_session *session, spb_device *holder) {
    spb_batch *batch = &holder->batch;
    bool is_possible = session->journal.is_used && !session->journal.is_failing && spb_batch__closed(batch) > 0 &&
                       !is_asked(session, holder, false) && spb_window__size(&session->window) < SPB_MAX_HELD_BYTES;
    if (!is_possible) {
        return false;
    }
    send_on(session, holder, spb_batch__segment(batch, 0), spb_batch__metrics(batch, 0));
    spb_batch__pop(batch);
    if (holder->flush_count > 0 && --holder->flush_count == 0) {
        spb_queue__remove(queue(session, SPB_QUEUE_FLUSH), holder);
    }
    spb_session__place(session, holder);
    spb_session__release_held(session, holder);
    return true;
}

void spb_session__abandon(spb_session *session, spb_device *holder) {
    spb_session__shelve(session, holder);
    spill_holder(session, holder); /* a device of that ID may come back */
    if (is_asked(session, holder, true) || is_asked(session, holder, false)) {
        session->appending.holder = NULL;
    }
}

/* ---- to the journal ---- */

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

static uint8_t asked_epoch(const spb_session *session) {
    const spb_segment *segment = asked_segment(session);
    return segment                          ? segment->epoch
           : session->appending.is_of_spill ? spb_window__at(&session->spill, 0)->epoch
                                            : session->appending.epoch;
}

/* Its samples count as confirmed already. */
static bool is_kept(const spb_session *session) {
    return session->appending.is_of_spill && spb_window__at(&session->spill, 0)->is_kept;
}

/* All of its samples are unwanted: the message is settled without a block. */
static void leave_out(spb_session *session) {
    const spb_appending *a = &session->appending;
    if (!is_kept(session)) {
        session->stats.samples_dropped_choice += a->unwanted;
        spb_flushes__store(&session->flushes, asked_epoch(session), 0);
    }
    if (a->is_of_spill) {
        spb_window__pop(&session->spill);
    } else {
        pop_held(session, a->holder);
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

/* What stands at the front of a shelf and is in the journal already. */
static void skip_stored(spb_session *session, spb_device *holder) {
    while (spb_batch__closed(&holder->held) > 0 && spb_batch__segment(&holder->held, 0)->id != 0) {
        reckon_stored(session, spb_batch__segment(&holder->held, 0));
        pop_held(session, holder);
    }
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
        skip_stored(session, held);
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
        return holder->batch.tried > 0 || !is_asked(session, holder, false);
    }
    const spb_batch *batch = &holder->batch;
    return batch->tried > 0 && spb_batch__segment(batch, 0)->id <= session->journal.committed_id;
}

/* ---- the answer ---- */

static void take_spill(spb_session *session, spb_time now) {
    const spb_appending *a = &session->appending;
    const spb_record *front = spb_window__at(&session->spill, 0);
    if (front->is_kept) {
        spb_session__remember_for_host(session, (spb_range){a->id, a->id}, a->samples, front->at_ms, now);
    } else {
        session->in_journal += a->samples;
        spb_session__want_replay(session, a->id, a->id, front->is_doubtful);
    }
    spb_window__pop(&session->spill);
}

static void take_segment(spb_session *session) {
    const spb_appending *a = &session->appending;
    spb_segment *segment = asked_segment(session);
    segment->id = a->id;
    segment->samples = a->samples;
    if (a->is_held) {
        skip_stored(session, a->holder);
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
    if (!is_kept(session)) {
        session->stats.samples_dropped_choice += a->unwanted;
        spb_flushes__store(&session->flushes, asked_epoch(session), a->id);
    }
    if (a->is_of_spill) {
        take_spill(session, now);
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
    if (!is_kept(session)) {
        session->stats.samples_dropped_choice += a->unwanted;
        session->stats.samples_dropped_disk += a->samples;
        spb_flushes__lose(&session->flushes, asked_epoch(session));
    }
    if (a->is_of_spill) {
        spb_window__pop(&session->spill);
    } else if (a->holder) {
        pop_held(session, a->holder);
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
