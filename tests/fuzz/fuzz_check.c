/* Any events for `spb check`: a stream of records, each a kind, where it is, a topic of a list, and bytes as its
 * payload. Findings have words; the end of the stream leaves nothing behind. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const topics[] = {
    "spBv1.0/g/NBIRTH/n",   "spBv1.0/g/DBIRTH/n/d", "spBv1.0/g/NDATA/n",  "spBv1.0/g/DDATA/n/d", "spBv1.0/g/NDEATH/n",
    "spBv1.0/g/DDEATH/n/d", "spBv1.0/g/NCMD/n",     "spBv1.0/g/DCMD/n/d", "spBv1.0/STATE/h",     "spBv1.0/g/DBIRTH/n/D",
    "spBv1.0/G/NBIRTH/n",   "spBv1.0/g/DDATA/n/e",  "spBv1.0/#",          "spbv1.0/g/NDATA/n",   "STATE/h",
    "spBv1.0/g/NCMD/+"};

static void on_finding(const check_finding *finding, void *user) {
    size_t count;
    const check_rule *rules = check_rules(&count);
    (void)user;
    if (finding->rule >= count || !rules[finding->rule].right || finding->wrong[0] == '\0') {
        fprintf(stderr, "fuzz_check: a finding without words\n");
        abort();
    }
}

typedef struct source {
    const uint8_t *at, *end;
} source;

static uint8_t next(source *s) {
    return s->at < s->end ? *s->at++ : 0;
}

/* Two bytes of length, then so many, as far as there are. */
static spb_bytes next_bytes(source *s) {
    size_t len = (size_t)next(s) << 8;
    len |= next(s);
    len = len < (size_t)(s->end - s->at) ? len : (size_t)(s->end - s->at);
    spb_bytes bytes = {s->at, len};
    s->at += len;
    return bytes;
}

/* kind, connection and direction, flags, topic, payload. */
static check_event next_event(source *s, uint64_t number) {
    check_event event = {.kind = (check_event_kind)(next(s) % (CHECK_GAP + 1)), .number = number};
    uint8_t where = next(s), flags = next(s);
    event.connection = where & 7;
    event.from_client = (where & 8) != 0;
    if (event.connection == 0 && event.kind != CHECK_GAP) {
        event.kind = CHECK_PUBLISH;
        event.from_client = false;
    }
    event.from_client = event.connection > 0 && event.from_client;
    event.has_time = true;
    event.time_ms = UINT64_C(1700000000000) + number * (flags & 0xF0u) * 16;
    event.has_mqtt = (where & 16) != 0;
    const check_will message = {spb_str_from(topics[next(s) % (sizeof topics / sizeof *topics)]), next_bytes(s),
                                flags & 3, (flags & 4) != 0};
    switch (event.kind) {
    case CHECK_CONNECT:
        event.as.connect.protocol_level = (where & 32) ? 5 : 4;
        event.as.connect.is_clean = (where & 64) != 0;
        event.as.connect.has_will = (flags & 8) != 0;
        event.as.connect.will = message;
        break;
    case CHECK_SUBSCRIBE:
        event.as.subscribe.filter = message.topic;
        event.as.subscribe.qos = message.qos;
        break;
    case CHECK_DISCONNECT: event.as.disconnect.reason = flags; break;
    default: event.as.publish = message; break;
    }
    return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    source s = {data, data + size};
    check *c = check_new(on_finding, NULL);
    for (uint64_t number = 1; c && s.at < s.end; number++) {
        check_event event = next_event(&s, number);
        (void)check_event_add(c, &event);
    }
    if (c) {
        check_end(c, UINT64_C(1800000000000));
    }
    check_free(c);
    return 0;
}
