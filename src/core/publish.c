/*
 * Decides which message is next and gives it its number: deaths, births, data. Births go ahead of samples that wait: a
 * rebirth request stops data at once (tck-id-operational-behavior-data-commands-rebirth-action-1). The samples follow
 * the births, so none is lost.
 */
#include "core/certificate.h"
#include "core/session.h"

static spb_queue *queue(spb_session *session, spb_queue_kind kind) {
    return &session->queues[kind];
}

/* ---- waiting samples ---- */

/* The open message waits: for the end of its window or of a scan, or for a sample that is in more of a hurry. Without a
 * window it leaves at once, with what joined it by then. */
static bool is_waiting(const spb_session *session, const spb_device *holder) {
    return holder->batch.is_open && (session->options.batch_window_ms > 0 || holder->is_scanning || holder->is_patient);
}

static void set_in(spb_session *session, spb_queue_kind kind, spb_device *holder, bool is_in) {
    if (is_in) {
        spb_queue__push(queue(session, kind), holder);
    } else {
        spb_queue__remove(queue(session, kind), holder);
    }
}

void spb_session__place(spb_session *session, spb_device *holder) {
    const spb_batch *batch = &holder->batch;
    size_t due = batch->count - (is_waiting(session, holder) && batch->count > 0);
    bool is_durable = session->level == SPB_DELIVERY_DURABLE;
    set_in(session, SPB_QUEUE_READY, holder, (is_durable ? batch->tried : due) > 0);
    set_in(session, SPB_QUEUE_TRY, holder, is_durable && due > batch->tried);
    if (due == batch->count) {
        spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
    }
}

void spb_session__close_batch(spb_session *session, spb_device *holder) {
    spb_batch__close(&holder->batch);
    spb_session__place(session, holder);
}

/* In a scan, the message waits for its end all the same. */
void spb_session__end_patience(spb_session *session, spb_device *holder) {
    if (holder->is_scanning) {
        holder->is_patient = false;
    } else {
        spb_session__close_batch(session, holder);
    }
}

void spb_session__hurry(spb_session *session, spb_device *holder) {
    if (session->level == SPB_DELIVERY_DURABLE) {
        spb_session__close_batch(session, holder);
    }
}

/* From now on the open message waits for the end of a window, if there is one. */
static void begin_window(spb_session *session, spb_device *holder, spb_time now) {
    if (holder->batch.is_open && session->options.batch_window_ms > 0 && !holder->is_scanning && !holder->is_patient) {
        holder->window_end_ms = now.mono_ms + session->options.batch_window_ms;
        spb_queue__push(queue(session, SPB_QUEUE_WINDOW), holder);
    }
}

spb_batch_limits spb_session__limits(const spb_session *session, const spb_device *holder) {
    return (spb_batch_limits){.full_bytes = holder->is_scanning ? SIZE_MAX : session->options.batch_max_bytes,
                              .full_samples = holder->is_scanning ? UINT32_MAX : session->options.batch_max_samples,
                              .most_bytes = spb_session__most_metric_bytes(session, holder)};
}

void spb_session__add_sample(spb_session *session, spb_device *holder, uint64_t timestamp_ms, bool is_patient,
                             spb_time now) {
    spb_batch *batch = &holder->batch;
    spb_batch_limits limits = spb_session__limits(session, holder);
    bool is_new = spb_batch__append(batch, &session->scratch, timestamp_ms, &limits);
    bool is_first = is_new || (holder->is_patient && !is_patient); /* that is in a hurry */
    if (is_new) {
        spb_segment *segment = spb_batch__segment(batch, batch->count - 1);
        segment->epoch = spb_flushes__begin(&session->flushes);
        segment->boot = spb_session__boot(session);
        spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
        holder->is_patient = true;
    }
    holder->is_patient = holder->is_patient && is_patient;
    if (is_first) {
        begin_window(session, holder, now);
    }
    if (is_first || !batch->is_open) {
        spb_session__place(session, holder);
    }
}

static spb_device *holder_of(const spb_session *session, spb_device *device) {
    return device ? device : session->table.node;
}

void spb_session_begin_scan(spb_session *session, spb_device *device) {
    spb_device *holder = holder_of(session, device);
    holder->is_scanning = true;
    spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
    spb_session__place(session, holder);
}

void spb_session_end_scan(spb_session *session, spb_device *device, spb_time now) {
    spb_device *holder = holder_of(session, device);
    if (holder->is_scanning) {
        holder->is_scanning = false;
        if (!spb_batch__is_empty(&holder->batch)) {
            begin_window(session, holder, now);
        }
        spb_session__place(session, holder);
    }
}

/* After an overflow has drained: what hosts have not seen of the present values. Without memory, later. */
static void catch_up(spb_session *session, spb_device *holder, spb_time now) {
    holder->has_dropped = false;
    for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        if (!metric->is_behind || !metric->in_birth) {
            continue;
        }
        session->scratch.len = 0;
        size_t max_bytes = SPB_MAX_WAITING_BATCHES * session->options.batch_max_bytes;
        if (spb_batch__size(&holder->batch) > max_bytes ||
            spb_certificate__sample(&session->scratch, metric, &metric->value, metric->timestamp_ms, metric->quality,
                                    NULL) != SPB_OK ||
            !spb_batch__reserve(&holder->batch, session->scratch.len)) {
            holder->has_dropped = true;
            if (spb_batch__is_empty(&holder->batch)) { /* nothing waits that would lead here again */
                spb_session__want_birth(session, holder, now);
            }
            return;
        }
        spb_session__add_sample(session, holder, metric->timestamp_ms, false, now);
        metric->message = holder->batch.begun; /* it may have to go to the journal, too */
        spb_session__note_told(session, metric);
        metric->is_behind = false;
    }
}

/* Its first message has left: where does the holder stand now? Behind the others that have something to say. */
static void requeue(spb_session *session, spb_device *holder, spb_time now) {
    if (holder->flush_count > 0 && --holder->flush_count == 0) {
        spb_queue__remove(queue(session, SPB_QUEUE_FLUSH), holder);
    }
    spb_queue__remove(queue(session, SPB_QUEUE_READY), holder);
    spb_session__place(session, holder);
    spb_session__release_held(session, holder);
    if (spb_batch__is_empty(&holder->batch) && holder->has_dropped) {
        catch_up(session, holder, now);
    }
}

/* ---- data ---- */

/* The first message of the holder's batch, into `topic` and `payload`. */
static spb_status make_data(spb_session *session, const spb_device *holder, spb_bytes metrics, spb_time now) {
    spb_status status = spb_session__begin_data(session, holder, now);
    if (status == SPB_OK && !spb_buffer__append(&session->payload, metrics.data, metrics.len)) {
        status = SPB_ERR_NO_MEMORY;
    }
    return status == SPB_OK ? spb_session__end_data(session) : status;
}

static bool publish_batch(spb_session *session, spb_device *holder, spb_time now, spb_action *out) {
    if (!spb_session__may_leave(session, holder) || spb_session__is_window_full(session)) {
        return false;
    }
    spb_segment segment = *spb_batch__segment(&holder->batch, 0);
    spb_bytes metrics = spb_batch__metrics(&holder->batch, 0);
    spb_status status = make_data(session, holder, metrics, now);
    bool is_sent = status == SPB_OK && spb_session__is_acceptable(session);
    if (is_sent && !spb_session__keep(session, holder, &segment, metrics)) {
        status = SPB_ERR_NO_MEMORY;
    }
    if (status != SPB_OK) {
        return spb_session__give_up(session, spb_device__is_node(holder) ? SPB_KIND_NDATA : SPB_KIND_DDATA, status,
                                    now);
    }
    spb_batch__pop(&holder->batch);
    requeue(session, holder, now);
    if (!is_sent) { /* one sample that is too large, or a message cut for a server that takes more */
        session->stats.samples_dropped_overflow += segment.samples;
        spb_session__lose(session, &segment, now);
        return spb_session__next_publish(session, now, out);
    }
    session->stats.samples_published += segment.samples;
    spb_session__publish_numbered(session, true, now, out);
    return true;
}

/* The device's last samples, then its death. It may have come back meanwhile: then it is born again. */
static bool publish_death_of(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    if (!spb_batch__is_empty(&device->batch)) {
        return publish_batch(session, device, now, out);
    }
    if (!spb_session__publish_device_death(session, device, now, out)) {
        return false;
    }
    if (device->is_removed) {
        spb_session__bury_device(session, device);
    } else {
        spb_session__want_birth(session, device, now);
    }
    return true;
}

/* ---- the choice ---- */

/* The holder whose message is next: those that were closed, then those whose window is over. */
static spb_device *next_holder(const spb_session *session, bool is_over, spb_time now) {
    spb_device *ready = session->queues[SPB_QUEUE_READY].first;
    spb_device *window = session->queues[SPB_QUEUE_WINDOW].first;
    if (!ready && spb_journal__cannot_take(&session->journal)) { /* the journal cannot take it: it leaves as it is */
        ready = session->queues[SPB_QUEUE_TRY].first;
    }
    bool may_wait = session->level == SPB_DELIVERY_DURABLE &&
                    !spb_journal__cannot_take(&session->journal); /* for store.c to close it */
    return !ready && window && !may_wait && (is_over || window->window_end_ms <= now.mono_ms) ? window : ready;
}

static bool next_data(spb_session *session, spb_time now, spb_action *out) {
    spb_device *holder = next_holder(session, false, now);
    return holder && publish_batch(session, holder, now, out);
}

static bool next_birth(spb_session *session, spb_time now, spb_action *out) {
    if (spb_session__awaits_aliases(session)) {
        return false;
    }
    if ((session->wants_birth && session->rebirth_due_ms <= now.mono_ms) || session->node_birth_due_ms <= now.mono_ms) {
        return spb_session__publish_node_birth(session, now, out);
    }
    spb_device *birth = queue(session, SPB_QUEUE_BIRTH)->first;
    return birth && birth->birth_due_ms <= now.mono_ms && spb_session__publish_device_birth(session, birth, now, out);
}

static bool next_online(spb_session *session, spb_time now, spb_action *out) {
    spb_device *flush = queue(session, SPB_QUEUE_FLUSH)->first;
    if (flush) {
        return publish_batch(session, flush, now, out);
    }
    spb_device *death = queue(session, SPB_QUEUE_DEATH)->first;
    if (death) {
        return publish_death_of(session, death, now, out);
    }
    if (next_birth(session, now, out)) {
        return true;
    }
    if (session->state != SPB_SESSION_ONLINE || session->wants_birth) {
        return false; /* tck-id-operational-behavior-data-commands-rebirth-action-1: no data until then */
    }
    return next_data(session, now, out) || spb_session__next_replay(session, now, out);
}

static bool next_birthing(spb_session *session, spb_time now, spb_action *out) {
    if (spb_session__awaits_aliases(session)) {
        return false;
    }
    if (session->phase == SPB_PHASE_UNBORN) {
        return spb_session__publish_node_birth(session, now, out);
    }
    spb_device *device = spb_session__next_to_be_born(session, now);
    if (!device) {
        return false;
    }
    session->next_born = device->next;
    return spb_session__publish_device_birth(session, device, now, out);
}

/* What was published is confirmed before the NDEATH, if the server answers in time: else it goes to the journal. */
static bool awaits_confirmation(spb_session *session) {
    if (session->level == SPB_DELIVERY_LIVE || session->options.confirm != SPB_CONFIRM_FENCE) {
        return false;
    }
    session->fences.is_wanted |= session->fences.messages > 0;
    return session->stats.samples_unconfirmed > 0;
}

/* What waits, if the node is stopped, then the NDEATH, which need not wait for answers. */
static bool next_stopping(spb_session *session, spb_time now, spb_action *out) {
    if (!session->is_death_due) {
        return false;
    }
    if (session->is_leaving) { /* at once; what waits follows the births on the next server */
        return spb_session__publish_node_death(session, now, out);
    }
    spb_device *holder = next_holder(session, true, now);
    if (holder) {
        return spb_fences__in_flight(&session->fences) < session->options.max_in_flight &&
               publish_batch(session, holder, now, out);
    }
    if (queue(session, SPB_QUEUE_TRY)->first || queue(session, SPB_QUEUE_WINDOW)->first) {
        return false; /* the journal is asked first */
    }
    return !awaits_confirmation(session) && spb_session__publish_node_death(session, now, out);
}

bool spb_session__next_publish(spb_session *session, spb_time now, spb_action *out) {
    if (session->state == SPB_SESSION_STOPPING) {
        return next_stopping(session, now, out);
    }
    if (spb_fences__in_flight(&session->fences) >= session->options.max_in_flight) {
        return false;
    }
    return session->state == SPB_SESSION_ONLINE     ? next_online(session, now, out)
           : session->state == SPB_SESSION_BIRTHING ? next_birthing(session, now, out)
                                                    : false;
}

/* ---- when ---- */

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t data_due_ms(const spb_session *session) {
    const spb_device *window = session->queues[SPB_QUEUE_WINDOW].first;
    bool is_failing = spb_journal__cannot_take(&session->journal);
    if (spb_session__is_window_full(session)) {
        return SPB_NEVER; /* until something is confirmed */
    }
    const spb_device *ready = session->queues[SPB_QUEUE_READY].first;
    ready = !ready && is_failing ? session->queues[SPB_QUEUE_TRY].first : ready;
    if (ready) {
        return spb_session__may_leave(session, ready) ? 0 : SPB_NEVER;
    }
    return window && (session->level != SPB_DELIVERY_DURABLE || is_failing) ? window->window_end_ms : SPB_NEVER;
}

/* Last samples of somebody go ahead of all else, and have to wait: for the journal, or for a confirmation. */
static bool is_held_up(const spb_session *session) {
    const spb_device *flush = session->queues[SPB_QUEUE_FLUSH].first;
    const spb_device *first = flush ? flush : session->queues[SPB_QUEUE_DEATH].first;
    return first && !spb_batch__is_empty(&first->batch) &&
           (!spb_session__may_leave(session, first) || spb_session__is_window_full(session));
}

uint64_t spb_session__publish_due_ms(const spb_session *session) {
    /* While the link is full, only the transport's answer helps. */
    if (session->state != SPB_SESSION_ONLINE ||
        spb_fences__in_flight(&session->fences) >= session->options.max_in_flight || is_held_up(session)) {
        return SPB_NEVER;
    }
    const spb_device *birth = session->queues[SPB_QUEUE_BIRTH].first;
    uint64_t at_ms = birth ? earlier(session->node_birth_due_ms, birth->birth_due_ms) : session->node_birth_due_ms;
    if (session->wants_birth) {
        at_ms = earlier(at_ms, session->rebirth_due_ms);
    }
    at_ms = at_ms != SPB_NEVER && spb_session__awaits_aliases(session) ? SPB_NEVER : at_ms;
    if (session->wants_birth) {
        return at_ms;
    }
    uint64_t data_ms = data_due_ms(session);
    at_ms = earlier(at_ms, data_ms);
    return at_ms > 0 ? earlier(at_ms, spb_session__replay_due_ms(session)) : 0;
}
