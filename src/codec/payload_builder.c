/* Decides how payloads are made metric by metric. What may stand in one is left to the encoder. */
#include <spb/payload.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/encode.h"
#include "codec/limits.h"
#include "codec/value.h"

spb_status spb_payload_new(spb_payload **out, spb_error *err) {
    *out = NULL;
    spb_arena *arena = spb_arena__new(spb_limits__effective(NULL).max_heap_bytes);
    spb_payload *payload = arena ? spb_arena__calloc(arena, 1, sizeof *payload) : NULL;
    if (!payload) {
        spb_arena__free(arena);
        return spb_error__no_memory(err, "a payload");
    }
    payload->storage = arena;
    *out = payload;
    return SPB_OK;
}

spb_status spb_payload_add_metric(spb_payload *payload, const spb_payload_metric *metric, spb_error *err) {
    if (!payload->storage) {
        return spb_error__set(err, SPB_ERR_STATE, "metric: the payload was not made by spb_payload_new");
    }
    spb_status status = spb_encode__check_metric(metric, err);
    if (status != SPB_OK) {
        return status;
    }
    spb_payload_metric copy;
    status = spb_metric__copy_to(&copy, metric, payload->storage, err);
    if (status != SPB_OK) {
        return status;
    }
    spb_payload_metric *metrics = spb_arena__grow(payload->storage, payload->metrics, payload->metric_count,
                                                  &payload->capacity, 1, sizeof *metrics);
    if (!metrics) {
        return spb_arena__no_room(payload->storage, "a metric", err);
    }
    metrics[payload->metric_count] = copy;
    payload->metrics = metrics;
    payload->metric_count++;
    return SPB_OK;
}
