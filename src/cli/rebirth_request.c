/* Decides when a node is asked, and with which message. Which nodes need it is left to watch_table.c. */
#include "cli/rebirth_request.h"

#include <stdlib.h>
#include <string.h>

typedef struct request {
    struct request *next;
    bool is_sent;
    uint64_t due_ms;
    char topic[]; /* of the NCMD */
} request;

struct rebirth_requests {
    request *first;
    uint64_t random;
};

enum { MAX_TOPIC_BYTES = 65536 };

rebirth_requests *rebirth_requests_new(uint64_t seed) {
    rebirth_requests *all = calloc(1, sizeof *all);
    if (all) {
        all->random = seed | 1;
    }
    return all;
}

void rebirth_requests_free(rebirth_requests *all) {
    while (all && all->first) {
        request *next = all->first->next;
        free(all->first);
        all->first = next;
    }
    free(all);
}

/* xorshift64* */
static uint64_t draw(rebirth_requests *all) {
    all->random ^= all->random >> 12;
    all->random ^= all->random << 25;
    all->random ^= all->random >> 27;
    return (all->random * UINT64_C(2685821657736338717)) >> 33;
}

bool rebirth_requests_add(rebirth_requests *all, const spb_topic *node, uint64_t now_ms) {
    spb_topic topic = *node;
    topic.kind = SPB_KIND_NCMD;
    request *made = malloc(sizeof *made + MAX_TOPIC_BYTES);
    size_t len = 0;
    if (!made || spb_topic_format(&topic, made->topic, MAX_TOPIC_BYTES, &len, NULL) != SPB_OK) {
        free(made);
        return false;
    }
    for (const request *one = all->first; one; one = one->next) {
        if (strcmp(one->topic, made->topic) == 0) {
            free(made);
            return true; /* once is enough */
        }
    }
    request *smaller = realloc(made, sizeof *made + len + 1);
    made = smaller ? smaller : made;
    made->is_sent = false;
    made->due_ms = now_ms + REBIRTH_MIN_MS + draw(all) % (REBIRTH_MAX_MS - REBIRTH_MIN_MS);
    made->next = all->first;
    all->first = made;
    return true;
}

/* With the datatype: nodes that look at nothing else know the value by it (the npm package sparkplug-client). */
static void send(live *to, const char *topic, uint64_t unix_ms) {
    spb_payload_metric metric = {.name = spb_str_from("Node Control/Rebirth"), .value = spb_boolean(true)};
    metric.has_timestamp = true;
    metric.timestamp_ms = unix_ms;
    const spb_payload payload = {.has_timestamp = true, .timestamp_ms = unix_ms, .metrics = &metric, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    if (spb_payload_encode(&payload, NULL, &bytes, &len, NULL) == SPB_OK) {
        spb_error err;
        (void)live_publish(to, topic, (spb_bytes){bytes, len}, &err);
        spb_free(bytes);
    }
}

int rebirth_requests_send(rebirth_requests *all, const watch_table *known, live *to, uint64_t now_ms,
                          uint64_t unix_ms) {
    int wait_ms = -1;
    for (request *one = all->first; one; one = one->next) {
        spb_topic topic;
        if (one->is_sent) {
            continue;
        }
        if (one->due_ms > now_ms) {
            int left_ms = (int)(one->due_ms - now_ms);
            wait_ms = wait_ms < 0 || left_ms < wait_ms ? left_ms : wait_ms;
            continue;
        }
        one->is_sent = true;
        if (spb_topic_parse(&topic, spb_str_from(one->topic), NULL) == SPB_OK &&
            watch_table_is_unknown(known, &topic)) {
            send(to, one->topic, unix_ms);
        }
    }
    return wait_ms;
}
