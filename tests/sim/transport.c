/* The transport: decides what becomes of a packet on its way to the broker, and when and how the session hears of it.
 */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

/* Of a packet without a payload, about. */
#define SMALL_BYTES 16

static const char *const callback_names[] = {"CONNECTED",  "CONNECT_FAILED", "LOST",   "DISCONNECTED",
                                             "SUBSCRIBED", "PUBLISHED",      "FENCED", "MESSAGE"};

static bool is_present(const sim *s, uint32_t link) {
    return link != 0 && link == s->link.number && s->link.is_open;
}

static void end_at_broker(sim *s);
static void end_link(sim *s);

/* ---- what the session hears ---- */

static void end_as_told(sim *s, spb_transport_event_kind kind) {
    if (kind == SPB_TRANSPORT_DISCONNECTED) {
        s->link.is_open = false; /* the broker has, or will have, read why */
    } else if (kind == SPB_TRANSPORT_CONNECT_FAILED || kind == SPB_TRANSPORT_LOST) {
        end_link(s);
    }
}

static void call_back(sim *s, sim_event *event) {
    bool is_of_open_link = is_present(s, event->link);
    if (!is_of_open_link && !event->is_junk && !sim_happens(s, SIM_STALE_CALLBACK)) {
        return;
    }
    if (is_of_open_link) {
        s->link.is_up |= event->callback == SPB_TRANSPORT_CONNECTED;
        end_as_told(s, event->callback);
    }
    sim_note(s, "< %s link %u%s%s", callback_names[event->callback], (unsigned)event->link,
             event->status == SPB_OK ? "" : ", failed", is_of_open_link ? "" : " (stale)");
    spb_transport_event told = {.kind = event->callback,
                                .link = event->link,
                                .status = event->status,
                                .reason = event->status == SPB_OK ? NULL : "simulated",
                                .count = event->number,
                                .topic = spb_str_from(event->topic),
                                .payload = {event->payload, event->payload_len},
                                .qos = 1,
                                .retained = event->retained,
                                .keep_alive_s = event->keep_alive_s,
                                .max_packet_bytes = event->max_packet_bytes,
                                .is_unsent = event->is_unsent,
                                .fence = event->fence};
    spb_session_state before = spb_session_get_state(s->session);
    if (told.is_unsent && before == SPB_SESSION_CONNECTING && s->wire.link == event->link) {
        sim_rules_unsent(s);
    }
    bool was_known = s->wire.link == event->link && before >= SPB_SESSION_SUBSCRIBING && before <= SPB_SESSION_ONLINE;
    sim_enter(s);
    s->way.has_parted |= told.kind == SPB_TRANSPORT_DISCONNECTED && before == SPB_SESSION_STOPPING && is_of_open_link;
    spb_session_on_transport(s->session, &told, s->now);
    bool is_short = sim_leave(s);
    if (is_of_open_link || was_known) {
        sim_rules_event(s, &told, was_known, is_short);
        if (was_known && event->state.kind != SIM_STATE_NONE) {
            sim_rules_state(s, event, before, is_short);
        }
    }
}

static sim_event *report(sim *s, uint32_t link, spb_transport_event_kind kind, spb_status status, uint64_t delay_ms) {
    sim_event *event = sim_later(s, delay_ms, call_back);
    event->link = link;
    event->callback = kind;
    event->status = status;
    event->number = 1;
    event->of_process = true;
    return event;
}

sim_event *sim_transport_report(sim *s, uint64_t connection, spb_transport_event_kind kind, spb_status status,
                                uint64_t delay_ms) {
    sim_link *l = &s->link;
    bool comes_from_broker = kind == SPB_TRANSPORT_CONNECTED || kind == SPB_TRANSPORT_SUBSCRIBED ||
                             kind == SPB_TRANSPORT_FENCED || kind == SPB_TRANSPORT_MESSAGE;
    if (connection == 0 || connection != l->connection || (l->down_cut && comes_from_broker)) {
        return NULL;
    }
    uint64_t at_ms = s->now.mono_ms + delay_ms;
    bool is_fence = kind == SPB_TRANSPORT_FENCED; /* each one is answered once, in order */
    if (is_fence || !sim_happens(s, SIM_REORDERED_CALLBACK)) {
        at_ms = at_ms < l->down_ms ? l->down_ms : at_ms;
        l->down_ms = at_ms;
    }
    if (kind != SPB_TRANSPORT_MESSAGE && !is_fence && sim_happens(s, SIM_DUPLICATE_CALLBACK)) {
        report(s, l->number, kind, status, at_ms - s->now.mono_ms + sim_delay_ms(s));
    }
    return report(s, l->number, kind, status, at_ms - s->now.mono_ms);
}

/* Most transports notice a dead link in the end. The session must not rely on it, unless no fence was answered and time
 * alone confirms: then it has to be told within 2.5 keep-alives of MQTT and 10 s. */
static void notice_death(sim *s, sim_event *event) {
    if (is_present(s, event->link)) {
        report(s, event->link, s->link.is_up ? SPB_TRANSPORT_LOST : SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_CONNECT, 0);
    }
}

static void notice_death_within(sim *s, uint64_t limit_ms) {
    bool must_notice = s->options.confirm == SPB_CONFIRM_WINDOW && !s->wire.is_form_known;
    if (sim_happens(s, SIM_DEATH_UNNOTICED) && !must_notice) {
        return;
    }
    limit_ms = must_notice ? s->options.keep_alive_s * UINT64_C(2500) + 10000 : limit_ms;
    sim_event *event = sim_later(s, sim_draw(s) % (limit_ms + 1), notice_death);
    event->link = s->link.number;
    event->of_process = true;
}

/* ---- the way to the broker ---- */

static uint64_t patience_ms(const sim *s) {
    return s->options.keep_alive_s * UINT64_C(1500);
}

/* When a packet has left the process: after all before it. */
static uint64_t write_out(sim *s) {
    uint64_t delay_ms = sim_happens(s, SIM_SLOW_WRITE) ? sim_below(s, 3000) : sim_below(s, 3);
    uint64_t at_ms = s->now.mono_ms + delay_ms;
    s->link.written_ms = at_ms > s->link.written_ms ? at_ms : s->link.written_ms;
    return s->link.written_ms;
}

/* When the link has carried so much more. It goes out in order, and what has not begun to when the link is closed never
 * does. */
static uint64_t carry(sim *s, uint64_t *written_ms, size_t bytes) {
    sim_link *l = &s->link;
    *written_ms = l->busy_ms > *written_ms ? l->busy_ms : *written_ms;
    l->sent_bytes += bytes;
    l->busy_ms = *written_ms + (s->bytes_per_s > 0 && !s->is_calm ? bytes * 1000 / s->bytes_per_s : 0);
    return l->busy_ms;
}

/* NULL when the packet vanishes. */
static sim_event *send_up(sim *s, uint64_t written_ms, size_t bytes, void (*arrive)(sim *s, sim_event *event)) {
    if (s->link.up_cut) {
        return NULL;
    }
    uint64_t at_ms = carry(s, &written_ms, bytes) + sim_delay_ms(s);
    s->link.up_ms = at_ms > s->link.up_ms ? at_ms : s->link.up_ms;
    sim_event *event = sim_later(s, s->link.up_ms - s->now.mono_ms, arrive);
    event->connection = s->link.connection;
    event->written_ms = written_ms;
    return event;
}

/* The broker sees the end of the connection; if the way is cut, only its own patience tells. */
static void end_at_broker(sim *s) {
    uint64_t delay_ms = s->link.up_cut ? sim_draw(s) % patience_ms(s) : sim_delay_ms(s);
    uint64_t at_ms = s->now.mono_ms + delay_ms;
    at_ms = at_ms > s->link.up_ms ? at_ms : s->link.up_ms;
    sim_later(s, at_ms - s->now.mono_ms, sim_broker_end)->connection = s->link.connection;
}

/* What was not written yet never leaves. */
static void end_link(sim *s) {
    for (size_t i = 0; i < s->event_count; i++) {
        sim_event *event = s->calendar[i];
        event->is_void |= event->connection == s->link.connection && event->written_ms > s->now.mono_ms;
    }
    s->link.is_open = false;
    end_at_broker(s);
}

/* ---- what the session wants ---- */

spb_status sim_transport_connect(sim *s, const spb_transport_connect *request) {
    if (s->link.is_open) {
        sim_fail(s, "links", "CONNECT on link %u while %u is open", request->link, s->link.number);
    }
    if (sim_happens(s, SIM_CALL_REFUSED)) {
        return SPB_ERR_CONNECT;
    }
    unsigned server = 0;
    while (server + 1 < s->server_count && strcmp(request->server, sim_server_names[server]) != 0) {
        server++;
    }
    s->link =
        (sim_link){.number = request->link, .connection = ++s->last_connection, .server = server, .is_open = true};
    s->host = &s->hosts[server];
    uint32_t timeout_ms = request->timeout_ms;
    if (sim_happens(s, SIM_CONNECT_SILENT)) {
        s->link.up_cut = s->link.down_cut = true;
    } else if (sim_happens(s, SIM_CONNECT_TIMES_OUT)) {
        sim_transport_report(s, s->link.connection, SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_TIMEOUT, timeout_ms);
        s->link.down_cut = true; /* the broker may well have taken it in */
    } else if (sim_happens(s, SIM_CONNECT_REFUSED)) {
        sim_event *event =
            sim_transport_report(s, s->link.connection, SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_AUTH, sim_delay_ms(s));
        if (event) { /* half of them did not even come as far as to the broker */
            event->is_unsent = ((s->seed + request->link) * UINT64_C(0x9fb21c651e98df25)) >> 63;
        }
        return SPB_OK;
    }
    sim_event *event = send_up(s, s->now.mono_ms, SMALL_BYTES, sim_broker_connect);
    if (event) {
        sim_carry(event, request->will.payload.data, request->will.payload.len);
        event->server = server;
        bool is_late = sim_happens(s, SIM_CONNECT_LATE);
        event->number = is_late ? timeout_ms - timeout_ms / 8 + sim_below(s, 3000) : (uint32_t)sim_delay_ms(s);
    }
    return SPB_OK;
}

spb_status sim_transport_subscribe(sim *s, uint32_t link) {
    sim_note(s, "> SUBSCRIBE");
    if (!is_present(s, link)) {
        return SPB_ERR_CONNECT;
    }
    if (sim_happens(s, SIM_CALL_REFUSED)) {
        return SPB_ERR_NO_MEMORY;
    }
    bool is_silent = sim_happens(s, SIM_SUBSCRIBE_SILENT);
    sim_event *event = is_silent ? NULL : send_up(s, write_out(s), SMALL_BYTES, sim_broker_subscribe);
    if (event) {
        event->status = sim_happens(s, SIM_SUBSCRIBE_REFUSED) ? SPB_ERR_REFUSED : SPB_OK;
    }
    return SPB_OK;
}

spb_status sim_transport_publish(sim *s, uint32_t link, const spb_transport_message *message) {
    if (!is_present(s, link)) {
        return SPB_ERR_CONNECT;
    }
    if (sim_happens(s, SIM_PUBLISH_REFUSED)) {
        return SPB_ERR_NO_MEMORY;
    }
    uint64_t written_ms = write_out(s);
    size_t bytes = strlen(message->topic) + message->payload.len;
    sim_event *event = s->link.is_stalled ? NULL : send_up(s, written_ms, bytes, sim_broker_publish);
    if (event) {
        snprintf(event->topic, sizeof event->topic, "%s", message->topic);
        sim_carry(event, message->payload.data, message->payload.len);
        sim_way_carry(s, event);
    }
    if (!s->link.is_stalled) {
        sim_transport_report(s, s->link.connection, SPB_TRANSPORT_PUBLISHED, SPB_OK, written_ms - s->now.mono_ms);
    }
    return SPB_OK;
}

spb_status sim_transport_fence(sim *s, uint32_t link, spb_fence_form form) {
    if (!is_present(s, link)) {
        return SPB_ERR_CONNECT;
    }
    if (sim_happens(s, SIM_PUBLISH_REFUSED)) {
        return SPB_ERR_NO_MEMORY;
    }
    sim_event *event = s->link.is_stalled ? NULL : send_up(s, write_out(s), SMALL_BYTES, sim_broker_fence);
    if (event) {
        event->fence = form;
    }
    return SPB_OK;
}

/* A wide one has carried at once what it ever will. */
uint64_t sim_transport_carried(const sim *s, uint32_t link, uint64_t *left) {
    const sim_link *l = &s->link;
    uint64_t left_ms = l->busy_ms > s->now.mono_ms ? l->busy_ms - s->now.mono_ms : 0;
    uint64_t of_time = left_ms * s->bytes_per_s / 1000;
    *left = of_time < l->sent_bytes ? of_time : l->sent_bytes;
    return !is_present(s, link) ? 0 : s->bytes_per_s == 0 ? 1 : 1 + l->sent_bytes - *left;
}

uint64_t sim_transport_carried_ms(const sim *s) {
    const sim_link *l = &s->link;
    return s->bytes_per_s == 0 ? 0 : (l->busy_ms < s->now.mono_ms ? l->busy_ms : s->now.mono_ms) + 1000;
}

void sim_transport_disconnect(sim *s, uint32_t link) {
    if (!is_present(s, link) || s->link.is_stalled) {
        return;
    }
    uint64_t written_ms = write_out(s);
    send_up(s, written_ms, SMALL_BYTES, sim_broker_disconnect);
    sim_transport_report(s, s->link.connection, SPB_TRANSPORT_DISCONNECTED, SPB_OK, written_ms - s->now.mono_ms);
}

void sim_transport_close(sim *s, uint32_t link) {
    if (is_present(s, link)) {
        end_link(s);
    }
}

void sim_transport_die(sim *s) {
    if (s->link.is_open) {
        end_link(s);
    }
}

/* ---- moves ---- */

static void cut(sim *s, bool up, bool down) {
    if (!s->link.is_open) {
        return;
    }
    s->link.up_cut |= up;
    s->link.down_cut |= down;
    s->link.is_stalled |= up && sim_below(s, 2) == 0;
    if (up) {
        end_at_broker(s);
    }
    notice_death_within(s, patience_ms(s) + 1000);
}

static void cut_up(sim *s) {
    cut(s, true, false);
}

static void cut_down(sim *s) {
    cut(s, false, true);
}

static void cut_both(sim *s) {
    cut(s, true, true);
}

void sim_transport_reset(sim *s) {
    if (s->link.is_open) {
        s->link.up_cut = s->link.down_cut = true;
        sim_later(s, sim_delay_ms(s), sim_broker_end)->connection = s->link.connection;
        notice_death_within(s, 50);
    }
}

/* Answers to nothing, and answers of links that are long gone or never were. */
static void confuse(sim *s) {
    static const spb_transport_event_kind kinds[] = {SPB_TRANSPORT_CONNECTED,  SPB_TRANSPORT_CONNECT_FAILED,
                                                     SPB_TRANSPORT_LOST,       SPB_TRANSPORT_DISCONNECTED,
                                                     SPB_TRANSPORT_SUBSCRIBED, SPB_TRANSPORT_PUBLISHED};
    static const uint32_t distances[] = {UINT32_MAX, 1, 3}; /* from the present link */
    bool is_of_other = sim_below(s, 4) != 0;
    uint32_t other = s->link.number + distances[sim_below(s, 3)];
    spb_transport_event_kind kind = kinds[sim_below(s, 6)];
    spb_status status = sim_below(s, 2) == 0 ? SPB_OK : SPB_ERR_REFUSED;
    sim_event *event =
        is_of_other ? report(s, other, kind, status, 0) : report(s, s->link.number, SPB_TRANSPORT_PUBLISHED, status, 0);
    event->is_junk = true;
    event->number = sim_below(s, 4);
}

const sim_move sim_transport_moves[] = {{"the way to the broker is cut", 3, false, cut_up},
                                        {"the way from the broker is cut", 3, false, cut_down},
                                        {"the link is cut", 4, false, cut_both},
                                        {"the connection is reset", 6, false, sim_transport_reset},
                                        {"the transport talks nonsense", 6, false, confuse},
                                        {0}};
