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
        device->in_table.hash = hash_of(0, id);
        device->is_online = true;
    }
    return device;
}

spb_status spb_table__init(spb_table *table, spb_session *session, bool no_aliases, spb_error *err) {
    *table = (spb_table){.session = session, .no_aliases = no_aliases};
    table->node = table->last_device = new_device(session, (spb_str){0});
    return table->node ? SPB_OK : spb_error__no_memory(err, "a session");
}

void spb_device__free_all(spb_device *first) {
    for (spb_device *device = first, *next; device; device = next) {
        next = device->next;
        spb_metric__free_all(device->first_metric);
        free(device);
    }
}

void spb_table__clear(spb_table *table) {
    spb_device__free_all(table->node);
    spb_buckets__clear(&table->devices);
    spb_buckets__clear(&table->metrics);
    free(table->by_alias);
    spb_ranges__clear(&table->unsaved);
    spb_alias_map__clear(&table->retired);
    *table = (spb_table){0};
}

spb_status spb_table__add_device(spb_table *table, spb_device **out, spb_str id, spb_error *err) {
    *out = NULL;
    if (spb_table__find_device(table, id)) {
        return spb_error__set(err, SPB_ERR_EXISTS, "device %.*s exists already", (int)id.len, id.data);
    }
    spb_device *device = new_device(table->session, id);
    if (!device || !spb_buckets__reserve(&table->devices)) {
        free(device);
        return spb_error__no_memory(err, "a device");
    }
    spb_buckets__add(&table->devices, &device->in_table);
    device->previous = table->last_device;
    table->last_device->next = device;
    table->last_device = device;
    device->number = ++table->last_number; /* the node is 0 */
    *out = device;
    return SPB_OK;
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

/* A new alias. tck-id-payloads-alias-uniqueness: one count for the node and all its devices; it begins at 1. 0: no
 * memory. */
static uint32_t next_alias(spb_table *table) {
    uint32_t alias = table->last_alias + 1;
    if (!grow_aliases(table, alias) || (table->keeps_aliases && !spb_ranges__add(&table->unsaved, alias, alias))) {
        return 0;
    }
    table->last_alias = alias;
    return alias;
}

static spb_alias alias_of(const spb_metric *metric) {
    return (spb_alias){.device_id = spb_device__id_view(metric->holder),
                       .name = spb_metric__name_view(metric),
                       .type = (spb_type)metric->type,
                       .alias = metric->alias};
}

/* The one that waits for this metric, or a new one. False: no memory. */
static bool give_alias(spb_table *table, spb_metric *metric) {
    spb_alias wanted = alias_of(metric);
    uint32_t known = spb_alias_map__take(&table->retired, &wanted, metric->in_table.hash);
    metric->alias = known != 0 ? known : next_alias(table);
    if (metric->alias != 0) {
        table->by_alias[metric->alias - 1] = metric;
    }
    return metric->alias != 0;
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
    if (!spb_alias_map__put(&table->retired, alias, hash)) {
        return SPB_ERR_NO_MEMORY;
    }
    table->by_alias[alias->alias - 1] = (spb_metric *)&nobody;
    table->last_alias = alias->alias > table->last_alias ? alias->alias : table->last_alias;
    return SPB_OK;
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
    metric->in_table.hash = hash_of(holder->in_table.hash, spb_metric__name_view(metric));
    metric->holder = holder;
    if (!spb_buckets__reserve(&table->metrics) || (has_alias && !give_alias(table, metric))) {
        return spb_error__no_memory(err, "a metric");
    }
    spb_buckets__add(&table->metrics, &metric->in_table);
    *(holder->last_metric ? &holder->last_metric->next_of_holder : &holder->first_metric) = metric;
    metric->previous_of_holder = holder->last_metric;
    holder->last_metric = metric;
    return SPB_OK;
}

/* The alias waits for a metric of that name and datatype. Without memory, it waits for ever. */
static void retire_alias(spb_table *table, const spb_metric *metric) {
    spb_alias alias = alias_of(metric);
    if (table->keeps_aliases) {
        spb_alias_map__put(&table->retired, &alias, metric->in_table.hash);
    }
    table->by_alias[metric->alias - 1] = (spb_metric *)&nobody;
}

static void forget_name(spb_table *table, spb_metric *metric) {
    spb_buckets__remove(&table->metrics, &metric->in_table);
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
    spb_buckets__remove(&table->devices, &device->in_table);
    device->previous->next = device->next; /* the node is always ahead */
    *(device->next ? &device->next->previous : &table->last_device) = device->previous;
    device->next = device->previous = NULL;
}

spb_device *spb_table__find_device(const spb_table *table, spb_str id) {
    spb_bucket_link *link = spb_buckets__first(&table->devices, hash_of(0, id));
    while (link && !spb_str_equal(spb_device__id_view(SPB_BUCKETED(link, spb_device, in_table)), id)) {
        link = spb_buckets__next(link);
    }
    return SPB_BUCKETED(link, spb_device, in_table);
}

spb_metric *spb_table__find_metric(const spb_table *table, const spb_device *holder, spb_str name) {
    spb_bucket_link *link = spb_buckets__first(&table->metrics, hash_of(holder->in_table.hash, name));
    for (; link; link = spb_buckets__next(link)) {
        spb_metric *metric = SPB_BUCKETED(link, spb_metric, in_table);
        if (metric->holder == holder && spb_str_equal(spb_metric__name_view(metric), name)) {
            return metric;
        }
    }
    return NULL;
}

spb_metric *spb_table__find_alias(const spb_table *table, uint64_t alias) {
    if (table->no_aliases || alias == 0 || alias > table->last_alias) {
        return NULL;
    }
    spb_metric *metric = table->by_alias[alias - 1];
    return metric != &nobody ? metric : NULL;
}

spb_metric *spb_table__find(const spb_table *table, const spb_device *holder, spb_str name, uint64_t alias) {
    spb_metric *metric = name.data ? spb_table__find_metric(table, holder, name) : spb_table__find_alias(table, alias);
    return metric && metric->holder == holder ? metric : NULL;
}

bool spb_table__whose_alias(const spb_table *table, uint32_t alias, spb_alias *out) {
    const spb_metric *metric = spb_table__find_alias(table, alias);
    const spb_alias *retired = metric ? NULL : spb_alias_map__find(&table->retired, alias);
    if (metric || retired) {
        *out = metric ? alias_of(metric) : *retired;
    }
    return metric || retired;
}

const char *spb_device_id(const spb_device *device) {
    return device->id;
}
