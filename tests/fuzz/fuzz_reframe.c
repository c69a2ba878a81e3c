/*
 * Any bytes as encoded metrics: what is framed anew is what decoding, setting is_historical and encoding would give,
 * and nothing that our encoder would write is refused.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/encode.h"
#include "codec/reframe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_reframe: %s\n", what);
        abort();
    }
}

/* The payload's metrics, encoded; false: encoding is stricter than decoding. */
static bool encode(spb_buffer *out, const spb_payload *payload, bool historical) {
    for (size_t i = 0; i < payload->metric_count; i++) {
        spb_payload_metric metric = payload->metrics[i];
        metric.is_historical = metric.is_historical || historical;
        if (spb_encode__metric(out, &metric, NULL) != SPB_OK) {
            return false;
        }
    }
    return true;
}

static bool same(const spb_buffer *a, spb_bytes b) {
    return a->len == b.len && (b.len == 0 || memcmp(a->data, b.data, b.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const spb_bytes metrics = {data, size};
    spb_buffer out = {0}, plain = {0}, wanted = {0};
    uint32_t kept, dropped;
    spb_status status = spb_reframe__historical(&out, metrics, 0, 0, NULL, NULL, &kept, &dropped);
    demand(status == SPB_OK || (out.len == 0 && kept == 0), "a failure that left something");
    demand(dropped == 0, "something dropped without a filter");
    spb_payload *payload;
    if (spb_payload_decode(&payload, metrics, NULL, NULL) == SPB_OK) {
        bool is_ours = encode(&plain, payload, false) && same(&plain, metrics) && encode(&wanted, payload, true);
        for (size_t i = 0; i < payload->metric_count; i++) {
            is_ours = is_ours && (payload->metrics[i].name.data || payload->metrics[i].alias != 0);
        }
        demand(!is_ours || status == SPB_OK, "refused what our encoder writes");
        demand(!is_ours || same(&out, (spb_bytes){wanted.data, wanted.len}), "other bytes than encoding gives");
        demand(!is_ours || kept == payload->metric_count, "another number of metrics");
        spb_payload_free(payload);
    }
    spb_buffer__clear(&out);
    spb_buffer__clear(&plain);
    spb_buffer__clear(&wanted);
    return 0;
}
