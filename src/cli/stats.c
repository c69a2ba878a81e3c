/* Decides what is counted, and how the sums look. */
#include "cli/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/number.h"
#include "cli/text_value.h"

struct stats_node {
    bool is_used;
    bool is_device; /* was counted as one of its node */
    char *ids;      /* group and node, one behind the other */
    spb_str group, node;
    uint64_t devices;
    stats_sums sums;
};

/* ---- counting ---- */

static bool reserve(stats *s, size_t number) {
    if (number < s->capacity) {
        return true;
    }
    size_t capacity = number < 16 ? 32 : 2 * number;
    stats_node *nodes = realloc(s->nodes, capacity * sizeof *nodes);
    if (!nodes) {
        return false;
    }
    memset(nodes + s->capacity, 0, (capacity - s->capacity) * sizeof *nodes);
    s->nodes = nodes;
    s->capacity = capacity;
    return true;
}

static bool begin_node(stats_node *node, const spb_topic *topic) {
    size_t len = topic->group_id.len + topic->node_id.len;
    node->ids = malloc(len > 0 ? len : 1);
    if (!node->ids) {
        return false;
    }
    memcpy(node->ids, topic->group_id.data, topic->group_id.len);
    memcpy(node->ids + topic->group_id.len, topic->node_id.data, topic->node_id.len);
    node->group = (spb_str){node->ids, topic->group_id.len};
    node->node = (spb_str){node->ids + topic->group_id.len, topic->node_id.len};
    node->is_used = true;
    return true;
}

/* NULL: no memory. */
static stats_node *find_node(stats *s, const spb_topic *topic, birth_scope *scope) {
    size_t number = births_number(scope);
    size_t node_number = births_number(births_node(scope));
    if (!reserve(s, number > node_number ? number : node_number)) {
        return NULL;
    }
    stats_node *node = &s->nodes[node_number];
    if (!node->is_used && !begin_node(node, topic)) {
        return NULL;
    }
    if (number != node_number && !s->nodes[number].is_device) {
        s->nodes[number].is_device = true;
        node->devices++;
    }
    return node;
}

static uint64_t count_historical(const spb_payload *payload) {
    uint64_t count = 0;
    for (size_t i = 0; i < payload->metric_count; i++) {
        count += payload->metrics[i].is_historical;
    }
    return count;
}

static void add_time(stats_sums *sums, uint64_t time_ms) {
    sums->first_ms = sums->has_time && sums->first_ms < time_ms ? sums->first_ms : time_ms;
    sums->last_ms = sums->has_time && sums->last_ms > time_ms ? sums->last_ms : time_ms;
    sums->has_time = true;
}

static void add(stats_sums *sums, const message *m, size_t payload_bytes, uint64_t historical, unsigned missing) {
    if (m->topic_text.data) {
        sums->messages[m->topic.kind]++;
    } else {
        sums->alone++;
    }
    sums->metrics += m->payload ? m->metric_count : 0;
    sums->historical += historical;
    sums->payload_bytes += payload_bytes;
    sums->largest_payload = payload_bytes > sums->largest_payload ? payload_bytes : sums->largest_payload;
    sums->gaps += missing > 0;
    sums->missing += missing;
    if (m->has_time) {
        add_time(sums, m->time_ms);
    } else if (m->payload && m->payload->has_timestamp) {
        add_time(sums, m->payload->timestamp_ms);
    }
}

bool stats_add(stats *s, const message *m, birth_scope *scope, size_t payload_bytes) {
    uint64_t historical = m->payload ? count_historical(m->payload) : 0;
    unsigned missing = scope ? births_missing(scope) : 0;
    add(&s->all, m, payload_bytes, historical, missing);
    stats_node *node = scope ? find_node(s, &m->topic, scope) : NULL;
    if (node) {
        add(&node->sums, m, payload_bytes, historical, missing);
    }
    return node || !scope;
}

void stats_clear(stats *s) {
    for (size_t i = 0; i < s->capacity; i++) {
        free(s->nodes[i].ids);
    }
    free(s->nodes);
    *s = (stats){.nodes = NULL};
}

static uint64_t count_messages(const stats_sums *sums) {
    uint64_t count = sums->alone;
    for (int kind = 0; kind < STATS_KINDS; kind++) {
        count += sums->messages[kind];
    }
    return count;
}

/* ---- text ---- */

static void put_count(out *to, uint64_t count, const char *one, const char *many) {
    out_u64(to, count);
    out_char(to, ' ');
    out_text(to, count == 1 ? one : many);
}

/* ", 31.1 a second" */
static void put_rate(out *to, const stats_sums *sums, uint64_t count) {
    if (sums->has_time && sums->last_ms > sums->first_ms) {
        char form[48];
        double rate = (double)count * 1000 / (double)(sums->last_ms - sums->first_ms);
        snprintf(form, sizeof form, rate < 100 ? ", %.2f a second" : ", %.0f a second", rate);
        out_text(to, form);
    }
}

static void put_label(out *to, const char *label) {
    out_text(to, "  ");
    out_text(to, label);
    for (size_t i = strlen(label); i < strlen("connections  "); i++) {
        out_char(to, ' ');
    }
}

static void put_kinds(out *to, const stats_sums *sums) {
    const char *separator = ": ";
    for (int kind = 0; kind < STATS_KINDS; kind++) {
        if (sums->messages[kind] > 0) {
            out_text(to, separator);
            out_u64(to, sums->messages[kind]);
            out_char(to, ' ');
            out_text(to, spb_kind_name((spb_kind)kind));
            separator = ", ";
        }
    }
}

static void put_sums(out *to, const stats_sums *sums) {
    uint64_t messages = count_messages(sums);
    if (sums->has_time) {
        put_label(to, "time");
        out_datetime(to, sums->first_ms);
        out_text(to, " to ");
        out_datetime(to, sums->last_ms);
        out_char(to, '\n');
    }
    put_label(to, "messages");
    out_u64(to, messages);
    put_rate(to, sums, messages);
    put_kinds(to, sums);
    out_char(to, '\n');
    put_label(to, "metrics");
    out_u64(to, sums->metrics);
    put_rate(to, sums, sums->metrics);
    if (sums->historical > 0) {
        out_text(to, "; ");
        out_u64(to, sums->historical);
        out_text(to, " historical");
    }
    out_char(to, '\n');
    put_label(to, "payloads");
    put_count(to, sums->payload_bytes, "byte", "bytes");
    out_text(to, "; ");
    out_u64(to, messages > 0 ? (sums->payload_bytes + messages / 2) / messages : 0);
    out_text(to, " on average, ");
    out_u64(to, sums->largest_payload);
    out_text(to, " at most\n");
    put_label(to, "sequence");
    if (sums->gaps == 0) {
        out_text(to, "no gap\n");
        return;
    }
    put_count(to, sums->gaps, "gap", "gaps");
    out_text(to, ", ");
    put_count(to, sums->missing, "message missing\n", "messages missing\n");
}

static void put_capture(out *to, const feed_counts *counts) {
    const capture_counts *seen = &counts->capture;
    put_label(to, "packets");
    out_u64(to, seen->packets);
    out_text(to, "; ");
    put_count(to, seen->segments, "TCP segment", "TCP segments");
    out_text(to, ", ");
    out_u64(to, seen->repeated);
    out_text(to, " repeated, ");
    out_u64(to, seen->out_of_order);
    out_text(to, " early\n");
    put_label(to, "connections");
    out_u64(to, seen->connections);
    out_text(to, "; ");
    out_u64(to, seen->mqtt_connections);
    out_text(to, " MQTT, ");
    out_u64(to, seen->tls_connections);
    out_text(to, " TLS\n");
    put_label(to, "gaps");
    out_u64(to, counts->gaps);
    out_text(to, "; ");
    put_count(to, seen->lost_bytes, "byte", "bytes");
    out_text(to, " lost, ");
    out_u64(to, counts->skipped_bytes);
    out_text(to, " skipped\n");
    put_label(to, "copies");
    out_u64(to, counts->copies);
    out_text(to, " of messages on their way to subscribers\n");
}

void stats_write_text(const stats *s, const feed_counts *counts, out *to) {
    uint64_t nodes = 0;
    for (size_t i = 0; i < s->capacity; i++) {
        const stats_node *node = &s->nodes[i];
        if (node->is_used) {
            nodes++;
            (void)text_escaped(to, node->group);
            out_char(to, '/');
            (void)text_escaped(to, node->node);
            out_text(to, ", ");
            put_count(to, node->devices, "device", "devices");
            out_char(to, '\n');
            put_sums(to, &node->sums);
        }
    }
    out_text(to, "all: ");
    put_count(to, nodes, "node", "nodes");
    out_char(to, '\n');
    put_sums(to, &s->all);
    if (counts->is_capture) {
        put_capture(to, counts);
    }
}

/* ---- JSON ---- */

static void write_u64(json *j, const char *key, uint64_t number) {
    json_key(j, key);
    json_u64(j, number);
}

static void write_sums(json *j, const stats_sums *sums) {
    if (sums->has_time) {
        write_u64(j, "first", sums->first_ms);
        write_u64(j, "last", sums->last_ms);
    }
    json_key(j, "messages");
    json_begin_object(j);
    for (int kind = 0; kind < STATS_KINDS; kind++) {
        if (sums->messages[kind] > 0) {
            write_u64(j, spb_kind_name((spb_kind)kind), sums->messages[kind]);
        }
    }
    write_u64(j, "all", count_messages(sums));
    json_end_object(j);
    write_u64(j, "metrics", sums->metrics);
    write_u64(j, "historical", sums->historical);
    write_u64(j, "payload_bytes", sums->payload_bytes);
    write_u64(j, "largest_payload", sums->largest_payload);
    write_u64(j, "sequence_gaps", sums->gaps);
    write_u64(j, "missing_messages", sums->missing);
}

static void write_capture(json *j, const feed_counts *counts) {
    const capture_counts *seen = &counts->capture;
    json_key(j, "capture");
    json_begin_object(j);
    write_u64(j, "packets", seen->packets);
    write_u64(j, "bytes", seen->bytes);
    write_u64(j, "segments", seen->segments);
    write_u64(j, "repeated_segments", seen->repeated);
    write_u64(j, "early_segments", seen->out_of_order);
    write_u64(j, "gaps", counts->gaps);
    write_u64(j, "lost_bytes", seen->lost_bytes);
    write_u64(j, "skipped_bytes", counts->skipped_bytes);
    write_u64(j, "connections", seen->connections);
    write_u64(j, "mqtt_connections", seen->mqtt_connections);
    write_u64(j, "tls_connections", seen->tls_connections);
    write_u64(j, "copies", counts->copies);
    json_end_object(j);
}

void stats_write_json(const stats *s, const feed_counts *counts, out *to) {
    json j = {.to = to};
    uint64_t nodes = 0;
    for (size_t i = 0; i < s->capacity; i++) {
        const stats_node *node = &s->nodes[i];
        if (node->is_used) {
            nodes++;
            json_begin_object(&j);
            json_key(&j, "group");
            json_string(&j, node->group);
            json_key(&j, "node");
            json_string(&j, node->node);
            write_u64(&j, "devices", node->devices);
            write_sums(&j, &node->sums);
            json_end_object(&j);
            json_end_line(&j);
        }
    }
    json_begin_object(&j);
    write_u64(&j, "nodes", nodes);
    write_sums(&j, &s->all);
    if (counts->is_capture) {
        write_capture(&j, counts);
    }
    json_end_object(&j);
    json_end_line(&j);
}
