/* Decides which events of an input are judged. The rules are left to src/check, the look of findings to findings.c. */
#include "cli/checker.h"

#include "cli/error.h"

bool checker_init(checker *k, report *to, out *shown, bool as_json, bool all, bool use_colour) {
    *k = (checker){.to = to};
    k->found = findings_new(shown, as_json, all, use_colour);
    k->rules = k->found ? check_new(findings_add, k->found) : NULL;
    return k->rules != NULL;
}

void checker_clear(checker *k) {
    check_free(k->rules);
    findings_free(k->found);
    k->rules = NULL;
    k->found = NULL;
}

static void add_event(checker *k, const check_event *event, place at) {
    if (event->has_time) {
        k->last_ms = event->time_ms;
    }
    if (!check_event_add(k->rules, event)) {
        report_no_memory(k->to, at);
    }
}

/* ---- captures ---- */

static check_will publish_of(const capture_publish *from) {
    return (check_will){from->topic, from->payload, from->qos, from->retain};
}

static void add_subscriptions(checker *k, check_event *event, const capture_event *from) {
    size_t cursor = 0;
    capture_filter filter;
    event->kind = CHECK_SUBSCRIBE;
    while (capture_next_filter(&from->as.subscribe, &cursor, &filter)) {
        event->as.subscribe.filter = filter.topic;
        event->as.subscribe.qos = filter.qos;
        add_event(k, event, (place){.packet = from->packet});
    }
}

/* False: nothing to be judged. */
static bool translate(const capture_event *from, check_event *event) {
    switch (from->kind) {
    case CAPTURE_CONNECT: {
        const capture_connect *c = &from->as.connect;
        event->kind = CHECK_CONNECT;
        event->as.connect.protocol_level = from->protocol_level;
        event->as.connect.is_clean = c->is_clean;
        event->as.connect.session_expiry_s = c->session_expiry_s;
        event->as.connect.has_will = c->has_will;
        event->as.connect.will = (check_will){c->will_topic, c->will_payload, c->will_qos, c->will_retain};
        return true;
    }
    case CAPTURE_PUBLISH:
        event->kind = CHECK_PUBLISH;
        event->as.publish = publish_of(&from->as.publish);
        return !from->as.publish.is_forwarded && !from->as.publish.is_duplicate;
    case CAPTURE_DISCONNECT:
        event->kind = CHECK_DISCONNECT;
        event->as.disconnect.reason = from->as.disconnect.reason;
        return from->direction == CAPTURE_FROM_CLIENT;
    case CAPTURE_GAP: event->kind = CHECK_GAP; return true;
    case CAPTURE_CLOSED: event->kind = CHECK_CLOSED; return true;
    default: return false;
    }
}

void checker_capture_event(void *user, const capture_event *from) {
    checker *k = user;
    check_event event = {.number = from->packet,
                         .has_time = true,
                         .time_ms = from->time_us / 1000,
                         .connection = from->connection,
                         .from_client = from->direction == CAPTURE_FROM_CLIENT,
                         .has_mqtt = true};
    if (from->kind == CAPTURE_SUBSCRIBE) {
        add_subscriptions(k, &event, from);
    } else if (translate(from, &event)) {
        k->messages += from->kind == CAPTURE_PUBLISH;
        add_event(k, &event, (place){.packet = from->packet});
    }
}

/* ---- text ---- */

void checker_record(void *user, const feed_record *record) {
    checker *k = user;
    check_event event = {.kind = CHECK_PUBLISH,
                         .number = record->at.line,
                         .has_time = record->has_time,
                         .time_ms = record->time_ms,
                         .as.publish = {.topic = record->topic, .payload = record->payload}};
    spb_error err;
    if (record->wire) {
        return; /* its event was seen */
    }
    if (!record->topic.data) {
        error_set(
            &err, SPB_ERR_NAME, SPB_NO_OFFSET,
            "a payload without its topic cannot be checked: a capture, or lines of time, topic and hex are wanted");
        report_wrong(k->to, record->at, &err, "");
        return;
    }
    k->messages++;
    add_event(k, &event, record->at);
}

/* ---- live ---- */

/* Without a connection everything may have happened. */
void checker_live_event(checker *k, const live_event *from) {
    check_event event = {.kind = CHECK_GAP, .number = k->messages};
    if (from->kind == LIVE_MESSAGE) {
        event = (check_event){.kind = CHECK_PUBLISH,
                              .number = ++k->messages,
                              .has_time = true,
                              .time_ms = from->time_ms,
                              .has_mqtt = true,
                              .as.publish = {from->topic, from->payload, from->qos, from->retained}};
    }
    add_event(k, &event, (place){.line = 0});
}

void checker_end(checker *k, uint64_t now_ms) {
    check_end(k->rules, now_ms > 0 ? now_ms : k->last_ms);
    findings_summary(k->found, k->messages);
}
