/* Decides which messages a node may send after which. */
#include "support/wire_rules.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEVICES 16

typedef struct stream {
    size_t transport;
    uint32_t link;
    uint64_t bdseq;
    bool has_will, is_born, is_dead;
    uint64_t next_seq;
    char born_devices[MAX_DEVICES][64];
    size_t born_count;
} stream;

static spb_payload *decode(const fake_message *message) {
    spb_payload *payload;
    spb_error err;
    spb_status status = spb_payload_decode(&payload, (spb_bytes){message->payload, message->len}, NULL, &err);
    ck_assert_msg(status == SPB_OK, "%s: %s", message->topic, err.text);
    return payload;
}

spb_value wire_metric(const fake_message *message, const char *name, spb_payload **payload) {
    *payload = decode(message);
    for (size_t i = 0; i < (*payload)->metric_count; i++) {
        if (spb_str_equal((*payload)->metrics[i].name, spb_str_from(name))) {
            return (*payload)->metrics[i].value;
        }
    }
    ck_abort_msg("%s has no metric %s", message->topic, name);
    return spb_null(SPB_UNKNOWN);
}

static uint64_t bdseq_of(const fake_message *message) {
    spb_payload *payload;
    spb_value value = wire_metric(message, "bdSeq", &payload);
    uint64_t bdseq = value.as.u64;
    ck_assert_int_eq(value.type, SPB_INT64);
    spb_payload_free(payload);
    return bdseq;
}

static void check_will(stream *state, const fake_message *will) {
    uint64_t bdseq = bdseq_of(will);
    spb_payload *payload = decode(will);
    ck_assert_int_eq(will->qos, 1);
    ck_assert(!will->retain && !payload->has_seq);
    ck_assert_ptr_nonnull(strstr(will->topic, "/NDEATH/"));
    if (state->has_will && state->transport == will->transport) {
        ck_assert_uint_eq(bdseq, (state->bdseq + 1) % 256);
    } else if (state->has_will) {
        /* The node before may have been freed between saving a number and using it. */
        ck_assert_uint_ne(bdseq, state->bdseq);
    }
    *state = (stream){.transport = will->transport, .link = will->link, .bdseq = bdseq, .has_will = true};
    spb_payload_free(payload);
}

static size_t find_device(const stream *state, spb_str device_id) {
    size_t i = 0;
    while (i < state->born_count && !spb_str_equal(spb_str_from(state->born_devices[i]), device_id)) {
        i++;
    }
    return i;
}

static void check_seq(stream *state, const fake_message *message) {
    spb_payload *payload = decode(message);
    ck_assert_msg(payload->has_seq && payload->seq == state->next_seq, "%s: seq %llu, expected %llu", message->topic,
                  (unsigned long long)payload->seq, (unsigned long long)state->next_seq);
    state->next_seq = (state->next_seq + 1) % 256;
    for (size_t i = 0; i < payload->metric_count; i++) {
        ck_assert(payload->metrics[i].has_timestamp);
    }
    spb_payload_free(payload);
}

static void check_device(stream *state, const spb_topic *topic) {
    size_t index = find_device(state, topic->device_id);
    bool is_born = index < state->born_count;
    if (topic->kind == SPB_KIND_DBIRTH && !is_born) {
        ck_assert_uint_lt(state->born_count, MAX_DEVICES);
        ck_assert_uint_lt(topic->device_id.len, sizeof state->born_devices[0]);
        char *id = state->born_devices[state->born_count++];
        memcpy(id, topic->device_id.data, topic->device_id.len);
        id[topic->device_id.len] = '\0';
    } else if (topic->kind == SPB_KIND_DDATA) {
        ck_assert_msg(is_born, "data of a device before its birth");
    } else if (topic->kind == SPB_KIND_DDEATH) {
        ck_assert_msg(is_born, "death of a device before its birth");
        if (index != --state->born_count) { /* gcc makes a memcpy of a memmove of array elements, even onto itself */
            memcpy(state->born_devices[index], state->born_devices[state->born_count], sizeof state->born_devices[0]);
        }
    }
}

static void check_message(stream *state, const fake_message *message) {
    spb_topic topic;
    ck_assert_int_eq(spb_topic_parse(&topic, spb_str_from(message->topic), NULL), SPB_OK);
    ck_assert_uint_eq(message->link, state->link);
    ck_assert_msg(!state->is_dead, "%s after NDEATH", message->topic);
    ck_assert(!message->retain);
    if (topic.kind == SPB_KIND_NDEATH) {
        ck_assert(state->is_born);
        ck_assert_uint_eq(bdseq_of(message), state->bdseq);
        state->is_dead = true;
        return;
    }
    ck_assert_int_eq(message->qos, 0);
    if (topic.kind == SPB_KIND_NBIRTH) {
        ck_assert_uint_eq(bdseq_of(message), state->bdseq);
        state->is_born = true;
        state->next_seq = 0;
        state->born_count = 0;
    }
    ck_assert_msg(state->is_born, "%s before NBIRTH", message->topic);
    check_seq(state, message);
    if (spb_kind_is_device(topic.kind)) {
        check_device(state, &topic);
    }
}

void wire_rules_check(fake_server *server) {
    stream state = {0};
    const fake_message *message;
    for (size_t i = 0; (message = fake_server_message(server, i)) != NULL; i++) {
        if (message->is_connect) {
            check_will(&state, message);
        } else {
            check_message(&state, message);
        }
    }
}
