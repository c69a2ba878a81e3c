/* Decides how a message is put together, and whether the server will take it. Which one is next is left to publish.c.
 */
#include <string.h>

#include "codec/topic.h"
#include "core/certificate.h"
#include "core/session.h"

/* What an idle session keeps of a large birth's memory. */
#define KEPT_BYTES ((size_t)512 * 1024)

/* A PUBLISH packet of MQTT 5, QoS 0, without properties; MQTT 3.1.1 servers name no limit. */
size_t spb_session__packet_bytes(size_t topic_bytes, size_t payload_bytes) {
    size_t rest = 2 + topic_bytes + 1 + payload_bytes;
    size_t length_bytes = rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x200000 ? 3 : 4;
    return 1 + length_bytes + rest;
}

void spb_session__log_too_large(spb_session *session, size_t bytes, spb_time now) {
    const char *whose = session->is_limit_own ? "max_message_bytes" : spb_servers__current(&session->servers)->uri;
    spb_notices__log_some(&session->notices, SPB_FLOOD_TOO_LARGE, now.mono_ms,
                          "%.150s: a packet of %zu bytes, but %.80s %s no more than %u",
                          (const char *)session->topic.data, bytes, whose, session->is_limit_own ? "allows" : "takes",
                          (unsigned)session->max_packet_bytes);
}

bool spb_session__is_acceptable(spb_session *session, spb_bytes payload, spb_time now) {
    size_t bytes = spb_session__packet_bytes(strlen((const char *)session->topic.data), payload.len);
    bool fits = session->max_packet_bytes == 0 || bytes <= session->max_packet_bytes;
    if (!fits) {
        spb_session__log_too_large(session, bytes, now);
    }
    return fits;
}

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
    return spb_topic__write(&topic, (char *)session->topic.data, session->topic.capacity, NULL, NULL);
}

size_t spb_session__publish(spb_session *session, spb_bytes payload, spb_action *out) {
    *out = (spb_action){.kind = SPB_ACTION_PUBLISH, .link = session->link};
    out->as.publish.topic = (const char *)session->topic.data;
    out->as.publish.payload = payload;
    session->stats.messages_published++;
    session->stats.bytes_published += payload.len;
    return strlen(out->as.publish.topic) + payload.len;
}

spb_status spb_session__make_death(spb_session *session, spb_time now) {
    spb_status status = spb_session__begin_message(session, SPB_KIND_NDEATH, NULL);
    if (status == SPB_OK) {
        status = spb_certificate__node_death(&session->payload, session->bdseq.number, now.wall_ms, NULL);
    }
    return status;
}
