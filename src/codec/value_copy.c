/*
 * Decides how a value is copied into one heap block: the same walk runs twice, first to measure, then to lay out. What
 * the value points to stands first in the block, so that the value itself tells where the block is.
 */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/limits.h"
#include "codec/value.h"

typedef struct block {
    uint8_t *base; /* NULL while measuring: then nothing is written */
    size_t used;
    size_t max_depth;
    spb_status status;
} block;

static spb_value copy_value(block *b, const spb_value *value, size_t depth);

/* Room for `count` items; NULL while measuring, for no items, and after a failure. */
static void *take(block *b, size_t count, size_t size, size_t align) {
    size_t padding = (align - b->used % align) % align;
    if (padding > SIZE_MAX - b->used || count > (SIZE_MAX - b->used - padding) / size) {
        b->status = SPB_ERR_NO_MEMORY;
        return NULL;
    }
    size_t begin = b->used + padding;
    b->used = begin + count * size;
    return b->base && count > 0 ? b->base + begin : NULL;
}

static void *take_items(block *b, size_t count, size_t size) {
    return take(b, count, size, alignof(max_align_t));
}

/* The depth inside one more template or property set. */
static bool enter(block *b, size_t *depth) {
    if (++*depth > b->max_depth) {
        b->status = SPB_ERR_LIMIT;
    }
    return b->status == SPB_OK;
}

/* With a NUL behind it, which is not counted: so an empty string has a place too. */
static spb_str copy_str(block *b, spb_str text) {
    if (!text.data) {
        return text;
    }
    char *data = take(b, text.len + 1, 1, 1);
    if (data) {
        memcpy(data, text.data, text.len);
        data[text.len] = '\0';
    }
    return (spb_str){data, text.len};
}

static spb_bytes copy_bytes(block *b, spb_bytes bytes) {
    uint8_t *data = take(b, bytes.len, 1, 1);
    if (data) {
        memcpy(data, bytes.data, bytes.len);
    }
    return (spb_bytes){data, bytes.len};
}

static const spb_str *copy_strs(block *b, const spb_str *texts, size_t count) {
    spb_str *copies = take_items(b, count, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        spb_str copy = copy_str(b, texts[i]);
        if (copies) {
            copies[i] = copy;
        }
    }
    return copies;
}

static const void *copy_items(block *b, const void *items, size_t count, size_t size) {
    void *copies = take_items(b, count, size);
    if (copies) {
        memcpy(copies, items, count * size);
    }
    return copies;
}

static const spb_dataset *copy_dataset(block *b, const spb_dataset *dataset, size_t depth) {
    if (depth > b->max_depth) {
        b->status = SPB_ERR_LIMIT;
        return NULL;
    }
    spb_dataset *out = take_items(b, 1, sizeof *out);
    spb_dataset copy = *dataset;
    copy.columns = copy_strs(b, dataset->columns, dataset->column_count);
    copy.types = copy_items(b, dataset->types, dataset->column_count, sizeof *dataset->types);
    size_t cell_count = dataset->row_count * dataset->column_count;
    spb_value *cells = take_items(b, cell_count, sizeof *cells);
    for (size_t i = 0; i < cell_count && b->status == SPB_OK; i++) {
        /* Cells are scalars: nothing may be nested in them. */
        spb_value cell = copy_value(b, &dataset->cells[i], b->max_depth + 1);
        if (cells) {
            cells[i] = cell;
        }
    }
    copy.cells = cells;
    if (out) {
        *out = copy;
    }
    return out;
}

static spb_property_set copy_set_content(block *b, const spb_property_set *set, size_t depth) {
    spb_property *items = take_items(b, set->count, sizeof *items);
    for (size_t i = 0; i < set->count && b->status == SPB_OK; i++) {
        spb_property copy;
        copy.key = copy_str(b, set->items[i].key);
        copy.value = copy_value(b, &set->items[i].value, depth);
        if (items) {
            items[i] = copy;
        }
    }
    return (spb_property_set){items, set->count};
}

static const spb_property_set *copy_set(block *b, const spb_property_set *set, size_t depth) {
    if (!set || !enter(b, &depth)) {
        return NULL;
    }
    spb_property_set *out = take_items(b, 1, sizeof *out);
    spb_property_set copy = copy_set_content(b, set, depth);
    if (out) {
        *out = copy;
    }
    return out;
}

static const spb_property_sets *copy_sets(block *b, const spb_property_sets *sets, size_t depth) {
    if (sets->count > 0 && !enter(b, &depth)) {
        return NULL;
    }
    spb_property_sets *out = take_items(b, 1, sizeof *out);
    spb_property_set *items = take_items(b, sets->count, sizeof *items);
    for (size_t i = 0; i < sets->count && b->status == SPB_OK; i++) {
        spb_property_set copy = copy_set_content(b, &sets->items[i], depth);
        if (items) {
            items[i] = copy;
        }
    }
    if (out) {
        *out = (spb_property_sets){items, sets->count};
    }
    return out;
}

static const spb_metadata *copy_metadata(block *b, const spb_metadata *metadata) {
    if (!metadata) {
        return NULL;
    }
    spb_metadata *out = take_items(b, 1, sizeof *out);
    spb_metadata copy = *metadata;
    copy.content_type = copy_str(b, metadata->content_type);
    copy.file_name = copy_str(b, metadata->file_name);
    copy.file_type = copy_str(b, metadata->file_type);
    copy.md5 = copy_str(b, metadata->md5);
    copy.description = copy_str(b, metadata->description);
    if (out) {
        *out = copy;
    }
    return out;
}

static spb_payload_metric copy_metric(block *b, const spb_payload_metric *metric, size_t depth) {
    spb_payload_metric copy = *metric;
    copy.name = copy_str(b, metric->name);
    copy.value = copy_value(b, &metric->value, depth);
    copy.metadata = copy_metadata(b, metric->metadata);
    copy.properties = copy_set(b, metric->properties, depth);
    return copy;
}

static const spb_template *copy_template(block *b, const spb_template *tmpl, size_t depth) {
    if (!enter(b, &depth)) {
        return NULL;
    }
    spb_template *out = take_items(b, 1, sizeof *out);
    spb_template copy = *tmpl;
    copy.version = copy_str(b, tmpl->version);
    copy.template_ref = copy_str(b, tmpl->template_ref);
    spb_payload_metric *metrics = take_items(b, tmpl->metric_count, sizeof *metrics);
    for (size_t i = 0; i < tmpl->metric_count && b->status == SPB_OK; i++) {
        spb_payload_metric metric = copy_metric(b, &tmpl->metrics[i], depth);
        if (metrics) {
            metrics[i] = metric;
        }
    }
    spb_parameter *parameters = take_items(b, tmpl->parameter_count, sizeof *parameters);
    for (size_t i = 0; i < tmpl->parameter_count && b->status == SPB_OK; i++) {
        spb_parameter parameter;
        parameter.name = copy_str(b, tmpl->parameters[i].name);
        parameter.value = copy_value(b, &tmpl->parameters[i].value, depth);
        if (parameters) {
            parameters[i] = parameter;
        }
    }
    copy.metrics = metrics;
    copy.parameters = parameters;
    if (out) {
        *out = copy;
    }
    return out;
}

static spb_value copy_array(block *b, const spb_value *value) {
    spb_value copy = *value;
    if (value->is_packed) {
        copy.as.bytes = copy_bytes(b, value->as.bytes);
    } else if (value->type == SPB_STRING_ARRAY) {
        copy.as.array.items = copy_strs(b, value->as.array.items, value->as.array.count);
    } else {
        copy.as.array.items =
            copy_items(b, value->as.array.items, value->as.array.count, spb_array__item_size(value->type));
    }
    return copy;
}

static spb_value copy_value(block *b, const spb_value *value, size_t depth) {
    spb_value copy = *value;
    spb_type form = spb_value__form(value);
    switch (form) {
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: copy.as.str = copy_str(b, value->as.str); break;
    case SPB_BYTES:
    case SPB_FILE: copy.as.bytes = copy_bytes(b, value->as.bytes); break;
    case SPB_DATASET: copy.as.dataset = copy_dataset(b, value->as.dataset, depth); break;
    case SPB_TEMPLATE: copy.as.tmpl = copy_template(b, value->as.tmpl, depth); break;
    case SPB_PROPERTY_SET: copy.as.set = copy_set(b, value->as.set, depth); break;
    case SPB_PROPERTY_SET_LIST: copy.as.sets = copy_sets(b, value->as.sets, depth); break;
    default: return spb_type_is_array(form) ? copy_array(b, value) : copy;
    }
    return copy;
}

static spb_status report(const block *b, spb_error *err) {
    switch (b->status) {
    case SPB_OK: return SPB_OK;
    case SPB_ERR_LIMIT:
        return spb_error__set(err, SPB_ERR_LIMIT, "value nested deeper than %zu templates and property sets",
                              b->max_depth);
    default: return spb_error__no_memory(err, "a copy of a value");
    }
}

static block measuring(void) {
    return (block){.max_depth = SPB_MAX_DEPTH};
}

spb_status spb_value_copy(spb_value *out, const spb_value *value, spb_error *err) {
    block b = measuring();
    spb_value copy = copy_value(&b, value, 0);
    if (b.status == SPB_OK && b.used > 0) {
        b.base = malloc(b.used);
        b.used = 0;
        if (b.base) {
            copy = copy_value(&b, value, 0);
        } else {
            b.status = SPB_ERR_NO_MEMORY;
        }
    }
    *out = b.status == SPB_OK ? copy : spb_null(SPB_UNKNOWN);
    return report(&b, err);
}

/* After measuring: takes what was measured. */
static spb_status take_from(spb_arena *arena, block *b, spb_error *err) {
    spb_status status = report(b, err);
    if (status != SPB_OK) {
        return status;
    }
    b->base = spb_arena__alloc(arena, b->used);
    b->used = 0;
    if (b->base) {
        return SPB_OK;
    }
    return spb_arena__no_room(arena, "a copy of a value", err);
}

spb_status spb_value__copy_to(spb_value *out, const spb_value *value, spb_arena *arena, spb_error *err) {
    block b = measuring();
    copy_value(&b, value, 0);
    spb_status status = take_from(arena, &b, err);
    if (status == SPB_OK) {
        *out = copy_value(&b, value, 0);
    }
    return status;
}

spb_status spb_metric__copy_to(spb_payload_metric *out, const spb_payload_metric *metric, spb_arena *arena,
                               spb_error *err) {
    block b = measuring();
    copy_metric(&b, metric, 0);
    spb_status status = take_from(arena, &b, err);
    if (status == SPB_OK) {
        *out = copy_metric(&b, metric, 0);
    }
    return status;
}

/* The head of the block: what the value points to. Each member of `as` that is no number begins with a pointer. */
static const void *block_of(const spb_value *value) {
    return spb_type__wire(spb_value__form(value)) >= SPB_WIRE_STRING ? value->as.array.items : NULL;
}

void spb_value_clear(spb_value *value) {
    free((void *)block_of(value));
    *value = spb_null(value->type);
}
