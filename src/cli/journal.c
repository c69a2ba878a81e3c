/* Decides how a stored block becomes a message: topic, names, datatypes, times. What is done with it is left to
 * cmd_store.c. */
#include "cli/journal.h"

#include <stdlib.h>
#include <string.h>

#include "cli/error.h"

static spb_status no_memory(spb_error *err) {
    error_set(err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory");
    return SPB_ERR_NO_MEMORY;
}

/* ---- aliases ---- */

/* The node, or a device: its aliases, made into a birth without values. */
typedef struct journal_part {
    char *device_id; /* NULL: the node itself */
    spb_payload *birth;
} journal_part;

static bool is_of(const journal_part *part, spb_str device_id) {
    return part->device_id && device_id.data ? spb_str_equal(spb_str_from(part->device_id), device_id)
                                             : !part->device_id && !device_id.data;
}

static journal_part *add_part(journal *self, spb_str device_id) {
    journal_part *parts = realloc(self->parts, (self->part_count + 1) * sizeof *parts);
    if (!parts) {
        return NULL;
    }
    self->parts = parts;
    journal_part *part = &parts[self->part_count];
    *part = (journal_part){.device_id = NULL};
    if (device_id.data) {
        part->device_id = malloc(device_id.len + 1);
        if (!part->device_id) {
            return NULL;
        }
        memcpy(part->device_id, device_id.data, device_id.len);
        part->device_id[device_id.len] = '\0';
    }
    if (spb_payload_new(&part->birth, NULL) != SPB_OK) {
        free(part->device_id);
        return NULL;
    }
    self->part_count++;
    return part;
}

/* Aliases of a device mostly come together, so the search begins with the last part. */
static journal_part *find_part(journal *self, spb_str device_id) {
    for (size_t i = self->part_count; i-- > 0;) {
        if (is_of(&self->parts[i], device_id)) {
            return &self->parts[i];
        }
    }
    return add_part(self, device_id);
}

static void take_alias(void *context, const spb_alias *alias) {
    journal *self = context;
    if (self->status != SPB_OK) {
        return;
    }
    journal_part *part = find_part(self, alias->device_id);
    spb_payload_metric metric = {
        .name = alias->name, .alias = alias->alias, .has_alias = true, .value = spb_null(alias->type)};
    spb_status status = part ? spb_payload_add_metric(part->birth, &metric, NULL) : SPB_ERR_NO_MEMORY;
    self->alias_count += status == SPB_OK;
    self->status = status == SPB_ERR_NO_MEMORY ? status : SPB_OK; /* a name that is no text explains nothing */
}

static spb_topic topic_of(const journal *self, spb_str device_id) {
    return (spb_topic){.kind = device_id.data ? SPB_KIND_DDATA : SPB_KIND_NDATA,
                       .group_id = self->group_id,
                       .node_id = self->node_id,
                       .device_id = device_id};
}

/* That of the node first: it makes those of its devices void. */
static spb_status learn(journal *self, bool of_devices, spb_error *err) {
    for (size_t i = 0; i < self->part_count; i++) {
        journal_part *part = &self->parts[i];
        if ((part->device_id != NULL) != of_devices) {
            continue;
        }
        spb_topic topic = topic_of(self, part->device_id ? spb_str_from(part->device_id) : (spb_str){NULL, 0});
        birth_scope *scope = births_scope(self->known, &topic);
        if (!scope) {
            return no_memory(err);
        }
        spb_payload *birth = part->birth;
        part->birth = NULL;
        if (!births_learn(scope, birth)) {
            return no_memory(err);
        }
    }
    return SPB_OK;
}

static void free_parts(journal *self) {
    for (size_t i = 0; i < self->part_count; i++) {
        spb_payload_free(self->parts[i].birth);
        free(self->parts[i].device_id);
    }
    free(self->parts);
    self->parts = NULL;
    self->part_count = 0;
}

static spb_status load_aliases(journal *self, spb_error *err) {
    spb_status status = self->store->load_aliases(self->store, take_alias, self, err);
    if (status == SPB_OK && self->status != SPB_OK) {
        status = no_memory(err);
    }
    if (status == SPB_OK) {
        status = learn(self, false, err);
    }
    if (status == SPB_OK) {
        status = learn(self, true, err);
    }
    free_parts(self);
    return status;
}

/* ---- opening ---- */

/* A group ID has no '/'. In a damaged file the owner may be lost; what else is there can still be shown. */
static void split_owner(journal *self) {
    const char *slash = self->owner ? strchr(self->owner, '/') : NULL;
    self->has_owner = slash && slash != self->owner && slash[1] != '\0';
    if (!self->has_owner) {
        self->owner = "unknown/unknown";
        slash = strchr(self->owner, '/');
    }
    self->group_id = (spb_str){self->owner, (size_t)(slash - self->owner)};
    self->node_id = spb_str_from(slash + 1);
}

spb_status journal_open(journal *self, const char *path, spb_error *err) {
    *self = (journal){.next_id = 1};
    spb_status status = spb_store_open_read_only(&self->store, path, &self->owner, err);
    if (status != SPB_OK) {
        return status;
    }
    split_owner(self);
    self->known = births_new();
    return self->known ? load_aliases(self, err) : no_memory(err);
}

void journal_close(journal *self) {
    spb_payload_free(self->payload);
    free(self->metrics);
    free(self->views);
    births_free(self->known);
    if (self->store) {
        self->store->free(self->store);
    }
    *self = (journal){0};
}

/* ---- blocks ---- */

uint64_t journal_wall_ms(const spb_block *block, uint64_t stored_ms) {
    bool is_of_other_clock = block->boot != 0 && stored_ms < SPB_EARLIEST_MS;
    return is_of_other_clock ? stored_ms + (uint64_t)block->shift_ms : stored_ms;
}

static bool reserve(journal *self, size_t count) {
    if (count <= self->capacity) {
        return true;
    }
    spb_payload_metric *metrics = realloc(self->metrics, count * sizeof *metrics);
    self->metrics = metrics ? metrics : self->metrics;
    metric_view *views = realloc(self->views, count * sizeof *views);
    self->views = views ? views : self->views;
    self->capacity = metrics && views ? count : self->capacity;
    return metrics && views;
}

static void show_metrics(journal *self, const birth_scope *scope, journal_block *out) {
    for (size_t i = 0; i < self->payload->metric_count; i++) {
        spb_payload_metric *metric = &self->metrics[i];
        metric_view *view = &self->views[i];
        spb_error err;
        *metric = self->payload->metrics[i];
        metric->timestamp_ms = journal_wall_ms(&out->block, metric->timestamp_ms);
        metric->is_historical = true;
        out->misfits += births_view(scope, metric, view, &err) != SPB_OK;
        out->unknown += !view->name.data || view->value.type == SPB_UNKNOWN;
    }
}

static spb_status show(journal *self, journal_block *out, spb_error *err) {
    spb_payload_free(self->payload);
    self->payload = NULL;
    /* Metrics, encoded as in a message, are a message that has nothing else. */
    spb_status status = spb_payload_decode(&self->payload, out->block.metrics, NULL, err);
    if (status != SPB_OK) {
        return status;
    }
    message *m = &out->message;
    m->topic = topic_of(self, out->block.device_id);
    birth_scope *scope = births_scope(self->known, &m->topic);
    if (!scope || !reserve(self, self->payload->metric_count)) {
        return no_memory(err);
    }
    status = spb_topic_format(&m->topic, self->topic, sizeof self->topic, NULL, err);
    show_metrics(self, scope, out);
    self->shown = (spb_payload){.has_timestamp = true,
                                .timestamp_ms = journal_wall_ms(&out->block, out->block.last_ms),
                                .metrics = self->metrics,
                                .metric_count = self->payload->metric_count};
    m->topic_text = spb_str_from(self->topic);
    m->payload = &self->shown;
    m->metrics = self->views;
    m->metric_count = self->payload->metric_count;
    m->remark = "";
    return status;
}

journal_status journal_next(journal *self, journal_block *out, spb_error *err) {
    bool found = false;
    *out = (journal_block){.block = {.id = 0}};
    spb_status status = self->store->read(self->store, self->next_id, &out->block, &found, err);
    if (status != SPB_OK && out->block.id < self->next_id) {
        return JOURNAL_FAILED;
    }
    if (status == SPB_OK && !found) {
        return JOURNAL_END;
    }
    self->next_id = out->block.id + 1;
    if (status == SPB_OK) {
        status = show(self, out, err);
    }
    return status == SPB_OK ? JOURNAL_BLOCK : status == SPB_ERR_NO_MEMORY ? JOURNAL_FAILED : JOURNAL_BAD;
}
