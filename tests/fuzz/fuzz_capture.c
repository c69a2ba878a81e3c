/* Any bytes as a capture file: all the way through libpcap, link layers, TCP and MQTT to events. Everything that an
 * event points to is read. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sum; /* so that the bytes are read */

static void read_bytes(const void *from, size_t len) {
    const uint8_t *bytes = from;
    for (size_t i = 0; i < len; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
}

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_capture: %s\n", what);
        abort();
    }
}

static void read_filters(const capture_subscribe *s) {
    size_t at = 0;
    size_t count = 0;
    capture_filter filter;
    while (capture_next_filter(s, &at, &filter)) {
        read_bytes(filter.topic.data, filter.topic.len);
        count++;
    }
    demand(count > 0 && at == s->filters.len, "filters that do not fill their packet");
}

static bool on_event(const capture_event *e, void *user) {
    char text[CAPTURE_ADDRESS_SIZE];
    size_t *count = user;
    (*count)++;
    demand(e->packet > 0 && e->connection > 0, "an event from nowhere");
    read_bytes(text, capture_address_text(e->client, text));
    read_bytes(text, capture_address_text(e->server, text));
    read_bytes(e->client_id.data, e->client_id.len);
    switch (e->kind) {
    case CAPTURE_CONNECT:
        read_bytes(e->as.connect.will_topic.data, e->as.connect.will_topic.len);
        read_bytes(e->as.connect.will_payload.data, e->as.connect.will_payload.len);
        read_bytes(e->as.connect.user_name.data, e->as.connect.user_name.len);
        break;
    case CAPTURE_PUBLISH:
        demand(e->as.publish.topic.data || e->as.publish.topic_alias > 0, "no topic, and no alias");
        read_bytes(e->as.publish.topic.data, e->as.publish.topic.len);
        read_bytes(e->as.publish.payload.data, e->as.publish.payload.len);
        break;
    case CAPTURE_SUBSCRIBE:
    case CAPTURE_UNSUBSCRIBE: read_filters(&e->as.subscribe); break;
    case CAPTURE_SUBACK: read_bytes(e->as.suback.reasons.data, e->as.suback.reasons.len); break;
    case CAPTURE_GAP: demand(e->as.gap.reason != NULL, "a gap without a reason"); break;
    case CAPTURE_CONNACK:
    case CAPTURE_DISCONNECT:
    case CAPTURE_CLOSED: break;
    }
    return *count < 100000;
}

/* A pipe holds 64 KiB, so that writing all of it first cannot block. */
static int pipe_with(const uint8_t *data, size_t size) {
    int ends[2];
    demand(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size, "no pipe");
    close(ends[1]);
    return ends[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 65536) {
        return 0;
    }
    int fd = pipe_with(data, size);
    spb_error err = {.status = SPB_OK};
    capture *c = NULL;
    capture_options options = {.max_connections = 4, .max_heap_bytes = 64 << 10, .max_packet_bytes = 16 << 10};
    spb_status status = capture_new(&c, fd, (spb_bytes){NULL, 0}, &options, &err);
    demand((status == SPB_OK) == (c != NULL), "success without a capture");
    demand(status == SPB_OK || err.text[0] != '\0', "failure without a text");
    size_t events = 0;
    capture_status got = c ? CAPTURE_MORE : CAPTURE_END;
    while (got == CAPTURE_MORE) {
        got = capture_next(c, on_event, &events, &err);
    }
    demand(got != CAPTURE_FAILED || err.text[0] != '\0', "failure without a text");
    capture_free(c);
    close(fd);
    return 0;
}
