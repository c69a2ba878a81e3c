/* Decides which rules an event is held against, and gathers what it breaks. */
#include "check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"

check *check_new(check_finding_fn on_finding, void *user) {
    check *c = calloc(1, sizeof *c);
    if (!c || !registry_init(&c->known)) {
        free(c);
        return NULL;
    }
    c->on_finding = on_finding;
    c->user = user;
    return c;
}

void check_free(check *c) {
    if (c) {
        registry_clear(&c->known);
        free(c);
    }
}

/* ---- findings ---- */

void check__report(check *c, check_rule_number rule, const char *format, ...) {
    pending *of = &c->pending[rule];
    if (of->count++ == 0) {
        va_list list;
        va_start(list, format);
        vsnprintf(of->wrong, sizeof of->wrong, format, list);
        va_end(list);
        c->broken[c->broken_count++] = rule;
    }
}

static void hand_out(check *c, uint64_t number, bool has_time, uint64_t time_ms) {
    for (size_t i = 0; i < c->broken_count; i++) {
        pending *of = &c->pending[c->broken[i]];
        if (of->count > 1) {
            size_t used = strlen(of->wrong);
            snprintf(of->wrong + used, sizeof of->wrong - used, " (and %zu more)", of->count - 1);
        }
        const check_finding finding = {.rule = c->broken[i],
                                       .number = number,
                                       .has_time = has_time,
                                       .time_ms = time_ms,
                                       .source = c->source,
                                       .wrong = of->wrong};
        c->on_finding(&finding, c->user);
        of->count = 0;
    }
    c->broken_count = 0;
}

static size_t append(char *to, size_t used, size_t size, spb_str text) {
    size_t len = text.len < size - 1 - used ? text.len : size - 1 - used;
    if (len > 0) {
        memcpy(to + used, text.data, len);
    }
    to[used + len] = '\0';
    return used + len;
}

void check__set_source(check *c, spb_str group, spb_str node, spb_str device) {
    const spb_str slash = {"/", 1};
    size_t used = append(c->source, 0, sizeof c->source, group);
    if (node.data) {
        used = append(c->source, used, sizeof c->source, slash);
        used = append(c->source, used, sizeof c->source, node);
    }
    if (device.data) {
        used = append(c->source, used, sizeof c->source, slash);
        (void)append(c->source, used, sizeof c->source, device);
    }
}

/* ---- messages ---- */

bool check__is_birth(spb_kind kind) {
    return kind == SPB_KIND_NBIRTH || kind == SPB_KIND_DBIRTH;
}

bool check__is_data(spb_kind kind) {
    return kind == SPB_KIND_NDATA || kind == SPB_KIND_DDATA;
}

bool check__is_command(spb_kind kind) {
    return kind == SPB_KIND_NCMD || kind == SPB_KIND_DCMD;
}

/* What cannot be read may have been anything: a birth, a number of the sequence. */
static void pass_over(judged *m) {
    if (check__is_command(m->kind)) {
        return;
    }
    m->node->session->next_seq = -1;
    if (m->kind == SPB_KIND_NBIRTH || m->kind == SPB_KIND_NDEATH) {
        registry_forget(m->node);
    } else if (m->kind == SPB_KIND_DBIRTH) {
        m->one->is_born = true;
        m->one->awaits_birth = false;
    }
    if (check__is_birth(m->kind)) {
        (void)scope_learn(m->one, NULL);
    }
}

static void judge_payload(check *c, judged *m, spb_payload *payload) {
    m->payload = payload;
    check__head(c, m);
    if (check__is_command(m->kind)) {
        check__command(c, m);
    } else {
        check__session(c, m);
    }
    if (!check__is_birth(m->kind)) {
        if (check__is_data(m->kind)) {
            check__data(c, m);
        }
        spb_payload_free(payload);
    } else if (scope_learn(m->one, payload)) {
        check__birth(c, m);
    } else {
        c->is_out_of_memory = true;
    }
}

static void report_twin(check *c, const scope *one, const scope *twin) {
    bool is_device = one->ids[2].len > 0;
    check__report(c, RULE_ID_CASE, "%s %.*s was seen as %.*s, too", is_device ? "device" : "node",
                  TEXT(one->ids[is_device ? 2 : 1]), TEXT(twin->ids[is_device ? 2 : 1]));
}

static void judge_message(check *c, const spb_topic *topic, client *from) {
    const check_event *event = c->event;
    const scope *twin;
    check__mqtt(c, topic->kind);
    if (!event->from_client && event->has_mqtt && event->as.publish.retain) {
        return; /* it was stored: when it was published is not known */
    }
    judged m = {.topic = topic, .kind = topic->kind, .from = from};
    m.one = registry_scope(&c->known, topic, &twin);
    if (!m.one) {
        c->is_out_of_memory = true;
        return;
    }
    m.node = m.one->node;
    if (twin) {
        report_twin(c, m.one, twin);
    }
    spb_payload *payload;
    spb_error why;
    spb_status status = spb_payload_decode(&payload, event->as.publish.payload, NULL, &why);
    if (status == SPB_OK) {
        judge_payload(c, &m, payload);
    } else if (status == SPB_ERR_NO_MEMORY) {
        c->is_out_of_memory = true;
    } else {
        check__undecodable(c, m.kind, &why);
        pass_over(&m);
    }
    if (from) {
        from->has_published = true;
    }
}

static void judge_publish(check *c, client *from) {
    spb_topic topic;
    check__set_source(c, c->event->as.publish.topic, (spb_str){0}, (spb_str){0});
    if (!check__topic(c, c->event->as.publish.topic, &topic)) {
        return;
    }
    if (topic.kind == SPB_KIND_STATE) {
        check__set_source(c, topic.host_id, (spb_str){0}, (spb_str){0});
        check__state(c, &topic, from);
    } else {
        check__set_source(c, topic.group_id, topic.node_id, topic.device_id);
        judge_message(c, &topic, from);
    }
}

/* ---- gaps ---- */

/* Whatever was said there is unknown. On its way to a subscriber, it may have been of any node. */
static void judge_gap(check *c, client *on) {
    if (c->event->from_client) {
        on->has_connect = false;
        if (on->node) {
            registry_forget(on->node);
        }
        return;
    }
    for (size_t i = 0; i < c->known.count; i++) {
        scope *one = c->known.scopes[i];
        if (one->session && one->session->connection == 0) {
            registry_forget(one);
        }
    }
}

bool check_event_add(check *c, const check_event *event) {
    c->event = event;
    c->is_out_of_memory = false;
    client *on = event->connection > 0 ? registry_connection(&c->known, event->connection) : NULL;
    if (event->connection > 0 && !on) {
        return false;
    }
    c->source[0] = '\0';
    if (on && on->node) {
        check__set_source(c, on->node->ids[0], on->node->ids[1], (spb_str){0});
    }
    switch (event->kind) {
    case CHECK_CONNECT: check__connect(c, on); break;
    case CHECK_SUBSCRIBE: check__subscribe(c, on); break;
    case CHECK_PUBLISH: judge_publish(c, event->from_client ? on : NULL); break;
    case CHECK_DISCONNECT: check__disconnect(c, on); break;
    case CHECK_CLOSED: registry_close(&c->known, on); break;
    case CHECK_GAP: judge_gap(c, on); break;
    }
    hand_out(c, event->number, event->has_time, event->time_ms);
    return !c->is_out_of_memory;
}

void check_end(check *c, uint64_t time_ms) {
    for (size_t i = 0; i < c->known.count; i++) {
        scope *one = c->known.scopes[i];
        if (one->session) {
            check__set_source(c, one->ids[0], one->ids[1], (spb_str){0});
            check__rebirth_overdue(c, one, time_ms);
            hand_out(c, 0, true, time_ms);
        }
    }
}
