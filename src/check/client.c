/* Decides what is wrong with a client that is an edge node: its will, its session with the server, its subscriptions,
 * its goodbye. Hosts are left to host.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"

static char *copy(spb_str text) {
    char *made = malloc(text.len + 1);
    if (made) {
        memcpy(made, text.data, text.len);
        made[text.len] = '\0';
    }
    return made;
}

/* ---- the will ---- */

/* The next number, or 0 of a node that begins anew. Numbers may be left out here: they count connections to all
 * servers.
 */
static void judge_count(check *c, const session *of, uint64_t bdseq) {
    if (of->has_connect && bdseq != 0 && (bdseq - of->connect_bdseq) % 256 - 1 >= 127) {
        check__report(c, RULE_BDSEQ_COUNTS, "bdSeq is %" PRIu64 " after %" PRIu64, bdseq, of->connect_bdseq);
    }
}

static void judge_will_payload(check *c, client *from, const check_will *will, scope *node) {
    spb_payload *payload;
    spb_error why;
    if (spb_payload_decode(&payload, will->payload, NULL, &why) != SPB_OK) {
        check__report(c, RULE_WILL_PAYLOAD, "the will cannot be decoded: %s", why.text);
        return;
    }
    const spb_payload_metric *metric = NULL;
    from->has_will_bdseq = check__ndeath_payload(c, payload, &from->will_bdseq);
    if (!check__bdseq_value(payload, &metric, &from->will_bdseq)) {
        check__report(c, RULE_WILL_BDSEQ, metric ? "bdSeq of the will is no integer" : "the will has no bdSeq");
    } else if (metric->value.type != SPB_INT64) {
        check__report(c, RULE_WILL_BDSEQ, "bdSeq of the will is of type %s",
                      metric->omit_datatype ? "unknown" : spb_type_name(metric->value.type));
    } else if (from->will_bdseq > 255) {
        check__report(c, RULE_WILL_BDSEQ, "bdSeq of the will is %" PRIu64, from->will_bdseq);
    }
    if (from->has_will_bdseq) {
        judge_count(c, node->session, from->will_bdseq);
        node->session->has_connect = true;
        node->session->connect_bdseq = from->will_bdseq;
    }
    spb_payload_free(payload);
}

/* A new session of the node: what it was before ends here. */
static void begin_session(scope *node) {
    session *of = node->session;
    if (node->is_born && of->has_bdseq) {
        of->has_past = true;
        of->past_bdseq = of->bdseq;
    }
    of->has_died = of->has_died || node->is_born;
    node->is_known = true;
    node->is_born = false;
    of->next_seq = -1;
    for (scope *device = node->next_device; device; device = device->next_device) {
        device->is_born = device->awaits_birth = false;
    }
}

static void judge_clean(check *c, const client *from) {
    if (from->protocol_level == 5 && (!from->is_clean || from->session_expiry_s > 0)) {
        check__report(c, RULE_CLEAN_START, "CONNECT with Clean Start %s and Session Expiry %" PRIu32,
                      from->is_clean ? "set" : "not set", from->session_expiry_s);
    } else if (from->protocol_level != 5 && !from->is_clean) {
        check__report(c, RULE_CLEAN_SESSION, "CONNECT without Clean Session");
    }
}

static void judge_will(check *c, client *from, const check_will *will, const spb_topic *topic) {
    const scope *twin;
    scope *node = registry_scope(&c->known, topic, &twin);
    if (!node) {
        c->is_out_of_memory = true;
        return;
    }
    from->node = node;
    check__set_source(c, topic->group_id, topic->node_id, (spb_str){0});
    if (will->qos != 1) {
        check__report(c, RULE_WILL_QOS, "the will has QoS %u", (unsigned)will->qos);
    }
    if (will->retain) {
        check__report(c, RULE_WILL_RETAIN, "the will is retained");
    }
    judge_clean(c, from);
    judge_will_payload(c, from, will, node);
    begin_session(node);
}

void check__connect(check *c, client *from) {
    const check_event *event = c->event;
    client_reset(from);
    from->has_connect = true;
    from->protocol_level = event->as.connect.protocol_level;
    from->is_clean = event->as.connect.is_clean;
    from->session_expiry_s = event->as.connect.session_expiry_s;
    from->has_will = event->as.connect.has_will;
    if (!from->has_will) {
        return;
    }
    const check_will *will = &event->as.connect.will;
    spb_topic topic;
    from->will_topic = copy(will->topic);
    if (!from->will_topic) {
        c->is_out_of_memory = true;
    } else if (spb_topic_parse(&topic, will->topic, NULL) != SPB_OK) {
        return;
    } else if (topic.kind == SPB_KIND_NDEATH) {
        judge_will(c, from, will, &topic);
    } else if (topic.kind == SPB_KIND_STATE) {
        check__host_connect(c, from, topic.host_id);
    }
}

/* ---- subscriptions ---- */

/* A filter for commands with another QoS than 1. */
void check__subscribe(check *c, client *from) {
    static const char prefix[] = SPB_NAMESPACE "/";
    const spb_str filter = c->event->as.subscribe.filter;
    const uint8_t qos = c->event->as.subscribe.qos;
    if (!client_subscribe(from, filter, qos)) {
        c->is_out_of_memory = true;
    }
    if (!from->node || qos == 1 || filter.len < sizeof prefix || memcmp(filter.data, prefix, sizeof prefix - 1) != 0) {
        return;
    }
    const char *kind = memchr(filter.data + sizeof prefix - 1, '/', filter.len - (sizeof prefix - 1));
    size_t left = kind ? filter.len - (size_t)(kind - filter.data) : 0;
    if (left > 6 && memcmp(kind, "/NCMD/", 6) == 0) {
        check__report(c, RULE_NCMD_SUBSCRIBE, "subscribes to %.*s with QoS %u", TEXT(filter), (unsigned)qos);
    } else if (left > 6 && memcmp(kind, "/DCMD/", 6) == 0) {
        check__report(c, RULE_DCMD_SUBSCRIBE, "subscribes to %.*s with QoS %u", TEXT(filter), (unsigned)qos);
    }
}

static void judge_subscriptions(check *c, const judged *m) {
    char text[1024];
    spb_topic topic = *m->topic;
    topic.kind = SPB_KIND_NCMD;
    if (spb_topic_format(&topic, text, sizeof text, NULL, NULL) == SPB_OK && !client_covers(m->from, text, 0)) {
        check__report(c, RULE_NCMD_SUBSCRIBE, "NBIRTH before a subscription to %s", text);
    }
}

void check__client_is_node(check *c, const judged *m) {
    client *from = m->from;
    char text[1024];
    spb_topic topic = *m->topic;
    topic.kind = SPB_KIND_NDEATH;
    if (!from->has_will) {
        check__report(c, RULE_WILL_MISSING, "CONNECT had no will");
    } else if (spb_topic_format(&topic, text, sizeof text, NULL, NULL) == SPB_OK &&
               strcmp(text, from->will_topic) != 0) {
        check__report(c, RULE_WILL_TOPIC, "the topic of the will is %.100s", from->will_topic);
    }
    if (from->node != m->node) { /* not judged with its CONNECT */
        judge_clean(c, from);
    }
    judge_subscriptions(c, m);
}

/* ---- the goodbye ---- */

void check__disconnect(check *c, client *from) {
    if (from->host_id) {
        check__host_disconnect(c, from);
    }
    const scope *node = from->node;
    if (!node || !from->has_birth || !from->has_connect) {
        return;
    }
    const unsigned reason = c->event->as.disconnect.reason;
    if (from->protocol_level == 5 && reason != 0x04) {
        check__report(c, RULE_DISCONNECT_50, "DISCONNECT with reason 0x%02x", reason);
    } else if (from->protocol_level != 5 && !from->has_death) {
        check__report(c, RULE_DISCONNECT_311, "DISCONNECT without an NDEATH before it");
    }
}
