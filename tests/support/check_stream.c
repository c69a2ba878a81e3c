/* Decides what a right stream is: one node g/n with a device d, one host h. */
#include "support/check_stream.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "cli/json_record.h"
#include "support/hex.h"

enum { CONNECTION_NODE = 1, CONNECTION_HOST = 2, TEXT_MAX = 1 << 14 };

static struct {
    check *rules;
    size_t found[RULE_COUNT];
    size_t found_all;
    char last_wrong[256], last_source[256];
    uint64_t number, now_ms;
    json_tree tree;
    pool memory;
    char json[TEXT_MAX];
    char topic[256];
    spb_bytes will, hex;
} stream;

static void on_finding(const check_finding *finding, void *user) {
    (void)user;
    ck_assert_uint_lt(finding->rule, RULE_COUNT);
    ck_assert(strlen(finding->wrong) > 0);
    stream.found[finding->rule]++;
    stream.found_all++;
    snprintf(stream.last_wrong, sizeof stream.last_wrong, "%s", finding->wrong);
    snprintf(stream.last_source, sizeof stream.last_source, "%s", finding->source);
}

/* The bytes of a payload; kept until the end, as a will needs them beside a message. */
static spb_bytes encode(const char *json) {
    json_record record;
    spb_bytes bytes;
    spb_error err;
    if (!json) {
        return (spb_bytes){0};
    }
    size_t len = strlen(json);
    ck_assert_uint_lt(len, TEXT_MAX);
    for (size_t i = 0; i <= len; i++) {
        stream.json[i] = json[i] == '\'' ? '"' : json[i];
    }
    spb_status status = json_tree_parse(&stream.tree, (spb_str){stream.json, len}, &err);
    status = status == SPB_OK ? json_record_read(&record, &stream.tree, &stream.memory, &err) : status;
    status = status == SPB_OK ? json_record_encode(&record, &stream.memory, &bytes, &err) : status;
    ck_assert_msg(status == SPB_OK, "%s in %s", err.text, stream.json);
    return bytes;
}

void stream_begin(void) {
    memset(&stream, 0, sizeof stream);
    stream.rules = check_new(on_finding, NULL);
    ck_assert_ptr_nonnull(stream.rules);
    stream.will = encode(NDEATH);
}

void stream_end(void) {
    check_end(stream.rules, UINT64_C(1700000000000) + stream.now_ms);
    check_free(stream.rules);
    json_tree_clear(&stream.tree);
    pool_clear(&stream.memory);
    free((void *)(uintptr_t)stream.hex.data);
}

size_t stream_found(check_rule_number rule) {
    return stream.found[rule];
}

size_t stream_found_all(void) {
    return stream.found_all;
}

const char *stream_last_wrong(void) {
    return stream.last_wrong;
}

const char *stream_last_source(void) {
    return stream.last_source;
}

void stream_at(uint64_t ms) {
    stream.now_ms = ms;
}

check_event stream_event(check_event_kind kind, uint64_t connection) {
    return (check_event){.kind = kind,
                         .number = ++stream.number,
                         .has_time = true,
                         .time_ms = UINT64_C(1700000000000) + stream.now_ms,
                         .connection = connection,
                         .from_client = true,
                         .has_mqtt = true};
}

check_event stream_connect(void) {
    check_event event = stream_event(CHECK_CONNECT, CONNECTION_NODE);
    event.as.connect.protocol_level = 4;
    event.as.connect.is_clean = true;
    event.as.connect.has_will = true;
    event.as.connect.will = (check_will){spb_str_from("spBv1.0/g/NDEATH/n"), stream.will, 1, false};
    return event;
}

check_event stream_host_connect(void) {
    static const char death[] = "{\"online\":false,\"timestamp\":" T "}";
    check_event event = stream_event(CHECK_CONNECT, CONNECTION_HOST);
    event.as.connect.protocol_level = 4;
    event.as.connect.is_clean = true;
    event.as.connect.has_will = true;
    event.as.connect.will =
        (check_will){spb_str_from("spBv1.0/STATE/h"), {(const uint8_t *)death, sizeof death - 1}, 1, true};
    return event;
}

check_event stream_subscribe(uint64_t connection, const char *filter, uint8_t qos) {
    check_event event = stream_event(CHECK_SUBSCRIBE, connection);
    event.as.subscribe.filter = spb_str_from(filter);
    event.as.subscribe.qos = qos;
    return event;
}

check_event stream_message(const char *kind, const char *json) {
    bool is_state = strcmp(kind, "STATE") == 0, is_command = strstr(kind, "CMD") != NULL;
    check_event event = stream_event(CHECK_PUBLISH, is_state || is_command ? CONNECTION_HOST : CONNECTION_NODE);
    if (is_state) {
        snprintf(stream.topic, sizeof stream.topic, "spBv1.0/STATE/h");
    } else {
        snprintf(stream.topic, sizeof stream.topic, "spBv1.0/g/%s/n%s", kind, *kind == 'D' ? "/d" : "");
    }
    event.as.publish.topic = spb_str_from(stream.topic);
    event.as.publish.qos = is_state;
    event.as.publish.retain = is_state;
    if (is_state) {
        snprintf(stream.json, sizeof stream.json, "%s", json);
        for (char *c = stream.json; *c; c++) {
            *c = *c == '\'' ? '"' : *c;
        }
        event.as.publish.payload = (spb_bytes){(const uint8_t *)stream.json, strlen(json)};
    } else {
        event.as.publish.payload = encode(json);
    }
    return event;
}

check_event stream_received(const char *kind, const char *json) {
    check_event event = stream_message(kind, json);
    event.connection = 0;
    event.from_client = false;
    return event;
}

void stream_add(check_event event) {
    ck_assert(check_event_add(stream.rules, &event));
}

void stream_send(const char *kind, const char *json) {
    stream_add(stream_message(kind, json));
}

void stream_send_hex(const char *topic, const char *hex) {
    check_event event = stream_event(CHECK_PUBLISH, CONNECTION_NODE);
    free((void *)(uintptr_t)stream.hex.data);
    stream.hex = hex_bytes(hex);
    event.as.publish.topic = spb_str_from(topic);
    event.as.publish.payload = stream.hex;
    stream_add(event);
}

static void raw_varint(raw *to, uint64_t number) {
    ck_assert_uint_lt(to->len + 10, sizeof to->bytes);
    for (; number > 0x7F; number >>= 7) {
        to->bytes[to->len++] = (uint8_t)(number | 0x80);
    }
    to->bytes[to->len++] = (uint8_t)number;
}

void raw_number(raw *to, unsigned field, uint64_t number) {
    raw_varint(to, field << 3);
    raw_varint(to, number);
}

static void raw_content(raw *to, unsigned field, const void *bytes, size_t len) {
    raw_varint(to, field << 3 | 2);
    raw_varint(to, len);
    ck_assert_uint_lt(to->len + len, sizeof to->bytes);
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

void raw_text(raw *to, unsigned field, const char *text) {
    raw_content(to, field, text, strlen(text));
}

void raw_add(raw *to, unsigned field, const raw *inner) {
    raw_content(to, field, inner->bytes, inner->len);
}

void stream_send_raw(const char *topic, const raw *payload) {
    check_event event = stream_event(CHECK_PUBLISH, CONNECTION_NODE);
    event.as.publish.topic = spb_str_from(topic);
    event.as.publish.payload = (spb_bytes){payload->bytes, payload->len};
    stream_add(event);
}

void stream_connected(void) {
    stream_add(stream_connect());
    stream_add(stream_subscribe(CONNECTION_NODE, "spBv1.0/g/NCMD/n", 1));
    stream_add(stream_subscribe(CONNECTION_NODE, "spBv1.0/g/DCMD/n/+", 1));
}

void stream_born(void) {
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    stream_send("DBIRTH", DBIRTH);
}
