#include "support/random_payload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
    spb_arena *arena;
    uint64_t state;
    size_t names; /* so far, for names that are unique */
} source;

static spb_payload_metric random_metric(source *s, size_t depth);

/* xorshift64* */
static uint64_t next(source *s) {
    s->state ^= s->state >> 12;
    s->state ^= s->state << 25;
    s->state ^= s->state >> 27;
    return s->state * UINT64_C(2685821657736338717);
}

static size_t below(source *s, size_t limit) {
    return (size_t)(next(s) >> 11) % limit;
}

static bool chance(source *s, size_t one_in) {
    return below(s, one_in) == 0;
}

/* Numbers of every width, not mostly large ones. */
static uint64_t number(source *s) {
    return next(s) >> below(s, 64);
}

static void *allocate(source *s, size_t count, size_t size) {
    void *memory = spb_arena__calloc(s->arena, count, size);
    if (!memory) {
        abort(); /* the arena is too small for the test */
    }
    return memory;
}

static spb_str text(source *s) {
    static const char *const parts[] = {"a", "Press", "/", " ", "°", "€", "\xf0\x9f\x8f\xad", "0123456789", "\n", "ß"};
    char *data = allocate(s, 1, 256);
    size_t count = chance(s, 50) ? 20 : below(s, 6);
    for (size_t i = 0; i < count; i++) {
        strcat(data, parts[below(s, sizeof parts / sizeof *parts)]);
    }
    return spb_str_from(data);
}

static spb_str name(source *s) {
    char *data = allocate(s, 1, 64);
    snprintf(data, 64, "%s%zu", chance(s, 2) ? "Line/Metric " : "m", s->names++);
    return spb_str_from(data);
}

static spb_bytes bytes(source *s) {
    size_t len = chance(s, 20) ? 300 + below(s, 300) : below(s, 20);
    uint8_t *data = allocate(s, len, 1);
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)next(s);
    }
    return (spb_bytes){data, len};
}

static double real(source *s) {
    static const double odd[] = {0, -0.0, 1e-310, INFINITY, -INFINITY, NAN};
    return chance(s, 4) ? odd[below(s, sizeof odd / sizeof *odd)] : (double)(int64_t)number(s) / 7;
}

static spb_value array(source *s, spb_type type) {
    static const uint8_t widths[] = {1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
    size_t count = chance(s, 4) ? 0 : below(s, 40);
    spb_value value = {.type = type, .as.array.count = count};
    if (type == SPB_STRING_ARRAY) {
        spb_str *items = allocate(s, count, sizeof *items);
        for (size_t i = 0; i < count; i++) {
            items[i] = text(s);
        }
        value.as.array.items = items;
        return value;
    }
    if (type == SPB_BOOLEAN_ARRAY) {
        bool *items = allocate(s, count, sizeof *items);
        for (size_t i = 0; i < count; i++) {
            items[i] = chance(s, 2);
        }
        value.as.array.items = items;
        return value;
    }
    size_t width = type == SPB_DATETIME_ARRAY ? 8 : widths[type - SPB_INT8_ARRAY];
    uint8_t *items = allocate(s, count, width);
    for (size_t i = 0; i < count * width; i++) {
        items[i] = (uint8_t)next(s);
    }
    value.as.array.items = items;
    return value;
}

/* Of the types 1 to 15, which may stand everywhere. */
static spb_value scalar(source *s, spb_type type) {
    if (chance(s, 12)) {
        return spb_null(type);
    }
    switch (type) {
    case SPB_INT8: return spb_int8((int8_t)next(s));
    case SPB_INT16: return spb_int16((int16_t)next(s));
    case SPB_INT32: return spb_int32((int32_t)next(s));
    case SPB_INT64: return spb_int64(chance(s, 2) ? -(int64_t)(number(s) / 2) : (int64_t)(number(s) / 2));
    case SPB_UINT8: return spb_uint8((uint8_t)next(s));
    case SPB_UINT16: return spb_uint16((uint16_t)next(s));
    case SPB_UINT32: return spb_uint32((uint32_t)number(s));
    case SPB_UINT64: return spb_uint64(number(s));
    case SPB_FLOAT: return spb_float((float)real(s));
    case SPB_DOUBLE: return spb_double(real(s));
    case SPB_BOOLEAN: return spb_boolean(chance(s, 2));
    case SPB_DATETIME: return spb_datetime(number(s));
    default: return spb_string_view(type, text(s));
    }
}

static spb_type scalar_type(source *s) {
    return (spb_type)(1 + below(s, SPB_UUID));
}

static const spb_dataset *dataset(source *s) {
    spb_dataset *made = allocate(s, 1, sizeof *made);
    made->column_count = below(s, 5);
    made->row_count = below(s, 6);
    spb_str *columns = allocate(s, made->column_count, sizeof *columns);
    spb_type *types = allocate(s, made->column_count, sizeof *types);
    spb_value *cells = allocate(s, made->column_count * made->row_count, sizeof *cells);
    for (size_t i = 0; i < made->column_count; i++) {
        columns[i] = name(s);
        types[i] = scalar_type(s);
    }
    for (size_t i = 0; i < made->column_count * made->row_count; i++) {
        cells[i] = scalar(s, types[i % made->column_count]);
    }
    made->columns = columns;
    made->types = types;
    made->cells = cells;
    return made;
}

static spb_property_set property_set(source *s, size_t depth) {
    size_t count = below(s, 4);
    spb_property *items = allocate(s, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i].key = name(s);
        if (depth > 0 && chance(s, 4)) {
            spb_property_set *inner = allocate(s, 1, sizeof *inner);
            *inner = property_set(s, depth - 1);
            items[i].value = spb_property_set_value(inner);
        } else if (depth > 0 && chance(s, 6)) {
            spb_property_sets *list = allocate(s, 1, sizeof *list);
            spb_property_set *sets = allocate(s, 3, sizeof *sets);
            *list = (spb_property_sets){sets, below(s, 4)};
            for (size_t j = 0; j < list->count; j++) {
                sets[j] = property_set(s, depth - 1);
            }
            items[i].value = spb_property_sets_value(list);
        } else {
            items[i].value = scalar(s, scalar_type(s));
        }
    }
    return (spb_property_set){items, count};
}

static const spb_template *template_of(source *s, size_t depth) {
    spb_template *made = allocate(s, 1, sizeof *made);
    made->has_is_definition = true;
    made->is_definition = chance(s, 2);
    made->template_ref = made->is_definition ? (spb_str){0} : name(s);
    made->version = chance(s, 2) ? text(s) : (spb_str){0};
    made->metric_count = below(s, 5);
    made->parameter_count = below(s, 4);
    spb_payload_metric *metrics = allocate(s, made->metric_count, sizeof *metrics);
    spb_parameter *parameters = allocate(s, made->parameter_count, sizeof *parameters);
    for (size_t i = 0; i < made->metric_count; i++) {
        metrics[i] = random_metric(s, depth - 1);
    }
    for (size_t i = 0; i < made->parameter_count; i++) {
        parameters[i] = (spb_parameter){name(s), scalar(s, scalar_type(s))};
    }
    made->metrics = metrics;
    made->parameters = parameters;
    return made;
}

static const spb_metadata *metadata(source *s) {
    spb_metadata *made = allocate(s, 1, sizeof *made);
    made->has_is_multi_part = chance(s, 2);
    made->is_multi_part = made->has_is_multi_part && chance(s, 2);
    made->has_size = chance(s, 2);
    made->size = made->has_size ? number(s) : 0;
    made->has_seq = chance(s, 2);
    made->seq = made->has_seq ? number(s) : 0;
    spb_str *const texts[] = {&made->content_type, &made->file_name, &made->file_type, &made->md5, &made->description};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = chance(s, 2) ? text(s) : (spb_str){0};
    }
    return made;
}

static spb_value metric_value(source *s, size_t depth) {
    size_t choice = below(s, 20);
    if (choice < 12) {
        return scalar(s, scalar_type(s));
    }
    if (choice < 15) {
        return array(s, (spb_type)(SPB_INT8_ARRAY + below(s, SPB_DATETIME_ARRAY - SPB_INT8_ARRAY + 1)));
    }
    if (choice < 17) {
        spb_value value = {.type = chance(s, 2) ? SPB_BYTES : SPB_FILE, .as.bytes = bytes(s)};
        return value;
    }
    if (choice < 18 || depth == 0) {
        return spb_dataset_value(dataset(s));
    }
    return spb_template_value(template_of(s, depth));
}

static spb_payload_metric random_metric(source *s, size_t depth) {
    spb_payload_metric metric = {.name = name(s), .value = metric_value(s, depth)};
    metric.has_alias = chance(s, 2);
    metric.alias = metric.has_alias ? number(s) : 0;
    metric.has_timestamp = chance(s, 2);
    metric.timestamp_ms = metric.has_timestamp ? number(s) : 0;
    metric.is_historical = chance(s, 5);
    metric.is_transient = chance(s, 5);
    metric.metadata = chance(s, 5) ? metadata(s) : NULL;
    if (chance(s, 4)) {
        spb_property_set *set = allocate(s, 1, sizeof *set);
        *set = property_set(s, depth);
        metric.properties = set;
    }
    return metric;
}

spb_payload random_payload(spb_arena *arena, uint64_t seed) {
    source s = {.arena = arena, .state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15)};
    spb_payload payload = {.has_timestamp = chance(&s, 2), .has_seq = chance(&s, 2), .has_body = chance(&s, 8)};
    payload.timestamp_ms = payload.has_timestamp ? number(&s) : 0;
    payload.seq = payload.has_seq ? below(&s, 256) : 0;
    payload.uuid = chance(&s, 8) ? text(&s) : (spb_str){0};
    payload.body = payload.has_body ? bytes(&s) : (spb_bytes){0};
    payload.metric_count = below(&s, 12);
    spb_payload_metric *metrics = allocate(&s, payload.metric_count, sizeof *metrics);
    for (size_t i = 0; i < payload.metric_count; i++) {
        metrics[i] = random_metric(&s, 4);
    }
    payload.metrics = metrics;
    return payload;
}
