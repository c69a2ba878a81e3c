/* Makes values of every kind a metric may have, and tells them apart by a hash. */
#include <string.h>

#include "sim/sim.h"

static const spb_type types[] = {SPB_INT8,        SPB_INT16,        SPB_INT32,         SPB_INT64,       SPB_UINT8,
                                 SPB_UINT16,      SPB_UINT32,       SPB_UINT64,        SPB_FLOAT,       SPB_DOUBLE,
                                 SPB_BOOLEAN,     SPB_STRING,       SPB_DATETIME,      SPB_TEXT,        SPB_BYTES,
                                 SPB_INT32_ARRAY, SPB_DOUBLE_ARRAY, SPB_BOOLEAN_ARRAY, SPB_STRING_ARRAY};

spb_type sim_type(uint64_t seed) {
    return types[seed % (sizeof types / sizeof *types)];
}

static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Mostly small, now and then as large as the space. */
static size_t size_of(uint64_t seed, size_t capacity) {
    uint64_t kind = seed % 16;
    return (size_t)(mix(seed) % (kind == 0 ? capacity + 1 : kind < 4 ? capacity / 8 + 1 : 6));
}

static spb_str text_in(sim_space *space, uint64_t seed) {
    char *text = (char *)space->words;
    size_t len = size_of(seed, sizeof space->words);
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)('a' + (seed + i) % 26);
    }
    return (spb_str){text, len};
}

static void fill_words(sim_space *space, uint64_t seed, size_t len) {
    for (size_t i = 0; i < (len + 7) / 8; i++) {
        space->words[i] = mix(seed + i);
    }
}

static spb_value array(sim_space *space, spb_type type, uint64_t seed) {
    switch (type) {
    case SPB_INT32_ARRAY: {
        size_t count = size_of(seed, sizeof space->words / (sizeof(int32_t)));
        fill_words(space, seed, count * sizeof(int32_t));
        return spb_int32_array((const int32_t *)(const void *)space->words, count);
    }
    case SPB_DOUBLE_ARRAY: {
        size_t count = size_of(seed, 512);
        double *items = (double *)(void *)space->words;
        for (size_t i = 0; i < count; i++) {
            items[i] = (double)(mix(seed + i) % 1000000) / 8;
        }
        return spb_double_array(items, count);
    }
    case SPB_BOOLEAN_ARRAY: {
        size_t count = size_of(seed, sizeof space->bits);
        for (size_t i = 0; i < count; i++) {
            space->bits[i] = mix(seed + i) & 1;
        }
        return spb_boolean_array(space->bits, count);
    }
    default: {
        size_t count = size_of(seed, 32);
        for (size_t i = 0; i < count; i++) {
            space->texts[i] = (spb_str){&"abcdefghijklmnopqrstuvwxyz"[i % 7], (size_t)(mix(seed + i) % 12)};
        }
        return spb_string_array(space->texts, count);
    }
    }
}

spb_value sim_value(sim_space *space, spb_type type, uint64_t seed) {
    if (seed % 11 == 0) {
        return spb_null(type);
    }
    uint64_t bits = mix(seed);
    switch (type) {
    case SPB_INT8: return spb_int8((int8_t)bits);
    case SPB_INT16: return spb_int16((int16_t)bits);
    case SPB_INT32: return spb_int32((int32_t)bits);
    case SPB_INT64: return spb_int64((int64_t)bits);
    case SPB_UINT8: return spb_uint8((uint8_t)bits);
    case SPB_UINT16: return spb_uint16((uint16_t)bits);
    case SPB_UINT32: return spb_uint32((uint32_t)bits);
    case SPB_UINT64: return spb_uint64(bits);
    case SPB_FLOAT: return spb_float((float)(bits % 1000000) / 8);
    case SPB_DOUBLE: return spb_double((double)(bits % 1000000000) / 16);
    case SPB_BOOLEAN: return spb_boolean(bits & 1);
    case SPB_DATETIME: return spb_datetime(bits >> 20);
    case SPB_STRING:
    case SPB_TEXT: return spb_string_view(type, text_in(space, bits));
    case SPB_BYTES: {
        size_t len = size_of(bits, sizeof space->words);
        fill_words(space, bits, len);
        return spb_bytes_value(space->words, len);
    }
    default: return array(space, type, bits);
    }
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len) {
    const uint8_t *bytes = data;
    hash = mix(hash ^ len);
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

uint64_t sim_hash(const spb_value *value) {
    uint64_t hash = mix((uint64_t)value->type);
    if (value->is_null) {
        return hash;
    }
    spb_value element;
    size_t cursor = 0;
    switch (value->type) {
    case SPB_FLOAT: return hash_bytes(hash, &value->as.f32, sizeof value->as.f32);
    case SPB_DOUBLE: return hash_bytes(hash, &value->as.f64, sizeof value->as.f64);
    case SPB_BOOLEAN: return mix(hash ^ (value->as.boolean ? 2 : 1));
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: return hash_bytes(hash, value->as.str.data, value->as.str.len);
    case SPB_BYTES: return hash_bytes(hash, value->as.bytes.data, value->as.bytes.len);
    default: break;
    }
    if (!spb_type_is_array(value->type)) {
        return mix(hash ^ mix(value->as.u64 + 1));
    }
    hash = mix(hash ^ 7);
    while (spb_array_next(value, &cursor, &element)) {
        hash = mix(hash * 31 + sim_hash(&element));
    }
    return hash;
}

uint64_t sim_look(const spb_value *value, uint32_t quality) {
    return sim_hash(value) ^ (quality ? mix(quality) : 0);
}

uint32_t sim_quality(const spb_payload_metric *metric) {
    const spb_property *quality = spb_property_find(metric->properties, SPB_PROPERTY_QUALITY);
    return !quality || quality->value.as.i64 == SPB_QUALITY_GOOD ? SPB_SAMPLE_GOOD
           : quality->value.as.i64 == SPB_QUALITY_BAD            ? SPB_SAMPLE_BAD
                                                                 : SPB_SAMPLE_STALE;
}

uint64_t sim_look_of(const spb_payload_metric *metric, const spb_value *value) {
    return sim_look(value, sim_quality(metric));
}

spb_value sim_near_value(sim_space *space, spb_type type, uint64_t seed) {
    uint64_t few = seed / 16 % 12;
    if (seed % 16 == 0) {
        return spb_null(type);
    }
    switch (type) {
    case SPB_INT8: return spb_int8((int8_t)few);
    case SPB_INT16: return spb_int16((int16_t)few);
    case SPB_INT32: return spb_int32((int32_t)few);
    case SPB_INT64: return spb_int64((int64_t)few);
    case SPB_UINT8: return spb_uint8((uint8_t)few);
    case SPB_UINT16: return spb_uint16((uint16_t)few);
    case SPB_UINT32: return spb_uint32((uint32_t)few);
    case SPB_UINT64: return spb_uint64(few);
    case SPB_FLOAT: return spb_float((float)few / 4);
    case SPB_DOUBLE: return spb_double((double)few / 4);
    default: return sim_value(space, type, 2 + few % 4);
    }
}
