/*
 * Decides which births are larger than a message may be, and what follows from it. A definition that would lead to one
 * is refused, as far as the options name a limit: what a server says is known too late for that.
 */
#include "core/oversize.h"

#include <string.h>

#include "core/info.h"
#include "core/session.h"

/* ---- what a birth takes ---- */

/* With its alias, which is given later: at most 28 bits. */
#define MOST_ALIAS_BYTES (1 + 4 + 1 /* of the length of all */)
/* What an idle session keeps of the memory for this. */
#define KEPT_BYTES ((size_t)64 * 1024)

static const char *name_of(const spb_device *holder) {
    return spb_kind_name(spb_device__is_node(holder) ? SPB_KIND_NBIRTH : SPB_KIND_DBIRTH);
}

/* NBIRTH is as long as DDATA, DBIRTH has a letter more than that; that of the node ends without a slash. */
static size_t packet_bytes(const spb_session *session, const spb_device *holder, size_t payload_bytes) {
    size_t topic_bytes = session->topic_bytes + (spb_device__is_node(holder) ? 0 : 1 + (size_t)holder->id_len);
    return spb_session__packet_bytes(topic_bytes, payload_bytes);
}

/* As it would be now. */
static spb_status measure(spb_session *session, spb_device *holder, spb_time now) {
    spb_birth_fact facts[SPB_MAX_BIRTH_FACTS];
    size_t count = spb_device__is_node(holder) ? spb_session__birth_facts(session, facts) : 0;
    spb_buffer *scratch = &session->scratch; /* as `payload` may be on its way */
    scratch->len = 0;
    spb_status status = spb_certificate__birth(scratch, holder, facts, count, UINT8_MAX, now.wall_ms);
    holder->birth_bytes = scratch->len;
    if (scratch->capacity > KEPT_BYTES) {
        spb_buffer__clear(scratch);
    }
    return status;
}

/* ---- before there is a connection ---- */

spb_status spb_oversize__check_growth(spb_session *session, spb_device *holder, const char *name, size_t bytes,
                                      spb_time now, spb_error *err) {
    size_t most = session->options.max_message_bytes;
    if (most == 0) {
        return SPB_OK;
    }
    bytes += MOST_ALIAS_BYTES;
    if (holder->birth_bytes == 0 || packet_bytes(session, holder, holder->birth_bytes + bytes) > most) {
        spb_status status = measure(session, holder, now); /* something may have been removed */
        if (status != SPB_OK) {
            return spb_error__set(err, status, "the birth could not be encoded");
        }
    }
    size_t would_be = packet_bytes(session, holder, holder->birth_bytes + bytes);
    if (would_be > most) {
        return spb_error__set(err, SPB_ERR_LIMIT,
                              "with metric %.80s, the %s%s%.80s would be a packet of %zu bytes, but max_message_bytes "
                              "allows no more than %zu",
                              name, name_of(holder), spb_device__is_node(holder) ? "" : " of ", holder->id, would_be,
                              most);
    }
    holder->birth_bytes += bytes;
    return SPB_OK;
}

spb_status spb_session_check_births(spb_session *session, spb_time now, spb_error *err) {
    size_t most = session->options.max_message_bytes;
    for (spb_device *holder = session->table.node; holder && most > 0; holder = holder->next) {
        if (!holder->is_online && !spb_device__is_node(holder)) {
            continue;
        }
        spb_status status = measure(session, holder, now);
        size_t bytes = packet_bytes(session, holder, holder->birth_bytes);
        if (status != SPB_OK) {
            return spb_error__set(err, status, "the birth could not be encoded");
        }
        if (bytes > most) {
            return spb_error__set(err, SPB_ERR_LIMIT,
                                  "the %s%s%.80s is a packet of %zu bytes, but max_message_bytes allows no more than "
                                  "%zu",
                                  name_of(holder), spb_device__is_node(holder) ? "" : " of ", holder->id, bytes, most);
        }
    }
    return SPB_OK;
}

/* ---- in a connection ---- */

/* True when each server of the list has been too narrow. */
static bool note_server(spb_servers *servers) {
    size_t narrow = 0;
    spb_servers__current(servers)->is_too_narrow = true;
    for (size_t i = 0; i < servers->count; i++) {
        narrow += servers->items[i].is_too_narrow;
    }
    return narrow == servers->count;
}

spb_status spb_oversize__check_birth(spb_session *session, const spb_device *holder, spb_time now) {
    size_t bytes = packet_bytes(session, holder, session->payload.len);
    if (session->max_packet_bytes == 0 || bytes <= session->max_packet_bytes) {
        return SPB_OK;
    }
    spb_oversize *oversize = &session->oversize;
    const char *server = spb_servers__current(&session->servers)->uri;
    oversize->of = (spb_birth_too_large){.bytes = bytes,
                                         .max_bytes = session->max_packet_bytes,
                                         .server = session->is_limit_own ? NULL : server,
                                         .is_everywhere = note_server(&session->servers)};
    oversize->is_in_the_way = true;
    oversize->refused_ms = now.mono_ms;
    oversize->device_id.len = 0;
    oversize->is_due = spb_device__is_node(holder) || /* without memory, the log alone will tell */
                       spb_buffer__append(&oversize->device_id, holder->id, holder->id_len + (size_t)1);
    spb_session__log_too_large(session, bytes, now);
    return SPB_ERR_LIMIT;
}

bool spb_oversize__next(spb_session *session, spb_action *out) {
    spb_oversize *oversize = &session->oversize;
    if (!oversize->is_due || !out) {
        return oversize->is_due;
    }
    oversize->is_due = false;
    *out = (spb_action){.kind = SPB_ACTION_BIRTH_TOO_LARGE};
    out->as.birth_too_large = oversize->of;
    out->as.birth_too_large.device_id = oversize->device_id.len > 0 ? (const char *)oversize->device_id.data : NULL;
    return true;
}

/* ---- where nobody names a limit ---- */

/* MQTT 3.1.1 knows no words for it: the server ends the connection, or a network on the way swallows what is large. */
#define LARGE_BYTES 1024
#define BAD_ENDS 2

void spb_oversize__sent(spb_session *session, spb_time now) {
    spb_oversize *oversize = &session->oversize;
    size_t bytes = spb_session__packet_bytes(strlen((const char *)session->topic.data), session->payload.len);
    oversize->sent_bytes = bytes > oversize->sent_bytes ? bytes : oversize->sent_bytes;
    oversize->sent_ms = now.mono_ms;
}

size_t spb_oversize__note_end(spb_session *session) {
    spb_oversize *oversize = &session->oversize;
    size_t bytes = oversize->sent_bytes;
    bool is_bad = bytes > LARGE_BYTES && session->outbox.fences.answered_ms <= oversize->sent_ms;
    oversize->sent_bytes = 0;
    if (bytes == 0 || oversize->is_in_the_way) { /* none has left, or the reason is known */
        return 0;
    }
    oversize->bad_ends = is_bad ? oversize->bad_ends + 1 : 0;
    return oversize->bad_ends == BAD_ENDS ? bytes : 0;
}

void spb_oversize__tell_end(spb_session *session, size_t bytes) {
    if (bytes > 0) {
        spb_notices__log(&session->notices, SPB_LOG_WARNING,
                         "%d connections in a row have ended with births under way, of up to %zu bytes: the server, or "
                         "the network, may take none of that size (option max_message_bytes)",
                         BAD_ENDS, bytes);
    }
}

/* ---- what helps ---- */

void spb_oversize__forget_servers(spb_servers *servers) {
    for (size_t i = 0; i < servers->count; i++) {
        servers->items[i].is_too_narrow = false;
    }
}

void spb_oversize__shrank(spb_session *session, spb_time now) {
    uint64_t soon_ms = now.mono_ms + SPB_BIRTH_WINDOW_MS;
    uint64_t earliest_ms = session->oversize.refused_ms + session->options.reconnect_min_ms * UINT64_C(3) / 4;
    soon_ms = soon_ms > earliest_ms ? soon_ms : earliest_ms; /* no server is called more often than after a failure */
    spb_oversize__forget_servers(&session->servers);
    if (session->oversize.is_in_the_way && session->state == SPB_SESSION_WAITING && soon_ms < session->timer_ms) {
        session->timer_ms = soon_ms;
    }
}
