/* The broker: one session of our client ID, taken over by each new CONNECT; it keeps the will and passes messages on.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define WILL_TOPIC SPB_NAMESPACE "/" SIM_GROUP "/NDEATH/" SIM_NODE

/* The one that has this connection, or NULL. */
static sim_broker *find(sim *s, uint64_t connection) {
    for (unsigned i = 0; i < s->server_count; i++) {
        if (s->brokers[i].connection == connection && connection != 0) {
            return &s->brokers[i];
        }
    }
    return NULL;
}

static void to_host(sim *s, const sim_broker *broker, const char *topic, const uint8_t *payload, size_t len) {
    sim_host *host = &s->hosts[broker - s->brokers], *usual = s->host;
    if (sim_happens(s, SIM_HOST_MISSES)) {
        sim_note(s, "    the host misses %s", topic);
        host->has_missed = true;
        return;
    }
    s->host = host;
    sim_host_hear(s, topic, payload, len);
    s->host = usual;
}

static void clear(sim_broker *broker) {
    free(broker->will);
    *broker = (sim_broker){0};
}

static void drop_session(sim *s, sim_broker *broker, bool with_will) {
    if (broker->connection != 0 && with_will) {
        sim_note(s, "    the broker publishes the will of connection %llu", (unsigned long long)broker->connection);
        to_host(s, broker, WILL_TOPIC, broker->will, broker->will_len);
    }
    clear(broker);
}

void sim_broker_clear(sim *s) {
    for (unsigned i = 0; i < SIM_MAX_SERVERS; i++) {
        clear(&s->brokers[i]);
    }
}

void sim_broker_connect(sim *s, sim_event *event) {
    sim_broker *broker = &s->brokers[event->server];
    /* An old CONNECT may be the later one to arrive. */
    sim_transport_report(s, broker->connection, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, sim_delay_ms(s));
    drop_session(s, broker, true);
    broker->connection = event->connection;
    broker->forms = s->fence_forms[event->server];
    broker->will = event->payload;
    broker->will_len = event->payload_len;
    event->payload = NULL;
    static const uint16_t keep_alives_s[] = {1, 3, 12};
    uint16_t keep_alive_s = sim_happens(s, SIM_KEEP_ALIVE) ? keep_alives_s[sim_below(s, 3)] : 0;
    sim_event *answer = sim_transport_report(s, event->connection, SPB_TRANSPORT_CONNECTED, SPB_OK, event->number);
    if (answer) {
        static const uint32_t limits[] = {0, 120, 400, 2000};
        answer->keep_alive_s = keep_alive_s;
        answer->max_packet_bytes = s->has_packet_limits && !s->is_calm ? limits[sim_below(s, 4)] : 0;
    }
}

void sim_broker_subscribe(sim *s, sim_event *event) {
    sim_broker *broker = find(s, event->connection);
    if (broker) {
        broker->is_subscribed = event->status == SPB_OK;
        sim_transport_report(s, event->connection, SPB_TRANSPORT_SUBSCRIBED, event->status, sim_delay_ms(s));
        sim_primary_greet(s, (unsigned)(broker - s->brokers));
    }
}

void sim_broker_publish(sim *s, sim_event *event) {
    const sim_broker *broker = find(s, event->connection);
    if (broker) {
        sim_way_delivered(s, event);
        to_host(s, broker, event->topic, event->payload, event->payload_len);
    }
}

/* What was published before came by the same way, so it has been read. */
void sim_broker_fence(sim *s, sim_event *event) {
    const sim_broker *broker = find(s, event->connection);
    if (broker && !broker->is_mute && broker->forms & 1u << event->fence) {
        sim_event *answer = sim_transport_report(s, event->connection, SPB_TRANSPORT_FENCED, SPB_OK, sim_delay_ms(s));
        if (answer) {
            answer->fence = event->fence;
        }
    }
}

static void fall_silent(sim *s) {
    sim_broker *broker = &s->brokers[s->link.server];
    broker->is_mute = broker->connection != 0;
}

const sim_move sim_broker_moves[] = {{"the broker answers no fences any more", 1, false, fall_silent}, {0}};

void sim_broker_disconnect(sim *s, sim_event *event) {
    sim_broker *broker = find(s, event->connection);
    if (broker) {
        drop_session(s, broker, false);
    }
}

void sim_broker_end(sim *s, sim_event *event) {
    sim_broker *broker = find(s, event->connection);
    if (broker) {
        drop_session(s, broker, true);
    }
}

void sim_broker_forward(sim *s, const char *topic, const void *payload, size_t len, bool retained) {
    const sim_broker *broker = &s->brokers[s->link.server];
    unsigned copies = sim_happens(s, SIM_DUPLICATE_CALLBACK) ? 2 : 1; /* QoS 1: at least once */
    for (unsigned i = 0; i < copies && broker->connection != 0 && broker->is_subscribed; i++) {
        sim_event *event = sim_transport_report(s, broker->connection, SPB_TRANSPORT_MESSAGE, SPB_OK, sim_delay_ms(s));
        if (event) {
            memcpy(event->topic, topic, strlen(topic) + 1);
            sim_carry(event, payload, len);
            event->retained = retained;
        }
    }
}
