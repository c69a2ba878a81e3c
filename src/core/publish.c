/*
 * Decides which message is next and gives it its number: deaths, births, data. Births go ahead of samples that wait: a
 * rebirth request stops data at once (tck-id-operational-behavior-data-commands-rebirth-action-1). The samples follow
 * the births, so none is lost.
 */
#include <stdio.h>
#include <string.h>

#include "codec/encode.h"
#include "core/certificate.h"
#include "core/session.h"

/* What an idle session keeps of a large birth's memory. */
#define KEPT_BYTES ((size_t)256 * 1024)

static spb_queue *queue(spb_session *session, spb_queue_kind kind) {
    return &session->queues[kind];
}

/* ---- what the server takes ---- */

/* A PUBLISH packet of MQTT 5, QoS 0, without properties; MQTT 3.1.1 servers name no limit. */
static size_t packet_bytes(size_t topic_bytes, size_t payload_bytes) {
    size_t rest = 2 + topic_bytes + 1 + payload_bytes;
    size_t length_bytes = rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x200000 ? 3 : 4;
    return 1 + length_bytes + rest;
}

/* How large the metrics of one data message may be; 0: no limit. */
static size_t most_metric_bytes(const spb_session *session, const spb_device *holder) {
    if (session->max_packet_bytes == 0) {
        return 0;
    }
    size_t topic_bytes = strlen(SPB_NAMESPACE "//DDATA//") + strlen(session->options.group_id) +
                         strlen(session->options.node_id) + holder->id_len;
    size_t others = packet_bytes(topic_bytes, 0) + 3 /* a longer length */ + 11 /* timestamp */ + 3 /* seq */;
    return session->max_packet_bytes > others ? session->max_packet_bytes - others : 1;
}

/* The message in `topic` and `payload` fits what the server takes; else there is a line in the log. */
static bool is_acceptable(spb_session *session) {
    const char *topic = (const char *)session->topic.data;
    size_t bytes = packet_bytes(strlen(topic), session->payload.len);
    bool fits = session->max_packet_bytes == 0 || bytes <= session->max_packet_bytes;
    if (!fits) {
        spb_session__log(session, SPB_LOG_ERROR, "%.150s: a packet of %zu bytes, but %.80s takes no more than %u",
                         topic, bytes, spb_servers__current(&session->servers)->uri,
                         (unsigned)session->max_packet_bytes);
    }
    return fits;
}

/* ---- waiting samples ---- */

void spb_session__add_sample(spb_session *session, spb_device *holder, uint64_t timestamp_ms, spb_time now) {
    spb_batch *batch = &holder->batch;
    spb_batch_limits limits = {.full_bytes = session->options.batch_max_bytes,
                               .most_bytes = most_metric_bytes(session, holder)};
    bool is_new = spb_batch__append(batch, &session->scratch, timestamp_ms, limits);
    bool has_window = batch->is_open && session->options.batch_window_ms > 0;
    if (is_new || !has_window) {
        spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
    }
    if (is_new && has_window) {
        holder->window_end_ms = now.mono_ms + session->options.batch_window_ms;
        spb_queue__push(queue(session, SPB_QUEUE_WINDOW), holder);
    }
    if (batch->count > 1 || !has_window) {
        spb_queue__push(queue(session, SPB_QUEUE_READY), holder);
    }
}

void spb_session__drop_batch(spb_session *session, spb_device *holder) {
    session->stats.samples_dropped_lost += spb_batch__drop(&holder->batch);
    holder->has_dropped = false;
    holder->flush_count = 0;
    spb_queue__remove(queue(session, SPB_QUEUE_FLUSH), holder);
    spb_queue__remove(queue(session, SPB_QUEUE_READY), holder);
    spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
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
            spb_certificate__sample(&session->scratch, metric, &metric->value, metric->timestamp_ms, NULL) != SPB_OK ||
            !spb_batch__reserve(&holder->batch, session->scratch.len)) {
            holder->has_dropped = true;
            if (spb_batch__is_empty(&holder->batch)) { /* nothing waits that would lead here again */
                spb_session__want_birth(session, holder, now);
            }
            return;
        }
        spb_session__add_sample(session, holder, metric->timestamp_ms, now);
        metric->is_behind = false;
    }
}

/* Its first message has left: where does the holder stand now? */
static void requeue(spb_session *session, spb_device *holder, spb_time now) {
    const spb_batch *batch = &holder->batch;
    if (holder->flush_count > 0 && --holder->flush_count == 0) {
        spb_queue__remove(queue(session, SPB_QUEUE_FLUSH), holder);
    }
    spb_queue__remove(queue(session, SPB_QUEUE_READY), holder);
    if (spb_batch__is_empty(batch)) {
        spb_queue__remove(queue(session, SPB_QUEUE_WINDOW), holder);
        if (holder->has_dropped) {
            catch_up(session, holder, now);
        }
    } else if (batch->count > 1 || !holder->links[SPB_QUEUE_WINDOW].is_in) {
        spb_queue__push(queue(session, SPB_QUEUE_READY), holder);
    }
}

/* ---- one message ---- */

/* Forgets the last message, and a large one's memory with it. */
static void begin_payload(spb_session *session) {
    session->payload.len = 0;
    if (session->payload.capacity > KEPT_BYTES) {
        spb_buffer__clear(&session->payload);
    }
}

static spb_status format_topic(spb_session *session, spb_kind kind, const spb_device *device) {
    spb_topic topic = {.kind = kind,
                       .group_id = spb_str_from(session->options.group_id),
                       .node_id = spb_str_from(session->options.node_id)};
    if (device && !spb_device__is_node(device)) {
        topic.device_id = spb_device__id_view(device);
    }
    session->topic.len = 0;
    if (!spb_buffer__reserve(&session->topic, topic.group_id.len + topic.node_id.len + topic.device_id.len + 32)) {
        return SPB_ERR_NO_MEMORY;
    }
    return spb_topic_format(&topic, (char *)session->topic.data, session->topic.capacity, NULL, NULL);
}

/* The message in `payload` becomes the action. */
static void publish(spb_session *session, spb_action *out) {
    *out = (spb_action){.kind = SPB_ACTION_PUBLISH, .link = session->link};
    out->as.publish.topic = (const char *)session->topic.data;
    out->as.publish.payload = (spb_bytes){session->payload.data, session->payload.len};
    session->in_flight++;
    session->stats.messages_published++;
    session->stats.bytes_published += session->payload.len;
}

/* The same for a message that carries the next sequence number. */
static void publish_numbered(spb_session *session, spb_action *out) {
    session->seq = spb_seq__next(session->seq);
    publish(session, out);
}

/* A message that cannot be made must not leave a gap, nor half a birth: this connection is over. */
static bool give_up(spb_session *session, spb_kind kind, spb_status status, spb_time now) {
    char text[80];
    if (status == SPB_ERR_LIMIT) {
        snprintf(text, sizeof text, "%s is larger than the server takes", spb_kind_name(kind));
    } else {
        snprintf(text, sizeof text, "%s could not be encoded (%s)", spb_kind_name(kind), spb_status_name(status));
    }
    spb_session__fail(session, text, now);
    return false;
}

/* ---- births and deaths ---- */

static void mark_born(spb_session *session, spb_device *holder) {
    spb_queue__remove(queue(session, SPB_QUEUE_BIRTH), holder);
    holder->is_born = true;
    holder->sequence = session->sequence;
    for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        metric->in_birth = true;
        metric->is_unsent = false;
        /* Older samples that still wait will take hosts back: then the value is sent once more after them. */
        metric->is_behind = metric->is_behind && holder->has_dropped;
    }
}

static bool publish_node_birth(spb_session *session, spb_time now, spb_action *out) {
    begin_payload(session);
    spb_status status = format_topic(session, SPB_KIND_NBIRTH, NULL);
    if (status == SPB_OK) {
        spb_birth_fact facts[SPB_MAX_BIRTH_FACTS];
        size_t count = spb_session__birth_facts(session, facts);
        status = spb_certificate__node_birth(&session->payload, session->table.node, facts, count, now.wall_ms, NULL);
    }
    if (status == SPB_OK && !is_acceptable(session)) {
        status = SPB_ERR_LIMIT;
    }
    if (status != SPB_OK) {
        return give_up(session, SPB_KIND_NBIRTH, status, now);
    }
    session->seq = 0;
    session->sequence++;
    session->wants_birth = false;
    session->node_birth_due_ms = SPB_NEVER;
    session->last_birth_ms = now.mono_ms;
    session->phase = SPB_PHASE_DBIRTHS;
    session->next_born = session->table.node->next;
    session->stats.births++;
    mark_born(session, session->table.node);
    if (session->state != SPB_SESSION_BIRTHING) {
        spb_session__enter(session, SPB_SESSION_BIRTHING, "rebirth");
    }
    publish_numbered(session, out);
    return true;
}

static bool publish_device_birth(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    begin_payload(session);
    spb_status status = format_topic(session, SPB_KIND_DBIRTH, device);
    if (status == SPB_OK) {
        status = spb_certificate__device_birth(&session->payload, device, session->seq, now.wall_ms, NULL);
    }
    if (status == SPB_OK && !is_acceptable(session)) {
        status = SPB_ERR_LIMIT;
    }
    if (status != SPB_OK) {
        return give_up(session, SPB_KIND_DBIRTH, status, now);
    }
    mark_born(session, device);
    publish_numbered(session, out);
    return true;
}

static bool publish_device_death(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    begin_payload(session);
    spb_status status = format_topic(session, SPB_KIND_DDEATH, device);
    if (status == SPB_OK) {
        status = spb_certificate__device_death(&session->payload, session->seq, now.wall_ms);
    }
    if (status != SPB_OK) {
        return give_up(session, SPB_KIND_DDEATH, status, now);
    }
    spb_queue__remove(queue(session, SPB_QUEUE_DEATH), device);
    device->is_born = false;
    publish_numbered(session, out);
    return true;
}

spb_status spb_session__make_death(spb_session *session, spb_time now) {
    begin_payload(session);
    spb_status status = format_topic(session, SPB_KIND_NDEATH, NULL);
    if (status == SPB_OK) {
        status = spb_certificate__node_death(&session->payload, session->bdseq.number, now.wall_ms, NULL);
    }
    return status;
}

static bool publish_node_death(spb_session *session, spb_time now, spb_action *out) {
    spb_status status = spb_session__make_death(session, now);
    if (status != SPB_OK) {
        return give_up(session, SPB_KIND_NDEATH, status, now);
    }
    session->is_death_due = false;
    publish(session, out);
    return true;
}

void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now) {
    uint64_t due_ms = now.mono_ms + SPB_BIRTH_WINDOW_MS;
    if (!spb_session__is_live(session)) {
        return; /* the births to come will have it */
    }
    if (spb_device__is_node(device)) {
        session->node_birth_due_ms = session->node_birth_due_ms == SPB_NEVER ? due_ms : session->node_birth_due_ms;
    } else if (device->is_online && !device->links[SPB_QUEUE_BIRTH].is_in) {
        device->birth_due_ms = due_ms;
        spb_queue__push(queue(session, SPB_QUEUE_BIRTH), device);
    }
}

/* A device that went offline, if only for a moment, before its DBIRTH of this round: the NBIRTH has ended its old
 * birth, so there is nothing for a DDEATH to end, and nothing that older samples could follow. */
static void settle_death(spb_session *session, spb_device *device) {
    if (device->links[SPB_QUEUE_DEATH].is_in) {
        spb_queue__remove(queue(session, SPB_QUEUE_DEATH), device);
        spb_session__drop_batch(session, device);
        device->is_born = false;
    }
}

/* A device of that ID was removed and is not dead yet: its DDEATH comes first. */
static bool has_dying_namesake(const spb_session *session, const spb_device *device) {
    const spb_device *dying = session->queues[SPB_QUEUE_DEATH].first;
    while (dying && !(dying->is_removed && spb_str_equal(spb_device__id_view(dying), spb_device__id_view(device)))) {
        dying = dying->links[SPB_QUEUE_DEATH].next;
    }
    return dying != NULL;
}

spb_device *spb_session__next_to_be_born(spb_session *session, spb_time now) {
    while (session->next_born) {
        spb_device *device = session->next_born;
        settle_death(session, device);
        bool must_wait = device->is_online && has_dying_namesake(session, device);
        if (device->is_online && !must_wait) {
            break;
        }
        session->next_born = device->next;
        if (must_wait) {
            spb_session__want_birth(session, device, now);
        }
    }
    return session->next_born;
}

/* ---- data ---- */

/* The first message of the holder's batch, into `topic` and `payload`. */
static spb_status make_data(spb_session *session, const spb_device *holder, spb_kind kind, uint32_t *samples,
                            spb_time now) {
    spb_bytes metrics = spb_batch__front(&holder->batch, samples);
    begin_payload(session);
    spb_status status = format_topic(session, kind, holder);
    if (status == SPB_OK) {
        status = spb_encode__timestamp(&session->payload, now.wall_ms);
    }
    if (status == SPB_OK && !spb_buffer__append(&session->payload, metrics.data, metrics.len)) {
        status = SPB_ERR_NO_MEMORY;
    }
    if (status == SPB_OK) {
        status = spb_encode__seq(&session->payload, session->seq);
    }
    return status;
}

static bool publish_batch(spb_session *session, spb_device *holder, spb_time now, spb_action *out) {
    spb_kind kind = spb_device__is_node(holder) ? SPB_KIND_NDATA : SPB_KIND_DDATA;
    uint32_t samples;
    spb_status status = make_data(session, holder, kind, &samples, now);
    if (status != SPB_OK) {
        return give_up(session, kind, status, now);
    }
    bool is_sent = is_acceptable(session);
    spb_batch__pop(&holder->batch);
    requeue(session, holder, now);
    if (!is_sent) { /* one sample that is too large, or a message cut for a server that takes more */
        session->stats.samples_dropped_overflow += samples;
        return spb_session__next_publish(session, now, out);
    }
    session->stats.samples_published += samples;
    publish_numbered(session, out);
    return true;
}

/* The device's last samples, then its death. It may have come back meanwhile: then it is born again. */
static bool publish_death_of(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    if (!spb_batch__is_empty(&device->batch)) {
        return publish_batch(session, device, now, out);
    }
    if (!publish_device_death(session, device, now, out)) {
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

static bool next_online(spb_session *session, spb_time now, spb_action *out) {
    spb_device *flush = queue(session, SPB_QUEUE_FLUSH)->first;
    if (flush) {
        return publish_batch(session, flush, now, out);
    }
    spb_device *death = queue(session, SPB_QUEUE_DEATH)->first;
    if (death) {
        return publish_death_of(session, death, now, out);
    }
    if ((session->wants_birth && session->rebirth_due_ms <= now.mono_ms) || session->node_birth_due_ms <= now.mono_ms) {
        return publish_node_birth(session, now, out);
    }
    spb_device *birth = queue(session, SPB_QUEUE_BIRTH)->first;
    if (birth && birth->birth_due_ms <= now.mono_ms) {
        return publish_device_birth(session, birth, now, out);
    }
    if (session->wants_birth) {
        return false; /* tck-id-operational-behavior-data-commands-rebirth-action-1: no data until then */
    }
    spb_device *ready = queue(session, SPB_QUEUE_READY)->first;
    spb_device *window = queue(session, SPB_QUEUE_WINDOW)->first;
    if (!ready && window && window->window_end_ms <= now.mono_ms) {
        ready = window;
    }
    return ready && publish_batch(session, ready, now, out);
}

static bool next_birthing(spb_session *session, spb_time now, spb_action *out) {
    if (session->phase == SPB_PHASE_UNBORN) {
        return publish_node_birth(session, now, out);
    }
    spb_device *device = spb_session__next_to_be_born(session, now);
    if (!device) {
        return false;
    }
    session->next_born = device->next;
    return publish_device_birth(session, device, now, out);
}

/* What waits, if the node is stopped, then the NDEATH, which need not wait for answers. */
static bool next_stopping(spb_session *session, spb_time now, spb_action *out) {
    if (!session->is_death_due) {
        return false;
    }
    if (session->is_leaving) { /* at once; what waits follows the births on the next server */
        return publish_node_death(session, now, out);
    }
    for (;;) {
        spb_device *ready = queue(session, SPB_QUEUE_READY)->first;
        spb_device *holder = ready ? ready : queue(session, SPB_QUEUE_WINDOW)->first;
        if (!holder) {
            return publish_node_death(session, now, out);
        }
        if (holder->sequence == session->sequence) {
            return session->in_flight < session->options.max_in_flight && publish_batch(session, holder, now, out);
        }
        spb_session__drop_batch(session, holder); /* its DBIRTH of this round is not out */
    }
}

bool spb_session__next_publish(spb_session *session, spb_time now, spb_action *out) {
    if (session->state == SPB_SESSION_STOPPING) {
        return next_stopping(session, now, out);
    }
    if (session->in_flight >= session->options.max_in_flight) {
        return false;
    }
    return session->state == SPB_SESSION_ONLINE     ? next_online(session, now, out)
           : session->state == SPB_SESSION_BIRTHING ? next_birthing(session, now, out)
                                                    : false;
}
