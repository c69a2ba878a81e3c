/* The broker: one session of our client ID, taken over by each new CONNECT; it keeps the will and passes messages on.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define WILL_TOPIC SPB_NAMESPACE "/" SIM_GROUP "/NDEATH/" SIM_NODE

static void to_host(sim *s, const char *topic, const uint8_t *payload, size_t len) {
    if (sim_happens(s, SIM_HOST_MISSES)) {
        sim_note(s, "    the host misses %s", topic);
        s->host.has_missed = true;
        return;
    }
    sim_host_hear(s, topic, payload, len);
}

static void drop_session(sim *s, bool with_will) {
    if (s->broker.connection != 0 && with_will) {
        sim_note(s, "    the broker publishes the will of connection %llu", (unsigned long long)s->broker.connection);
        to_host(s, WILL_TOPIC, s->broker.will, s->broker.will_len);
    }
    sim_broker_clear(s);
}

void sim_broker_clear(sim *s) {
    free(s->broker.will);
    s->broker = (sim_broker){0};
}

void sim_broker_connect(sim *s, sim_event *event) {
    /* An old CONNECT may be the later one to arrive. */
    sim_transport_report(s, s->broker.connection, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, sim_delay_ms(s));
    drop_session(s, true);
    s->broker.connection = event->connection;
    s->broker.will = event->payload;
    s->broker.will_len = event->payload_len;
    event->payload = NULL;
    static const uint16_t keep_alives_s[] = {1, 3, 12};
    uint16_t keep_alive_s = sim_happens(s, SIM_KEEP_ALIVE) ? keep_alives_s[sim_below(s, 3)] : 0;
    sim_event *answer = sim_transport_report(s, event->connection, SPB_TRANSPORT_CONNECTED, SPB_OK, event->number);
    if (answer) {
        answer->keep_alive_s = keep_alive_s;
    }
}

void sim_broker_subscribe(sim *s, sim_event *event) {
    if (event->connection == s->broker.connection) {
        s->broker.is_subscribed = event->status == SPB_OK;
        sim_transport_report(s, event->connection, SPB_TRANSPORT_SUBSCRIBED, event->status, sim_delay_ms(s));
    }
}

void sim_broker_publish(sim *s, sim_event *event) {
    if (event->connection == s->broker.connection) {
        to_host(s, event->topic, event->payload, event->payload_len);
    }
}

/* What was published before came by the same way, so it has been read. */
void sim_broker_fence(sim *s, sim_event *event) {
    if (event->connection == s->broker.connection) {
        sim_transport_report(s, event->connection, SPB_TRANSPORT_FENCED, SPB_OK, sim_delay_ms(s));
    }
}

void sim_broker_disconnect(sim *s, sim_event *event) {
    if (event->connection == s->broker.connection) {
        drop_session(s, false);
    }
}

void sim_broker_end(sim *s, sim_event *event) {
    if (event->connection == s->broker.connection) {
        drop_session(s, true);
    }
}

void sim_broker_forward(sim *s, const char *topic, const void *payload, size_t len, bool retained) {
    unsigned copies = sim_happens(s, SIM_DUPLICATE_CALLBACK) ? 2 : 1; /* QoS 1: at least once */
    for (unsigned i = 0; i < copies && s->broker.connection != 0 && s->broker.is_subscribed; i++) {
        sim_event *event =
            sim_transport_report(s, s->broker.connection, SPB_TRANSPORT_MESSAGE, SPB_OK, sim_delay_ms(s));
        if (event) {
            memcpy(event->topic, topic, strlen(topic) + 1);
            sim_carry(event, payload, len);
            event->retained = retained;
        }
    }
}
