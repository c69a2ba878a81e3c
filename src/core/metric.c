/* Decides what a definition must look like, and how a metric keeps its value without allocating each time. Where a
 * metric stands, and when its value is sent, is left to table and session. */
#include "core/metric.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/check.h"
#include "codec/value.h"
#include "core/handle.h"
#include "core/table.h"

static bool is_number(spb_type type) {
    return type >= SPB_INT8 && type <= SPB_DOUBLE;
}

static spb_type type_of(const spb_metric_def *def) {
    return def->type != SPB_UNKNOWN ? def->type : def->value.type;
}

static bool has_range(const spb_metric_def *def) {
    return def->min != 0 || def->max != 0;
}

/* What can be said of it without a look into its values. */
static spb_status check_definition(const spb_metric_def *def, spb_error *err) {
    const char *name = def->name;
    spb_type type = type_of(def);
    size_t bad;
    if (!name || !*name) {
        return spb_error__set(err, SPB_ERR_NAME, "metric without a name");
    }
    if (strlen(name) > UINT16_MAX) {
        return spb_error__set(err, SPB_ERR_NAME, "metric name of %zu bytes is too long", strlen(name));
    }
    if (!spb_utf8__is_valid(spb_str_from(name), &bad)) {
        return spb_error__set_at(err, SPB_ERR_NAME, bad, "metric name is not UTF-8 at byte %zu", bad);
    }
    if (type == SPB_UNKNOWN) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "metric %s has neither a type nor a value", name);
    }
    if (type < SPB_INT8 || type > SPB_DATETIME_ARRAY || type == SPB_PROPERTY_SET || type == SPB_PROPERTY_SET_LIST) {
        return spb_error__set(err, SPB_ERR_TYPE, "metric %s cannot have datatype %d (%s)", name, (int)type,
                              spb_type_name(type));
    }
    if (has_range(def) && !is_number(type)) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "metric %s has a range but is a %s", name, spb_type_name(type));
    }
    if (has_range(def) && !(def->min <= def->max)) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "metric %s has a range from %g to %g", name, def->min, def->max);
    }
    if (def->keep < SPB_KEEP_ALL || def->keep > SPB_KEEP_NONE) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "metric %s: keep is %d", name, (int)def->keep);
    }
    return SPB_OK;
}

static bool is_quality(const spb_value *value) {
    return value->type == SPB_INT32 && !value->is_null &&
           (value->as.i64 == SPB_QUALITY_BAD || value->as.i64 == SPB_QUALITY_GOOD ||
            value->as.i64 == SPB_QUALITY_STALE);
}

/* A birth tells the datatype of each property (tck-id-payloads-metric-propertyvalue-type-req), and `Quality` is one of
 * three codes (tck-id-payloads-propertyset-quality-value-type, …-value). The depth was checked before. */
static spb_status check_properties(const char *name, const spb_property_set *set, spb_error *err) {
    spb_status status = SPB_OK;
    for (size_t i = 0; i < set->count && status == SPB_OK; i++) {
        const spb_value *value = &set->items[i].value;
        spb_str key = set->items[i].key;
        if (!spb_type__is_known(value->type)) {
            return spb_error__set(err, SPB_ERR_TYPE, "metric %s: property %.*s has no datatype", name, (int)key.len,
                                  key.data);
        }
        if (spb_str_equal(key, spb_str_from(SPB_PROPERTY_QUALITY)) && !is_quality(value)) {
            return spb_error__set(err, SPB_ERR_RANGE, "metric %s: Quality is an Int32 of %d, %d or %d", name,
                                  SPB_QUALITY_BAD, SPB_QUALITY_GOOD, SPB_QUALITY_STALE);
        }
        if (value->type == SPB_PROPERTY_SET && !value->is_null) {
            status = check_properties(name, value->as.set, err);
        }
        for (size_t j = 0;
             value->type == SPB_PROPERTY_SET_LIST && !value->is_null && j < value->as.sets->count && status == SPB_OK;
             j++) {
            status = check_properties(name, &value->as.sets->items[j], err);
        }
    }
    return status;
}

/* The properties of the birth: the well-known ones first, then the user's. */
static spb_status copy_properties(spb_metric_extra *extra, const spb_metric_def *def, spb_error *err) {
    spb_status status;
    spb_property *items = calloc(def->property_count + 3, sizeof *items);
    size_t count = 0;
    if (!items) {
        return spb_error__no_memory(err, "the properties of a metric");
    }
    if (def->unit) {
        items[count++] = (spb_property){.key = spb_str_from("engUnit"), .value = spb_string(def->unit)};
    }
    if (extra->has_range) {
        items[count++] = (spb_property){.key = spb_str_from("engLow"), .value = spb_double(def->min)};
        items[count++] = (spb_property){.key = spb_str_from("engHigh"), .value = spb_double(def->max)};
    }
    for (size_t i = 0; i < def->property_count; i++) {
        for (size_t known = 0; known < count; known++) {
            if (spb_str_equal(items[known].key, def->properties[i].key)) {
                status = spb_error__set(err, SPB_ERR_EXISTS, "metric %s has property %.*s twice", def->name,
                                        (int)items[known].key.len, items[known].key.data);
                goto cleanup;
            }
        }
        items[count++] = def->properties[i];
    }
    spb_property_set set = {.items = items, .count = count};
    spb_value all = spb_property_set_value(&set);
    status = spb_value__check(&all, err);
    if (status == SPB_OK) {
        status = spb_value_copy(&extra->properties, &all, err);
    }
    if (status == SPB_OK) {
        status = check_properties(def->name, extra->properties.as.set, err);
    }
cleanup:
    free(items);
    return status;
}

static spb_status copy_description(spb_metric_extra *extra, const char *description, spb_error *err) {
    size_t bad;
    if (!spb_utf8__is_valid(spb_str_from(description), &bad)) {
        return spb_error__set_at(err, SPB_ERR_NAME, bad, "description is not UTF-8 at byte %zu", bad);
    }
    extra->description = strdup(description);
    if (!extra->description) {
        return spb_error__no_memory(err, "the description of a metric");
    }
    return SPB_OK;
}

static spb_status copy_choices(spb_metric_extra *extra, const spb_metric_def *def, spb_error *err) {
    extra->choices = calloc(def->choice_count, sizeof *extra->choices);
    if (!extra->choices) {
        return spb_error__no_memory(err, "the choices of a metric");
    }
    for (size_t i = 0; i < def->choice_count; i++) {
        const spb_value *choice = &def->choices[i];
        if (choice->type != type_of(def) || choice->is_null) {
            return spb_error__set(err, SPB_ERR_TYPE, "choice %zu of metric %s is not a %s", i, def->name,
                                  spb_type_name(type_of(def)));
        }
        spb_status status = spb_value__check(choice, err);
        if (status == SPB_OK) {
            status = spb_value_copy(&extra->choices[i], choice, err);
        }
        if (status != SPB_OK) {
            return status;
        }
        extra->choice_count++;
    }
    return SPB_OK;
}

static spb_status make_extra(spb_metric *metric, const spb_metric_def *def, spb_error *err) {
    bool has_properties = def->unit || has_range(def) || def->property_count > 0;
    if (!has_properties && !def->description && !def->on_write && def->choice_count == 0) {
        return SPB_OK;
    }
    spb_metric_extra *extra = metric->extra = calloc(1, sizeof *extra);
    if (!extra) {
        return spb_error__no_memory(err, "a metric");
    }
    extra->properties = spb_null(SPB_PROPERTY_SET);
    extra->min = def->min;
    extra->max = def->max;
    extra->has_range = has_range(def);
    extra->on_write = def->on_write;
    extra->user = def->user;
    extra->max_command_age_ms = def->max_command_age_ms;
    spb_status status = has_properties ? copy_properties(extra, def, err) : SPB_OK;
    if (status == SPB_OK && def->description) {
        status = copy_description(extra, def->description, err);
    }
    if (status == SPB_OK && def->choice_count > 0) {
        status = copy_choices(extra, def, err);
    }
    return status;
}

/* Its rules, if it has some; told with the metric's name. */
static spb_status make_rules(spb_metric *metric, const spb_metric_def *def, spb_error *err) {
    spb_change_options options = {.deadband = def->deadband,
                                  .deadband_percent = def->deadband_percent,
                                  .min = def->min,
                                  .max = def->max,
                                  .min_interval_ms = def->min_interval_ms,
                                  .max_interval_ms = def->max_interval_ms,
                                  .keeps_all = def->keeps_all,
                                  .sends_unchanged = def->sends_unchanged};
    spb_error why;
    spb_status status = spb_change__new(&metric->change, &options, (spb_type)metric->type, &why);
    return status == SPB_OK ? SPB_OK : spb_error__set(err, status, "metric %s: %.160s", def->name, why.text);
}

/* The quality of the first value is the property that the definition gives it; later ones replace that. */
static void set_first_quality(spb_metric *metric) {
    const spb_property *quality = metric->extra && !metric->extra->properties.is_null
                                      ? spb_property_find(metric->extra->properties.as.set, SPB_PROPERTY_QUALITY)
                                      : NULL;
    if (quality) {
        int64_t code = quality->value.as.i64;
        metric->has_quality = true;
        metric->quality = code == SPB_QUALITY_BAD     ? SPB_SAMPLE_BAD
                          : code == SPB_QUALITY_STALE ? SPB_SAMPLE_STALE
                                                      : SPB_SAMPLE_GOOD;
    }
}

/* A definition without a value gives a null one. */
static spb_status set_first_value(spb_metric *metric, const spb_metric_def *def, uint64_t now_ms, spb_error *err) {
    spb_value first = def->value.type == SPB_UNKNOWN ? spb_null((spb_type)metric->type) : def->value;
    spb_status status = spb_metric__check(metric, &first, err);
    if (status == SPB_OK) {
        status = spb_metric__set(metric, &first, def->timestamp_ms == SPB_NOW ? now_ms : def->timestamp_ms, err);
    }
    if (status == SPB_OK) {
        set_first_quality(metric);
        spb_report report = spb_metric__report(metric);
        spb_change__reported(metric->change, &report);
    }
    return status;
}

spb_status spb_metric__new(spb_metric **out, const spb_metric_def *def, uint64_t now_ms, spb_error *err) {
    *out = NULL;
    spb_status status = check_definition(def, err);
    if (status != SPB_OK) {
        return status;
    }
    size_t len = strlen(def->name);
    size_t bytes = offsetof(spb_metric, name) + len + 1;
    spb_metric *metric = calloc(1, bytes > sizeof *metric ? bytes : sizeof *metric);
    if (!metric) {
        return spb_error__no_memory(err, "a metric");
    }
    memcpy(metric->name, def->name, len);
    metric->name_len = (uint16_t)len;
    metric->type = (uint8_t)type_of(def);
    metric->is_transient = def->is_transient;
    metric->is_urgent = def->is_urgent;
    metric->keep = (uint8_t)def->keep;
    metric->value = spb_null((spb_type)metric->type);
    status = make_extra(metric, def, err);
    if (status == SPB_OK) {
        status = make_rules(metric, def, err);
    }
    if (status == SPB_OK) {
        status = set_first_value(metric, def, now_ms, err);
    }
    if (status != SPB_OK) {
        spb_metric__free(metric);
        return status;
    }
    *out = metric;
    return SPB_OK;
}

void spb_metric__free(spb_metric *metric) {
    if (!metric) {
        return;
    }
    if (metric->is_deep) {
        spb_value_clear(&metric->value);
    }
    free(metric->storage);
    free(metric->change);
    if (metric->extra) {
        spb_value_clear(&metric->extra->properties);
        free(metric->extra->description);
        for (size_t i = 0; i < metric->extra->choice_count; i++) {
            spb_value_clear(&metric->extra->choices[i]);
        }
        free(metric->extra->choices);
        free(metric->extra);
    }
    free(metric);
}

void spb_metric__free_all(spb_metric *first) {
    for (spb_metric *metric = first, *next; metric; metric = next) {
        next = metric->next_of_holder;
        spb_metric__free(metric);
    }
}

spb_status spb_metric__check(const spb_metric *metric, const spb_value *value, spb_error *err) {
    if (value->type != (spb_type)metric->type) {
        return spb_error__set(err, SPB_ERR_TYPE, "metric %s is a %s, not a %s", metric->name,
                              spb_type_name((spb_type)metric->type), spb_type_name(value->type));
    }
    return spb_value__check(value, err);
}

/* Text and plain bytes: what the metric's own storage can hold. */
static bool is_flat(const spb_value *value, spb_bytes *content) {
    switch (value->type) {
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: *content = (spb_bytes){(const uint8_t *)value->as.str.data, value->as.str.len}; return true;
    case SPB_BYTES:
    case SPB_FILE: *content = value->as.bytes; return true;
    default: *content = value->as.bytes; return value->is_packed;
    }
}

static bool is_scalar(spb_type type) {
    return type <= SPB_BOOLEAN || type == SPB_DATETIME;
}

static void replace(spb_metric *metric, const spb_value *value, bool is_deep) {
    if (metric->is_deep) {
        spb_value_clear(&metric->value);
    }
    metric->value = *value;
    metric->is_deep = is_deep;
}

static spb_status set_flat(spb_metric *metric, const spb_value *value, spb_bytes content, spb_error *err) {
    /* One byte at least, so that an empty text keeps a pointer: NULL would mean absent. */
    if (content.len >= metric->storage_capacity) {
        size_t capacity = content.len + 1;
        void *storage = capacity <= UINT32_MAX ? realloc(metric->storage, capacity) : NULL;
        if (!storage) {
            return spb_error__no_memory(err, "a value");
        }
        metric->storage = storage;
        metric->storage_capacity = (uint32_t)capacity;
    }
    if (content.len > 0) {
        memmove(metric->storage, content.data, content.len);
    }
    spb_value kept = *value;
    if (value->type == SPB_STRING || value->type == SPB_TEXT || value->type == SPB_UUID) {
        kept.as.str = (spb_str){metric->storage, content.len};
    } else {
        kept.as.bytes = (spb_bytes){metric->storage, content.len};
    }
    replace(metric, &kept, false);
    return SPB_OK;
}

spb_status spb_metric__set(spb_metric *metric, const spb_value *value, uint64_t timestamp_ms, spb_error *err) {
    spb_bytes content;
    if (value->is_null || is_scalar(value->type)) {
        replace(metric, value, false);
    } else if (is_flat(value, &content)) {
        spb_status status = set_flat(metric, value, content, err);
        if (status != SPB_OK) {
            return status;
        }
    } else {
        spb_value copy;
        spb_status status = spb_value_copy(&copy, value, err);
        if (status != SPB_OK) {
            return status;
        }
        replace(metric, &copy, true);
    }
    metric->timestamp_ms = timestamp_ms;
    return SPB_OK;
}

int32_t spb_metric__quality_code(uint8_t quality) {
    return quality == SPB_SAMPLE_BAD     ? SPB_QUALITY_BAD
           : quality == SPB_SAMPLE_STALE ? SPB_QUALITY_STALE
                                         : SPB_QUALITY_GOOD;
}

spb_str spb_metric__name_view(const spb_metric *metric) {
    return (spb_str){metric->name, metric->name_len};
}

const char *spb_metric_name(const spb_metric *metric) {
    return metric->name;
}

uint64_t spb_metric_alias(const spb_metric *metric) {
    return metric->alias;
}

spb_type spb_metric_type(const spb_metric *metric) {
    return (spb_type)metric->type;
}

spb_device *spb_metric_device(const spb_metric *metric) {
    return spb_device__is_node(metric->holder) ? NULL : metric->holder;
}

spb_write_fn spb_metric__on_write(const spb_metric *metric, void **user) {
    *user = metric->extra ? metric->extra->user : NULL;
    return metric->extra ? metric->extra->on_write : NULL;
}
