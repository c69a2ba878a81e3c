/* Decides what is wrong with a host application: its will, its STATE, its goodbye. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"

static bool set_host(client *from, spb_str host_id) {
    char *copy = malloc(host_id.len + 1);
    if (!copy) {
        return false;
    }
    memcpy(copy, host_id.data, host_id.len);
    copy[host_id.len] = '\0';
    free(from->host_id);
    from->host_id = copy;
    return true;
}

static void judge_clean(check *c, const client *from) {
    if (from->protocol_level == 5 && (!from->is_clean || from->session_expiry_s > 0)) {
        check__report(c, RULE_HOST_CLEAN_START, "CONNECT with Clean Start %s and Session Expiry %" PRIu32,
                      from->is_clean ? "set" : "not set", from->session_expiry_s);
    } else if (from->protocol_level != 5 && !from->is_clean) {
        check__report(c, RULE_HOST_CLEAN_SESSION, "CONNECT without Clean Session");
    }
}

void check__host_connect(check *c, client *from, spb_str host_id) {
    const check_will *will = &c->event->as.connect.will;
    spb_host_state state;
    spb_error why;
    check__set_source(c, host_id, (spb_str){0}, (spb_str){0});
    if (!set_host(from, host_id)) {
        c->is_out_of_memory = true;
        return;
    }
    if (will->qos != 1) {
        check__report(c, RULE_HOST_WILL_QOS, "the will has QoS %u", (unsigned)will->qos);
    }
    if (!will->retain) {
        check__report(c, RULE_HOST_WILL_RETAIN, "the will is not retained");
    }
    if (spb_host_state_parse(&state, will->payload, &why) != SPB_OK) {
        check__report(c, RULE_HOST_WILL_PAYLOAD, "%s", why.text);
    } else {
        from->has_host_timestamp = true;
        from->host_timestamp_ms = state.timestamp_ms;
        if (state.online) {
            check__report(c, RULE_HOST_WILL_PAYLOAD, "the will says that the host is online");
        }
    }
    judge_clean(c, from);
}

/* The first STATE of a connection whose CONNECT was seen. */
static void judge_first(check *c, const spb_str topic, const client *from) {
    char text[1024];
    if (topic.len >= sizeof text) {
        return;
    }
    memcpy(text, topic.data, topic.len);
    text[topic.len] = '\0';
    if (!from->has_will) {
        check__report(c, RULE_HOST_WILL, "CONNECT had no will");
    } else if (strcmp(from->will_topic, text) != 0) {
        check__report(c, RULE_HOST_WILL_TOPIC, "the topic of the will is %.100s", from->will_topic);
    }
    if (!client_covers(from, text, 0)) {
        check__report(c, RULE_HOST_SUBSCRIBE, "STATE before a subscription to %s", text);
    }
    if (from->has_published) {
        check__report(c, RULE_HOST_BIRTH_FIRST, "something else was published before the STATE");
    }
    if (!from->host_id) {
        judge_clean(c, from);
    }
}

static void judge_mqtt(check *c, const spb_host_state *state) {
    const check_will *message = &c->event->as.publish;
    if (message->qos != 1) {
        check__report(c, state->online ? RULE_HOST_BIRTH_QOS : RULE_HOST_DEATH_QOS, "an %s STATE with QoS %u",
                      state->online ? "online" : "offline", (unsigned)message->qos);
    }
    if (!message->retain) {
        check__report(c, state->online ? RULE_HOST_BIRTH_RETAIN : RULE_HOST_DEATH_RETAIN,
                      "an %s STATE that is not retained", state->online ? "online" : "offline");
    }
}

static void judge_from_host(check *c, const spb_topic *topic, const spb_host_state *state, client *from) {
    if (c->event->has_mqtt) {
        judge_mqtt(c, state);
    }
    if (from->has_connect && !from->has_birth) {
        judge_first(c, c->event->as.publish.topic, from);
    }
    if (from->has_connect && state->online && from->has_host_timestamp &&
        state->timestamp_ms != from->host_timestamp_ms) {
        check__report(c, RULE_HOST_BIRTH_TIMESTAMP, "the timestamp is %" PRIu64 ", and %" PRIu64 " in the will",
                      state->timestamp_ms, from->host_timestamp_ms);
    }
    if (!from->host_id && !set_host(from, topic->host_id)) {
        c->is_out_of_memory = true;
    }
    from->has_birth = from->has_published = true;
    from->has_death = !state->online;
}

/* As a subscriber gets it, QoS and retain are not those of the host. */
void check__state(check *c, const spb_topic *topic, client *from) {
    spb_host_state state;
    spb_error why;
    if (spb_host_state_parse(&state, c->event->as.publish.payload, &why) != SPB_OK) {
        check__report(c, RULE_HOST_BIRTH_PAYLOAD, "%s", why.text);
    } else if (from) {
        judge_from_host(c, topic, &state, from);
    }
}

void check__host_disconnect(check *c, client *from) {
    check__set_source(c, spb_str_from(from->host_id), (spb_str){0}, (spb_str){0});
    if (from->has_connect && from->has_birth && !from->has_death) {
        check__report(c, RULE_HOST_TERMINATION, "DISCONNECT without an offline STATE before it");
    }
}
