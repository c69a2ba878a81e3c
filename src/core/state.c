/* Decides nothing: what the other files ask about the state of a session. */
#include "core/session.h"

/* A PUBLISH packet of MQTT 5, QoS 0, without properties, around a topic and a payload of no bytes, and what a data
 * message has besides its metrics. */
#define MOST_FRAME_BYTES (1 + 4 + 2 + 1 + 11 /* timestamp */ + 3 /* seq */)

bool spb_session__may_send_data(const spb_session *session) {
    bool is_up = session->state == SPB_SESSION_BIRTHING || session->state == SPB_SESSION_ONLINE;
    return is_up && session->phase == SPB_PHASE_BORN && !session->wants_birth;
}

void spb_session__see_phase(spb_session *session) {
    session->outbox.may_replay = spb_session__may_send_data(session);
}

void spb_session__enter(spb_session *session, spb_session_state state, const char *reason) {
    session->state = state;
    spb_session__see_phase(session);
    spb_notices__state(&session->notices, state, reason);
}

bool spb_session__is_running(const spb_session *session) {
    return session->state != SPB_SESSION_STOPPED;
}

bool spb_session__may_be_born(const spb_session *session) {
    return !session->host.topic || session->host.is_online;
}

bool spb_session__awaits_aliases(const spb_session *session) {
    return session->table.unsaved.count > 0 && !session->outbox.journal.is_failing;
}

uint32_t spb_session__keep_alive_s(const spb_session *session) {
    uint64_t keep_alive_s = (uint64_t)session->options.keep_alive_s * (session->stretch > 0 ? session->stretch : 1);
    return keep_alive_s < UINT16_MAX ? (uint32_t)keep_alive_s : UINT16_MAX;
}

uint64_t spb_session__stamp(const spb_session *session, spb_time now) {
    return session->outbox.is_clock_set ? now.wall_ms : now.mono_ms;
}

size_t spb_session__most_metric_bytes(const spb_session *session, const spb_device *holder) {
    if (session->max_packet_bytes == 0) {
        return 0;
    }
    size_t others = session->topic_bytes + holder->id_len + MOST_FRAME_BYTES;
    return session->max_packet_bytes > others ? session->max_packet_bytes - others : 1;
}
