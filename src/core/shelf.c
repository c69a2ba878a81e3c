/*
 * Decides what becomes of samples that nobody follows: with a journal they go there, message by message, in their
 * order; without one they are lost and counted. While there is no birth, each holder has a shelf of its own for them
 * (`held`); what was published in a connection that was lost, and with the next births all that is on the shelves, goes
 * ahead of it (`spill`), so that live data never waits behind.
 */
#include "codec/reframe.h"
#include "core/session.h"

static spb_queue *queue(spb_session *session, spb_queue_kind kind) {
    return &session->queues[kind];
}

/* ---- what is in the journal already ---- */

static void reckon_stored(spb_session *session, const spb_segment *segment) {
    session->in_journal += segment->samples;
    spb_session__want_replay(session, segment->id, segment->id, false);
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
    spb_batch_limits limits = {.full_bytes = session->options.batch_max_bytes,
                               .full_samples = session->options.batch_max_samples};
    bool is_new = spb_batch__append(held, &session->scratch, timestamp_ms, &limits);
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

/* With many holders, open messages alone would fill the memory: the oldest is closed before its time. */
static void make_room(spb_session *session) {
    spb_device *oldest = queue(session, SPB_QUEUE_HOLD)->first;
    if (session->held_bytes > SPB_MAX_HELD_BYTES / 4 && oldest) {
        spb_session__close_held(session, oldest);
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
        make_room(session);
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
    if (spb_session__is_asked(session, holder, false)) {
        session->appending.is_held = true;
        session->appending.index = index;
    }
}

/* What is on the shelf goes behind the batch, which is older; without memory the rest of it is lost. */
static void merge_held_behind(spb_session *session, spb_device *holder) {
    size_t index = holder->batch.count;
    while (!spb_batch__is_empty(&holder->held) && spb_batch__move_front(&holder->batch, &holder->held)) {
    }
    if (spb_session__is_asked(session, holder, true)) {
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
    if (spb_batch__is_empty(batch)) { /* what is on the shelf waited for it */
        spb_session__release_held(session, holder);
        return;
    }
    spb_batch__close(batch);
    size_t before = spb_batch__size(&holder->held);
    if (!spb_batch__is_empty(&holder->held)) {
        merge_held_behind(session, holder);
    }
    follow(session, holder, asked);
    spb_batch__swap(batch, &holder->held);
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

void spb_session__pop_held(spb_session *session, spb_device *holder) {
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
    size_t asked = spb_session__is_asked(session, holder, true) ? session->appending.index : SIZE_MAX;
    spb_batch__close(&holder->held);
    spb_queue__remove(queue(session, SPB_QUEUE_HOLD), holder);
    for (size_t i = 0; !spb_batch__is_empty(&holder->held); i++) {
        const spb_segment *segment = spb_batch__segment(&holder->held, 0);
        if (segment->id != 0) {
            reckon_stored(session, segment);
        } else {
            spill_front(session, holder, i == asked);
        }
        spb_session__pop_held(session, holder);
    }
}

void spb_session__skip_stored(spb_session *session, spb_device *holder) {
    while (spb_batch__closed(&holder->held) > 0 && spb_batch__segment(&holder->held, 0)->id != 0) {
        reckon_stored(session, spb_batch__segment(&holder->held, 0));
        spb_session__pop_held(session, holder);
    }
}

void spb_session__spill_held(spb_session *session) {
    while (queue(session, SPB_QUEUE_STORE)->first) {
        spill_holder(session, queue(session, SPB_QUEUE_STORE)->first);
    }
}

static void pass_on(spb_session *session, spb_device *holder) {
    size_t asked = spb_session__is_asked(session, holder, true) ? session->appending.index : SIZE_MAX;
    for (size_t i = 0; spb_batch__closed(&holder->held) > 0; i++) {
        const spb_segment *segment = spb_batch__segment(&holder->held, 0);
        if (i == asked) {
            spill_front(session, holder, true);
        } else {
            send_on(session, holder, segment, spb_batch__metrics(&holder->held, 0));
        }
        spb_session__pop_held(session, holder);
    }
}

typedef struct behind_context {
    const spb_session *session;
    const spb_device *holder;
    uint32_t message;
    bool found;
} behind_context;

static bool note_behind(void *context, uint64_t alias, spb_str name) {
    behind_context *c = context;
    spb_metric *metric = alias != 0 ? spb_table__find_alias(&c->session->table, alias)
                                    : spb_table__find_metric(&c->session->table, c->holder, name);
    if (metric && metric->message == c->message) {
        metric->is_behind = c->found = true;
    }
    return false;
}

/* What hosts get later, as historical data, may be the newest that there is of a metric: then that is sent once more.
 */
static void mark_behind(spb_session *session, spb_device *holder) {
    behind_context context = {session, holder, spb_batch__segment(&holder->batch, 0)->number, false};
    spb_buffer nothing = {0};
    uint32_t kept, dropped;
    spb_reframe__filter(&nothing, spb_batch__metrics(&holder->batch, 0), note_behind, &context, &kept, &dropped);
    holder->has_dropped |= context.found;
}

bool spb_session__store_oldest(spb_session *session, spb_device *holder) {
    spb_batch *batch = &holder->batch;
    bool is_possible = session->journal.is_used && !session->journal.is_failing && !spb_batch__is_empty(batch) &&
                       !spb_session__is_asked(session, holder, false) &&
                       spb_window__size(&session->window) < SPB_MAX_HELD_BYTES;
    if (!is_possible) {
        return false;
    }
    if (spb_batch__closed(batch) == 0) {
        spb_session__close_batch(session, holder);
    }
    mark_behind(session, holder);
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
    if (spb_session__is_asked(session, holder, true) || spb_session__is_asked(session, holder, false)) {
        session->appending.holder = NULL;
    }
}
