/* Decides what stands in births, deaths and data. When they are sent is left to the session, the bytes to the codec. */
#include "core/certificate.h"

#include <stdlib.h>

#include "base/error.h"
#include "codec/encode.h"
#include "core/birth_order.h"

/* So many properties of a birth are put together without the heap. */
#define FEW_PROPERTIES 16

static spb_property quality_of(uint8_t quality) {
    return (spb_property){.key = {SPB_PROPERTY_QUALITY, sizeof SPB_PROPERTY_QUALITY - 1},
                          .value = spb_int32(spb_metric__quality_code(quality))};
}

/* The entry with the present quality among its properties; the definition may have given the first one. */
static spb_status with_quality(spb_buffer *out, spb_payload_metric *entry, uint8_t quality, spb_error *err) {
    const spb_property_set *given = entry->properties;
    size_t count = 0, most = (given ? given->count : 0) + 1;
    spb_property few[FEW_PROPERTIES];
    spb_property *items = most <= FEW_PROPERTIES ? few : malloc(most * sizeof *items);
    if (!items) {
        return spb_error__no_memory(err, "the properties of a metric");
    }
    spb_str key = spb_str_from(SPB_PROPERTY_QUALITY);
    for (size_t i = 0; given && i < given->count; i++) {
        if (!spb_str_equal(given->items[i].key, key)) {
            items[count++] = given->items[i];
        }
    }
    items[count++] = quality_of(quality);
    spb_property_set all = {.items = items, .count = count};
    entry->properties = &all;
    spb_status status = spb_encode__metric(out, entry, err);
    if (items != few) {
        free(items);
    }
    return status;
}

spb_status spb_certificate__metric(spb_buffer *out, const spb_metric *metric, uint64_t timestamp_ms, spb_error *err) {
    const spb_metric_extra *extra = metric->extra;
    spb_payload_metric entry = {.name = spb_metric__name_view(metric),
                                .alias = metric->alias,
                                .has_alias = metric->alias != 0,
                                .timestamp_ms = timestamp_ms,
                                .has_timestamp = true,
                                .is_transient = metric->is_transient,
                                .value = metric->value};
    spb_metadata metadata = {.description = spb_str_from(extra ? extra->description : NULL)};
    if (metadata.description.data) {
        entry.metadata = &metadata;
    }
    if (extra && !extra->properties.is_null) {
        entry.properties = extra->properties.as.set;
    }
    return metric->has_quality ? with_quality(out, &entry, metric->quality, err) : spb_encode__metric(out, &entry, err);
}

spb_status spb_certificate__sample(spb_buffer *out, const spb_metric *metric, const spb_value *value,
                                   uint64_t timestamp_ms, uint8_t quality, bool is_historical, spb_error *err) {
    bool tells_quality = metric->has_quality || quality != SPB_SAMPLE_GOOD;
    if (metric->alias != 0 && !tells_quality && !is_historical &&
        spb_encode__sample(out, metric->alias, timestamp_ms, metric->is_transient, value)) {
        return SPB_OK;
    }
    spb_property property = quality_of(quality);
    spb_property_set told = {.items = &property, .count = 1};
    spb_payload_metric entry = {.alias = metric->alias,
                                .has_alias = metric->alias != 0,
                                .timestamp_ms = timestamp_ms,
                                .has_timestamp = true,
                                .omit_datatype = true,
                                .is_historical = is_historical,
                                .is_transient = metric->is_transient,
                                .value = *value};
    if (metric->alias == 0) {
        entry.name = spb_metric__name_view(metric);
    }
    if (tells_quality) {
        entry.properties = &told;
    }
    return spb_encode__metric(out, &entry, err);
}

static spb_status own_metric(spb_buffer *out, const char *name, spb_value value, uint64_t now_ms, spb_error *err) {
    spb_payload_metric entry = {
        .name = spb_str_from(name), .timestamp_ms = now_ms, .has_timestamp = true, .value = value};
    return spb_encode__metric(out, &entry, err);
}

/* What the session says of itself is of now, and stands where that belongs: usually at the end. */
typedef struct own_facts {
    const spb_birth_fact *items;
    size_t count;
    uint64_t now_ms;
} own_facts;

static spb_status add_facts(spb_buffer *out, own_facts *facts) {
    spb_status status = SPB_OK;
    for (size_t i = 0; i < facts->count && status == SPB_OK; i++) {
        status = own_metric(out, facts->items[i].name, facts->items[i].value, facts->now_ms, NULL);
    }
    facts->count = 0;
    return status;
}

static spb_status add_in_order(spb_buffer *out, spb_birth_order *order, own_facts facts) {
    spb_status status = SPB_OK;
    const spb_metric *metric;
    while (status == SPB_OK && (metric = spb_birth_order__next(order))) {
        uint64_t timestamp_ms = metric->is_definition ? order->oldest_ms : metric->timestamp_ms;
        if (timestamp_ms > facts.now_ms) {
            status = add_facts(out, &facts);
        }
        if (status == SPB_OK) {
            status = spb_certificate__metric(out, metric, timestamp_ms, NULL);
        }
    }
    return status == SPB_OK ? add_facts(out, &facts) : status;
}

spb_status spb_certificate__birth(spb_buffer *out, const spb_device *holder, const spb_birth_fact *facts,
                                  size_t fact_count, uint8_t seq, uint64_t now_ms) {
    spb_birth_order order;
    spb_status status = spb_birth_order__init(&order, holder);
    if (status != SPB_OK) {
        return status;
    }
    status = spb_encode__timestamp(out, now_ms);
    if (status == SPB_OK) {
        status = add_in_order(out, &order, (own_facts){facts, fact_count, now_ms});
    }
    spb_birth_order__clear(&order);
    return status == SPB_OK ? spb_encode__seq(out, seq) : status;
}

/* And no seq: tck-id-payloads-ndeath-seq. */
spb_status spb_certificate__node_death(spb_buffer *out, uint8_t bdseq, uint64_t now_ms, spb_error *err) {
    spb_status status = spb_encode__timestamp(out, now_ms);
    return status == SPB_OK ? own_metric(out, SPB_METRIC_BDSEQ, spb_int64(bdseq), now_ms, err) : status;
}

spb_status spb_certificate__device_death(spb_buffer *out, uint8_t seq, uint64_t now_ms) {
    spb_status status = spb_encode__timestamp(out, now_ms);
    return status == SPB_OK ? spb_encode__seq(out, seq) : status;
}
