/* Decides how devices and metrics are found, and which alias a metric gets. What they mean is left to the session. */
#include "core/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/handle.h"

/* More than any node has over its life, and so few that a file with a wrong number does no harm. */
#define MAX_ALIAS (UINT32_C(1) << 26)

/* Stands in by_alias for the metric of an alias that has none at present. */
static const spb_metric nobody;

/* FNV-1a, continued from `seed`: the names of one holder start from the holder's own hash. */
static uint32_t hash_of(uint32_t seed, spb_str text) {
    uint32_t hash = seed ^ UINT32_C(2166136261);
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * UINT32_C(16777619);
    }
    return hash;
}

bool spb_device__is_node(const spb_device *device) {
    return device->id_len == 0;
}

spb_str spb_device__id_view(const spb_device *device) {
    return (spb_str){device->id, device->id_len};
}

static spb_device *new_device(spb_session *session, spb_str id) {
    spb_device *device = calloc(1, sizeof *device + id.len + 1);
    if (device) {
        if (id.len > 0) {
            memcpy(device->id, id.data, id.len);
        }
        device->session = session;
        device->id_len = (uint32_t)id.len;
        device->hash = hash_of(0, id);
        device->is_online = true;
    }
    return device;
}

spb_status spb_table__init(spb_table *table, spb_session *session, bool no_aliases, spb_error *err) {
    *table = (spb_table){.session = session, .no_aliases = no_aliases};
    table->node = table->last_device = new_device(session, (spb_str){0});
    return table->node ? SPB_OK : spb_error__no_memory(err, "a session");
}

void spb_device__free(spb_device *device) {
    for (spb_metric *metric = device->first_metric; metric;) {
        spb_metric *next = metric->next_of_holder;
        spb_metric__free(metric);
        metric = next;
    }
    free(device);
}

void spb_table__clear(spb_table *table) {
    for (spb_device *device = table->node; device;) {
        spb_device *next = device->next;
        spb_device__free(device);
        device = next;
    }
    free(table->device_buckets);
    free(table->metric_buckets);
    free(table->by_alias);
    free(table->unsaved);
    spb_alias_map__clear(&table->retired);
    *table = (spb_table){0};
}

/* Doubles the buckets when there is one device per bucket. */
static bool grow_devices(spb_table *table) {
    if (table->device_count < table->device_bucket_count) {
        return true;
    }
    size_t count = table->device_bucket_count ? table->device_bucket_count * 2 : 16;
    spb_device **buckets = calloc(count, sizeof *buckets);
    if (!buckets) {
        return false;
    }
    for (spb_device *device = table->node->next; device; device = device->next) {
        spb_device **bucket = &buckets[device->hash & (count - 1)];
        device->next_in_bucket = *bucket;
        *bucket = device;
    }
    free(table->device_buckets);
    table->device_buckets = buckets;
    table->device_bucket_count = count;
    return true;
}

spb_status spb_table__add_device(spb_table *table, spb_device **out, spb_str id, spb_error *err) {
    *out = NULL;
    if (spb_table__find_device(table, id)) {
        return spb_error__set(err, SPB_ERR_EXISTS, "device %.*s exists already", (int)id.len, id.data);
    }
    spb_device *device = new_device(table->session, id);
    if (!device || !grow_devices(table)) {
        free(device);
        return spb_error__no_memory(err, "a device");
    }
    spb_device **bucket = &table->device_buckets[device->hash & (table->device_bucket_count - 1)];
    device->next_in_bucket = *bucket;
    *bucket = device;
    device->previous = table->last_device;
    table->last_device->next = device;
    table->last_device = device;
    device->number = ++table->last_number; /* the node is 0 */
    table->device_count++;
    *out = device;
    return SPB_OK;
}

/* Doubles the buckets when there is one metric per bucket. */
static bool grow_metrics(spb_table *table) {
    if (table->metric_count < table->metric_bucket_count) {
        return true;
    }
    size_t count = table->metric_bucket_count ? table->metric_bucket_count * 2 : 64;
    spb_metric **buckets = calloc(count, sizeof *buckets);
    if (!buckets) {
        return false;
    }
    for (size_t i = 0; i < table->metric_bucket_count; i++) {
        for (spb_metric *metric = table->metric_buckets[i]; metric;) {
            spb_metric *next = metric->next_in_bucket;
            spb_metric **bucket = &buckets[metric->hash & (count - 1)];
            metric->next_in_bucket = *bucket;
            *bucket = metric;
            metric = next;
        }
    }
    free(table->metric_buckets);
    table->metric_buckets = buckets;
    table->metric_bucket_count = count;
    return true;
}

/* Room for that alias; new places are empty. */
static bool grow_aliases(spb_table *table, uint32_t alias) {
    if (alias <= table->by_alias_capacity) {
        return true;
    }
    size_t capacity = table->by_alias_capacity ? table->by_alias_capacity * 2 : 64;
    while (capacity < alias) {
        capacity *= 2;
    }
    spb_metric **by_alias = calloc(capacity, sizeof *by_alias); /* which costs nothing where nobody looks */
    if (!by_alias) {
        return false;
    }
    if (table->by_alias_capacity > 0) {
        memcpy(by_alias, table->by_alias, table->by_alias_capacity * sizeof *by_alias);
    }
    free(table->by_alias);
    table->by_alias = by_alias;
    table->by_alias_capacity = capacity;
    return true;
}

/* Room for one more alias that is to be saved. */
static bool grow_unsaved(spb_table *table) {
    if (!table->keeps_aliases || table->unsaved_count < table->unsaved_capacity) {
        return true;
    }
    size_t capacity = table->unsaved_capacity ? table->unsaved_capacity * 2 : 64;
    uint32_t *unsaved = realloc(table->unsaved, capacity * sizeof *unsaved);
    if (!unsaved) {
        return false;
    }
    table->unsaved = unsaved;
    table->unsaved_capacity = capacity;
    return true;
}

/* tck-id-payloads-alias-uniqueness: one count for the node and all its devices; it begins at 1. */
static void give_alias(spb_table *table, spb_metric *metric) {
    spb_alias_entry *known = spb_alias_map__take(&table->retired, spb_device__id_view(metric->holder),
                                                 spb_metric__name_view(metric), (spb_type)metric->type, metric->hash);
    metric->alias = known ? known->alias : ++table->last_alias;
    table->by_alias[metric->alias - 1] = metric;
    metric->is_alias_saved = known && known->is_saved;
    if (table->keeps_aliases && !metric->is_alias_saved) {
        table->unsaved[table->unsaved_count++] = metric->alias;
    }
    free(known);
}

spb_status spb_table__adopt_alias(spb_table *table, const spb_alias *alias) {
    uint32_t hash = hash_of(hash_of(0, alias->device_id), alias->name);
    if (alias->alias == 0 || alias->alias > MAX_ALIAS) {
        return SPB_ERR_ARGUMENT;
    }
    if (!grow_aliases(table, alias->alias)) {
        return SPB_ERR_NO_MEMORY;
    }
    if (table->by_alias[alias->alias - 1]) {
        return SPB_ERR_ARGUMENT;
    }
    if (!spb_alias_map__put(&table->retired, alias, hash, true)) {
        return SPB_ERR_NO_MEMORY;
    }
    table->by_alias[alias->alias - 1] = (spb_metric *)&nobody;
    table->last_alias = alias->alias > table->last_alias ? alias->alias : table->last_alias;
    return SPB_OK;
}

void spb_table__aliases_saved(spb_table *table, size_t count) {
    for (size_t i = 0; i < count; i++) {
        spb_metric *metric = spb_table__find_alias(table, table->unsaved[i]);
        spb_alias_entry *entry = metric ? NULL : spb_alias_map__find(&table->retired, table->unsaved[i]);
        if (metric) {
            metric->is_alias_saved = true;
        } else if (entry) {
            entry->is_saved = true;
        }
    }
    table->unsaved_count -= count;
    memmove(table->unsaved, table->unsaved + count, table->unsaved_count * sizeof *table->unsaved);
}

spb_status spb_table__add_metric(spb_table *table, spb_device *holder, spb_metric *metric, spb_error *err) {
    if (spb_table__find_metric(table, holder, spb_metric__name_view(metric))) {
        return spb_error__set(err, SPB_ERR_EXISTS, "metric %s%s%s exists already", holder->id,
                              spb_device__is_node(holder) ? "" : "/", metric->name);
    }
    bool has_alias = !table->no_aliases && !metric->is_definition;
    if (has_alias && table->last_alias == MAX_ALIAS) {
        return spb_error__set(err, SPB_ERR_LIMIT, "too many metrics");
    }
    if (!grow_metrics(table) || (has_alias && !(grow_aliases(table, table->last_alias + 1) && grow_unsaved(table)))) {
        return spb_error__no_memory(err, "a metric");
    }
    metric->hash = hash_of(holder->hash, spb_metric__name_view(metric));
    metric->holder = holder;
    spb_metric **bucket = &table->metric_buckets[metric->hash & (table->metric_bucket_count - 1)];
    metric->next_in_bucket = *bucket;
    *bucket = metric;
    if (holder->last_metric) {
        holder->last_metric->next_of_holder = metric;
    } else {
        holder->first_metric = metric;
    }
    metric->previous_of_holder = holder->last_metric;
    holder->last_metric = metric;
    table->metric_count++;
    if (has_alias) {
        give_alias(table, metric);
    }
    return SPB_OK;
}

/* The alias waits for a metric of that name and datatype. Without memory, it waits for ever. */
static void retire_alias(spb_table *table, const spb_metric *metric) {
    spb_alias alias = {.device_id = spb_device__id_view(metric->holder),
                       .name = spb_metric__name_view(metric),
                       .type = (spb_type)metric->type,
                       .alias = metric->alias};
    if (table->keeps_aliases) {
        spb_alias_map__put(&table->retired, &alias, metric->hash, metric->is_alias_saved);
    }
    table->by_alias[metric->alias - 1] = (spb_metric *)&nobody;
}

static void forget_name(spb_table *table, spb_metric *metric) {
    spb_metric **at = &table->metric_buckets[metric->hash & (table->metric_bucket_count - 1)];
    while (*at != metric) {
        at = &(*at)->next_in_bucket;
    }
    *at = metric->next_in_bucket;
    metric->next_in_bucket = NULL;
    table->metric_count--;
    if (metric->alias != 0) {
        retire_alias(table, metric);
    }
}

void spb_table__unlink_metric(spb_table *table, spb_metric *metric) {
    spb_device *holder = metric->holder;
    forget_name(table, metric);
    *(metric->previous_of_holder ? &metric->previous_of_holder->next_of_holder : &holder->first_metric) =
        metric->next_of_holder;
    *(metric->next_of_holder ? &metric->next_of_holder->previous_of_holder : &holder->last_metric) =
        metric->previous_of_holder;
    metric->next_of_holder = metric->previous_of_holder = NULL;
}

void spb_table__unlink_device(spb_table *table, spb_device *device) {
    for (spb_metric *metric = device->first_metric; metric; metric = metric->next_of_holder) {
        forget_name(table, metric);
    }
    spb_device **at = &table->device_buckets[device->hash & (table->device_bucket_count - 1)];
    while (*at != device) {
        at = &(*at)->next_in_bucket;
    }
    *at = device->next_in_bucket;
    device->previous->next = device->next; /* the node is always ahead */
    *(device->next ? &device->next->previous : &table->last_device) = device->previous;
    device->next = device->previous = device->next_in_bucket = NULL;
    table->device_count--;
}

spb_device *spb_table__find_device(const spb_table *table, spb_str id) {
    if (table->device_bucket_count == 0) {
        return NULL;
    }
    uint32_t hash = hash_of(0, id);
    spb_device *device = table->device_buckets[hash & (table->device_bucket_count - 1)];
    while (device && !(device->hash == hash && spb_str_equal(spb_device__id_view(device), id))) {
        device = device->next_in_bucket;
    }
    return device;
}

spb_metric *spb_table__find_metric(const spb_table *table, const spb_device *holder, spb_str name) {
    if (table->metric_bucket_count == 0) {
        return NULL;
    }
    uint32_t hash = hash_of(holder->hash, name);
    spb_metric *metric = table->metric_buckets[hash & (table->metric_bucket_count - 1)];
    while (metric &&
           !(metric->holder == holder && metric->hash == hash && spb_str_equal(spb_metric__name_view(metric), name))) {
        metric = metric->next_in_bucket;
    }
    return metric;
}

spb_metric *spb_table__find_alias(const spb_table *table, uint64_t alias) {
    if (table->no_aliases || alias == 0 || alias > table->last_alias) {
        return NULL;
    }
    spb_metric *metric = table->by_alias[alias - 1];
    return metric != &nobody ? metric : NULL;
}

const char *spb_device_id(const spb_device *device) {
    return device->id;
}
