/* Decides how a message is put together, and whether the server will take it. Which one is next is left to publish.c
 * and replay.c. */
#include <stdio.h>
#include <string.h>

#include "codec/encode.h"
#include "core/certificate.h"
#include "core/session.h"

/* What an idle session keeps of a large birth's memory. */
#define KEPT_BYTES ((size_t)512 * 1024)

/* ---- what the server takes ---- */

/* A PUBLISH packet of MQTT 5, QoS 0, without properties; MQTT 3.1.1 servers name no limit. */
static size_t packet_bytes(size_t topic_bytes, size_t payload_bytes) {
    size_t rest = 2 + topic_bytes + 1 + payload_bytes;
    size_t length_bytes = rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x200000 ? 3 : 4;
    return 1 + length_bytes + rest;
}

size_t spb_session__most_metric_bytes(const spb_session *session, const spb_device *holder) {
    if (session->max_packet_bytes == 0) {
        return 0;
    }
    size_t others = packet_bytes(session->topic_bytes + holder->id_len, 0) + 3 /* a longer length */ +
                    11 /* timestamp */ + 3 /* seq */;
    return session->max_packet_bytes > others ? session->max_packet_bytes - others : 1;
}

bool spb_session__is_acceptable(spb_session *session) {
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

/* ---- one message ---- */

spb_status spb_session__begin_message(spb_session *session, spb_kind kind, const spb_device *holder) {
    spb_topic topic = {.kind = kind,
                       .group_id = spb_str_from(session->options.group_id),
                       .node_id = spb_str_from(session->options.node_id)};
    if (holder && !spb_device__is_node(holder)) {
        topic.device_id = spb_device__id_view(holder);
    }
    session->payload.len = 0; /* forgets the last message, and a large one's memory with it */
    if (session->payload.capacity > KEPT_BYTES) {
        spb_buffer__clear(&session->payload);
    }
    session->topic.len = 0;
    if (!spb_buffer__reserve(&session->topic, topic.group_id.len + topic.node_id.len + topic.device_id.len + 32)) {
        return SPB_ERR_NO_MEMORY;
    }
    return spb_topic_format(&topic, (char *)session->topic.data, session->topic.capacity, NULL, NULL);
}

spb_status spb_session__begin_data(spb_session *session, const spb_device *holder, spb_time now) {
    spb_kind kind = spb_device__is_node(holder) ? SPB_KIND_NDATA : SPB_KIND_DDATA;
    spb_status status = spb_session__begin_message(session, kind, holder);
    return status == SPB_OK ? spb_encode__timestamp(&session->payload, now.wall_ms) : status;
}

spb_status spb_session__end_data(spb_session *session) {
    return spb_encode__seq(&session->payload, session->seq);
}

static void publish(spb_session *session, bool counts, spb_time now, spb_action *out) {
    *out = (spb_action){.kind = SPB_ACTION_PUBLISH, .link = session->link};
    out->as.publish.topic = (const char *)session->topic.data;
    out->as.publish.payload = (spb_bytes){session->payload.data, session->payload.len};
    session->stats.messages_published++;
    session->stats.bytes_published += session->payload.len;
    spb_fences__publish(&session->fences, counts, strlen(out->as.publish.topic) + session->payload.len, now.mono_ms);
}

void spb_session__publish_numbered(spb_session *session, bool counts, spb_time now, spb_action *out) {
    session->seq = spb_seq__next(session->seq);
    publish(session, counts, now, out);
}

void spb_session__publish_unnumbered(spb_session *session, spb_time now, spb_action *out) {
    publish(session, false, now, out);
}

bool spb_session__give_up(spb_session *session, spb_kind kind, spb_status status, spb_time now) {
    char text[80];
    if (status == SPB_ERR_LIMIT) {
        snprintf(text, sizeof text, "%s is larger than the server takes", spb_kind_name(kind));
    } else {
        snprintf(text, sizeof text, "%s could not be encoded (%s)", spb_kind_name(kind), spb_status_name(status));
    }
    spb_session__fail(session, text, now);
    return false;
}

spb_status spb_session__make_death(spb_session *session, spb_time now) {
    spb_status status = spb_session__begin_message(session, SPB_KIND_NDEATH, NULL);
    if (status == SPB_OK) {
        status = spb_certificate__node_death(&session->payload, session->bdseq.number, now.wall_ms, NULL);
    }
    return status;
}
