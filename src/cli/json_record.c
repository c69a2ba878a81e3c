/* Decides what a message as JSON is: its topic, its payload or STATE. Metrics are left to json_payload.c. */
#include "cli/json_record.h"

#include <string.h>

#include "cli/error.h"
#include "cli/json_payload.h"

enum {
    TIME,
    TOPIC,
    KIND,
    GROUP,
    NODE,
    DEVICE,
    HOST,
    ONLINE,
    TIMESTAMP,
    SEQ,
    REMARK,
    COMPRESSION,
    UUID,
    BODY,
    METRICS,
    WIRE_KEYS, /* how it came, which is not sent: from here on */
    KEY_COUNT = WIRE_KEYS + 9
};
static const char *const names[KEY_COUNT] = {"time",   "topic",   "kind",      "group",  "node",         "device",
                                             "host",   "online",  "timestamp", "seq",    "remark",       "compression",
                                             "uuid",   "body",    "metrics",   "packet", "connection",   "direction",
                                             "client", "address", "qos",       "retain", "is_duplicate", "is_copy"};

typedef struct record_reader {
    json_reader json;
    const json_node *found[KEY_COUNT];
} record_reader;

static json_place place_of(int key) {
    return (json_place){NULL, spb_str_from(names[key]), 0};
}

static bool fail(record_reader *r, int key, spb_status status, const char *what) {
    const json_place at = place_of(key);
    const json_node *node = r->found[key] ? r->found[key] : r->json.tree->nodes;
    return json_fail(&r->json, node, &at, status, "%s", what);
}

static bool get_str(record_reader *r, int key, spb_str *out) {
    const json_place at = place_of(key);
    return json_get_str(&r->json, r->found[key], &at, out);
}

static bool get_u64(record_reader *r, int key, uint64_t max, bool *is_present, uint64_t *out) {
    const json_place at = place_of(key);
    *is_present = r->found[key] != NULL;
    return json_get_u64(&r->json, r->found[key], &at, max, names[key], out);
}

/* ---- the topic ---- */

static bool parse_kind(record_reader *r, spb_kind *out) {
    spb_str name = {0};
    if (!r->found[KIND]) {
        return fail(r, KIND, SPB_ERR_NAME, "missing: NBIRTH, DDATA … or a topic");
    }
    if (!get_str(r, KIND, &name)) {
        return false;
    }
    for (int kind = SPB_KIND_NBIRTH; kind <= SPB_KIND_STATE; kind++) {
        if (spb_str_equal(name, spb_str_from(spb_kind_name((spb_kind)kind)))) {
            *out = (spb_kind)kind;
            return true;
        }
    }
    return fail(r, KIND, SPB_ERR_NAME, "no kind of message: NBIRTH, NDEATH, NDATA, NCMD, DBIRTH, … or STATE");
}

/* The keys that are there say what the topic says. */
static bool agrees(record_reader *r, const spb_topic *topic) {
    const struct {
        int key;
        spb_str part;
    } parts[] = {{KIND, spb_str_from(spb_kind_name(topic->kind))},
                 {GROUP, topic->group_id},
                 {NODE, topic->node_id},
                 {DEVICE, topic->device_id},
                 {HOST, topic->host_id}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        spb_str text = {0};
        if (!get_str(r, parts[i].key, &text)) {
            return false;
        }
        if (r->found[parts[i].key] && !spb_str_equal(text, parts[i].part)) {
            return fail(r, parts[i].key, SPB_ERR_NAME, "not what the topic says; one of the two is enough");
        }
    }
    return true;
}

static bool read_given_topic(record_reader *r, spb_topic *topic, spb_str *text) {
    spb_error why;
    if (!get_str(r, TOPIC, text)) {
        return false;
    }
    return spb_topic_parse(topic, *text, &why) == SPB_OK ? agrees(r, topic) : fail(r, TOPIC, why.status, why.text);
}

static bool make_topic(record_reader *r, spb_topic *topic, spb_str *text) {
    enum { MAX_TOPIC_BYTES = 65536 };
    spb_error why;
    if (!parse_kind(r, &topic->kind) || !get_str(r, GROUP, &topic->group_id) || !get_str(r, NODE, &topic->node_id) ||
        !get_str(r, DEVICE, &topic->device_id) || !get_str(r, HOST, &topic->host_id)) {
        return false;
    }
    char *buffer = pool_get(r->json.memory, MAX_TOPIC_BYTES, 1);
    if (!buffer) {
        return json_no_memory(&r->json);
    }
    text->data = buffer;
    return spb_topic_format(topic, buffer, MAX_TOPIC_BYTES, &text->len, &why) == SPB_OK ||
           fail(r, KIND, why.status, why.text);
}

/* ---- the payload ---- */

static bool read_state(record_reader *r, json_record *out) {
    const json_place at = place_of(ONLINE);
    bool has_timestamp;
    if (!r->found[ONLINE] || !r->found[TIMESTAMP]) {
        return fail(r, r->found[ONLINE] ? TIMESTAMP : ONLINE, SPB_ERR_MALFORMED, "missing in a STATE message");
    }
    static const int others[] = {SEQ, COMPRESSION, UUID, BODY, METRICS};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (r->found[others[i]]) {
            return fail(r, others[i], SPB_ERR_MALFORMED, "is not in a STATE message, which has online and timestamp");
        }
    }
    return json_get_bool(&r->json, r->found[ONLINE], &at, &out->state.online) &&
           get_u64(r, TIMESTAMP, UINT64_MAX, &has_timestamp, &out->state.timestamp_ms);
}

static bool read_compression(record_reader *r, spb_payload *payload) {
    spb_str name = {0};
    if (!get_str(r, COMPRESSION, &name)) {
        return false;
    }
    payload->compression = spb_str_equal(name, spb_str_from("DEFLATE")) ? SPB_COMPRESSION_DEFLATE
                           : spb_str_equal(name, spb_str_from("GZIP"))  ? SPB_COMPRESSION_GZIP
                                                                        : SPB_COMPRESSION_NONE;
    return !r->found[COMPRESSION] || payload->compression != SPB_COMPRESSION_NONE ||
           fail(r, COMPRESSION, SPB_ERR_NAME, "there is DEFLATE and GZIP");
}

static bool read_payload(record_reader *r, spb_payload *payload) {
    const json_place body = place_of(BODY), metrics = place_of(METRICS);
    if (r->found[ONLINE]) {
        return fail(r, ONLINE, SPB_ERR_MALFORMED, "is only in a STATE message");
    }
    payload->has_body = r->found[BODY] != NULL;
    return get_u64(r, TIMESTAMP, UINT64_MAX, &payload->has_timestamp, &payload->timestamp_ms) &&
           get_u64(r, SEQ, UINT8_MAX, &payload->has_seq, &payload->seq) && read_compression(r, payload) &&
           get_str(r, UUID, &payload->uuid) && json_get_bytes(&r->json, r->found[BODY], &body, &payload->body) &&
           (!r->found[METRICS] || json_read_metrics(&r->json, r->found[METRICS], &metrics, payload));
}

static bool read_record(record_reader *r, json_record *out) {
    spb_topic topic = {.kind = SPB_KIND_NBIRTH};
    bool has_parts = r->found[KIND] || r->found[GROUP] || r->found[NODE] || r->found[DEVICE] || r->found[HOST];
    if (!get_u64(r, TIME, UINT64_MAX, &out->has_time, &out->time_ms)) {
        return false;
    }
    if (r->found[TOPIC] ? !read_given_topic(r, &topic, &out->topic)
                        : has_parts && !make_topic(r, &topic, &out->topic)) {
        return false;
    }
    out->is_state = topic.kind == SPB_KIND_STATE;
    return out->is_state ? read_state(r, out) : read_payload(r, &out->payload);
}

spb_status json_record_read(json_record *out, const json_tree *tree, pool *memory, spb_error *err) {
    record_reader r = {.json = {tree, memory, err}};
    *out = (json_record){.is_state = false};
    bool is_right = json_members(&r.json, tree->nodes, NULL, names, KEY_COUNT, r.found) && read_record(&r, out);
    return is_right ? SPB_OK : err->status;
}

static spb_status keep(spb_bytes bytes, pool *memory, spb_bytes *out, spb_error *err) {
    uint8_t *copy = pool_get(memory, bytes.len, 1);
    if (!copy) {
        error_set(err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory for the payload");
        return err->status;
    }
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    *out = (spb_bytes){copy, bytes.len};
    return SPB_OK;
}

spb_status json_record_encode(const json_record *record, pool *memory, spb_bytes *out, spb_error *err) {
    enum { STATE_BYTES = 64 };
    char state[STATE_BYTES];
    uint8_t *bytes = NULL;
    size_t len = 0;
    spb_status status = record->is_state ? spb_host_state_format(&record->state, state, sizeof state, &len, err)
                                         : spb_payload_encode(&record->payload, NULL, &bytes, &len, err);
    if (status == SPB_OK) {
        status = keep((spb_bytes){record->is_state ? (const uint8_t *)state : bytes, len}, memory, out, err);
    }
    spb_free(bytes);
    return status;
}
