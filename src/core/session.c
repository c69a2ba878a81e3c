/* Decides what a session is made of, and what it publishes. What becomes of samples is left to sample.c, when messages
 * leave to publish.c, how connections come and go to life.c. */
#include "core/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/birth.h"
#include "core/certificate.h"
#include "core/handle.h"
#include "core/info.h"
#include "core/options.h"
#include "core/past.h"

#define MAX_TOPIC_BYTES 65535

/* ---- options ---- */

/* The text, on the heap. */
static char *join(const char *head, const char *group, const char *middle, const char *node, const char *tail) {
    size_t size = strlen(head) + strlen(group) + strlen(middle) + strlen(node) + strlen(tail) + 1;
    char *text = malloc(size);
    if (text) {
        snprintf(text, size, "%s%s%s%s%s", head, group, middle, node, tail);
    }
    return text;
}

/* What a fence asks for. No level of a Sparkplug topic is empty, so the first filter is never subscribed. A command to
 * the node is never retained (tck-id-topics-ncmd-mqtt), so the second one brings nothing when it is subscribed once
 * more, and the server goes on with commands meanwhile (MQTT-3.8.4-3). No command to a node has a level more, so nobody
 * publishes to the third. */
static void make_fences(spb_session *session) {
    session->fences[SPB_FENCE_FORM_UNSUBSCRIBE].filter = "/fence";
    session->fences[SPB_FENCE_FORM_SUBSCRIBE] = session->subscriptions[0];
    session->fences[SPB_FENCE_FORM_BOTH].filter = session->strings[5];
}

static void add_subscription(spb_session *session, const char *filter) {
    session->subscriptions[session->subscription_count++] = (spb_subscription){.filter = filter, .qos = 1};
}

/* One SUBSCRIBE covers devices that are added later, too. */
static spb_status copy_strings(spb_session *session, const spb_session_options *options, spb_error *err) {
    const char *group = options->group_id, *node = options->node_id;
    session->options = *options;
    session->options.servers = session->options.primary_host_id = NULL; /* kept in parts */
    session->options.group_id = session->strings[0] = strdup(group);
    session->options.node_id = session->strings[1] = strdup(node);
    session->options.client_id = session->strings[2] =
        options->client_id ? strdup(options->client_id) : join("", group, "-", node, "");
    session->strings[3] = join(SPB_NAMESPACE "/", group, "/NCMD/", node, "");
    session->strings[4] = join(SPB_NAMESPACE "/", group, "/DCMD/", node, "/+");
    session->strings[5] = join(SPB_NAMESPACE "/", group, "/NCMD/", node, "/-");
    add_subscription(session, session->strings[3]);
    add_subscription(session, session->strings[4]);
    make_fences(session);
    session->topic_bytes = strlen(SPB_NAMESPACE "//DDATA//") + strlen(group) + strlen(node);
    for (size_t i = 0; i < sizeof session->strings / sizeof *session->strings; i++) {
        if (!session->strings[i]) {
            return spb_error__no_memory(err, "a session");
        }
    }
    return SPB_OK;
}

/* The STATE of the primary host joins the same SUBSCRIBE
 * (tck-id-operational-behavior-primary-application-state-with-multiple-servers-state-subs). */
static spb_status make_host(spb_session *session, const spb_session_options *options, spb_error *err) {
    spb_status status = spb_host__init(&session->host, options->primary_host_id, options->legacy_state, err);
    if (status == SPB_OK && session->host.topic) {
        add_subscription(session, session->host.topic);
    }
    return status;
}

/* Both IDs are right, but not every pair makes a topic: it may be too long, or read as something else. */
static spb_status check_topic(spb_session *session, spb_error *err) {
    spb_topic topic = {.kind = SPB_KIND_NBIRTH,
                       .group_id = spb_str_from(session->options.group_id),
                       .node_id = spb_str_from(session->options.node_id)};
    spb_buffer *text = &session->topic;
    if (!spb_buffer__reserve(text, topic.group_id.len + topic.node_id.len + 32)) {
        return spb_error__no_memory(err, "a session");
    }
    spb_status status = spb_topic_format(&topic, (char *)text->data, text->capacity, NULL, err);
    return status == SPB_ERR_LIMIT ? SPB_ERR_NAME : status;
}

static spb_metric *find_metric(const spb_session *session, const spb_entity *entity, uint64_t alias, spb_str name) {
    const spb_device *holder = entity->owner;
    return holder ? spb_table__find(&session->table, holder, name, alias) : NULL;
}

static spb_metric_known known(void *context, const spb_entity *entity, uint64_t alias, spb_str name) {
    const spb_metric *metric = find_metric(context, entity, alias, name);
    return !metric             ? SPB_METRIC_GONE
           : !metric->in_birth ? SPB_METRIC_UNBORN
                               : (metric->is_definition ? SPB_METRIC_GONE : SPB_METRIC_BORN);
}

/* Those that are gone stay: a metric of that name may come back. */
static bool is_kept(void *context, const spb_entity *entity, uint64_t alias, spb_str name) {
    const spb_metric *metric = find_metric(context, entity, alias, name);
    return !metric || metric->keep == SPB_KEEP_ALL;
}

static spb_status make_outbox(spb_session *session, spb_error *err) {
    const spb_session_options *options = &session->options;
    const spb_outbox_metrics metrics = {.context = session, .known = known, .is_kept = is_kept};
    spb_outbox__init(&session->outbox, options, spb_session__level(options), &session->stats, &session->notices,
                     &metrics);
    session->outbox.has_host = session->host.topic != NULL;
    session->outbox.journal.kept_for = session->outbox.has_host ? 0 : SPB_NO_HOST;
    session->table.keeps_aliases = options->has_journal && !options->no_aliases;
    spb_entity *entity = spb_outbox__stranger(&session->outbox, (spb_str){0});
    if (!entity) {
        return spb_error__no_memory(err, "a session");
    }
    spb_outbox__attach(entity, session->table.node);
    session->table.node->entity = entity;
    return SPB_OK;
}

spb_status spb_session_new(spb_session **out, const spb_session_options *options, spb_error *err) {
    *out = NULL;
    spb_status status = spb_session__check_options(options, err);
    if (status != SPB_OK) {
        return status;
    }
    spb_session *session = calloc(1, sizeof *session);
    if (!session) {
        return spb_error__no_memory(err, "a session");
    }
    status = copy_strings(session, options, err);
    if (status == SPB_OK) {
        status = spb_servers__init(&session->servers, options->servers, err);
    }
    if (status == SPB_OK) {
        status = make_host(session, options, err);
    }
    if (status == SPB_OK) {
        status = check_topic(session, err);
    }
    if (status == SPB_OK) {
        status = spb_table__init(&session->table, session, options->no_aliases, err);
    }
    if (status == SPB_OK) {
        status = make_outbox(session, err);
    }
    if (status != SPB_OK) {
        spb_session_free(session);
        return status;
    }
    spb_backoff__init(&session->backoff, options->reconnect_min_ms, options->reconnect_max_ms, options->random_seed);
    spb_bdseq__init(&session->bdseq, options->has_bdseq, options->bdseq);
    session->stats.bdseq = session->bdseq.number;
    session->timer_ms = session->node_birth_due_ms = session->bdseq_retry_ms = SPB_NEVER;
    *out = session;
    return SPB_OK;
}

void spb_session_free(spb_session *session) {
    if (!session) {
        return;
    }
    for (spb_device *dying; (dying = SPB_LINKED(session->deaths.first, spb_device, in_deaths));) {
        spb_list__remove(&dying->in_deaths);
        if (dying->is_removed) { /* else the table has it */
            dying->next = session->removed_devices;
            session->removed_devices = dying;
        }
    }
    session->waiting_writes = 0; /* nobody will answer any more */
    spb_session__bury(session);
    spb_table__clear(&session->table);
    spb_outbox__clear(&session->outbox);
    spb_deadlines__clear(&session->timers);
    spb_servers__clear(&session->servers);
    spb_host__clear(&session->host);
    spb_commands__clear(&session->commands);
    free(session->alias_items);
    spb_buffer__clear(&session->alias_texts);
    spb_buffer__clear(&session->scratch);
    spb_buffer__clear(&session->payload);
    spb_buffer__clear(&session->topic);
    spb_buffer__clear(&session->oversize.device_id);
    for (size_t i = 0; i < sizeof session->strings / sizeof *session->strings; i++) {
        free(session->strings[i]);
    }
    free(session);
}

/* ---- devices and metrics ---- */

static spb_device *holder_of(const spb_session *session, const spb_device *device) {
    return device ? (spb_device *)device : session->table.node;
}

static spb_status check_device_id(const spb_session *session, const char *device_id, spb_error *err) {
    spb_str id = spb_str_from(device_id);
    spb_status status = spb_id_check(id, "device ID", err);
    if (status != SPB_OK) {
        return status;
    }
    if (session->topic_bytes + 1 + id.len > MAX_TOPIC_BYTES) { /* the kind DBIRTH has a letter more than DDATA */
        return spb_error__set(err, SPB_ERR_NAME, "the topics of this device would be longer than %d bytes",
                              MAX_TOPIC_BYTES);
    }
    return SPB_OK;
}

/* A device of that ID may have been removed: then its samples and those of the new one stay in one order. */
static spb_entity *find_entity(spb_session *session, spb_str id) {
    const spb_device *dying = spb_session__dying_namesake(session, id);
    return dying ? dying->entity : spb_outbox__stranger(&session->outbox, id);
}

spb_status spb_session_add_device(spb_session *session, spb_device **out, const char *device_id, spb_time now,
                                  spb_error *err) {
    *out = NULL;
    spb_status status = check_device_id(session, device_id, err);
    spb_entity *entity = status == SPB_OK ? find_entity(session, spb_str_from(device_id)) : NULL;
    if (status == SPB_OK && !entity) {
        status = spb_error__no_memory(err, "a device");
    }
    if (status == SPB_OK) {
        status = spb_table__add_device(&session->table, out, spb_str_from(device_id), err);
    }
    if (status == SPB_OK) {
        spb_outbox__attach(entity, *out);
        (*out)->entity = entity;
        spb_session__want_birth(session, *out, now);
    } else if (entity) {
        spb_entity__end(entity);
    }
    return status;
}

spb_status spb_session__add(spb_session *session, spb_metric **out, spb_device *holder, const spb_metric_def *def,
                            bool is_definition, spb_time now, spb_error *err) {
    *out = NULL;
    if (spb_device__is_node(holder) && def->name && spb_session__is_own_name(session, def->name)) {
        return spb_error__set(err, SPB_ERR_EXISTS, "metric %s is the session's own", def->name);
    }
    if (def->name && !spb_session__is_time(def->timestamp_ms, now.wall_ms >= SPB_EARLIEST_MS)) {
        return spb_error__set(err, SPB_ERR_RANGE, "metric %s: the timestamp %llu is no time in milliseconds", def->name,
                              (unsigned long long)def->timestamp_ms);
    }
    spb_metric *metric;
    spb_session__see_clock(session, now);
    spb_status status = spb_metric__new(&metric, def, spb_session__stamp(session, now), err);
    if (status != SPB_OK) {
        return status;
    }
    metric->is_definition = is_definition;
    /* Encoding it once shows what no other check sees: contents of DataSets, Templates and property sets. */
    session->scratch.len = 0;
    status = spb_certificate__metric(&session->scratch, metric, metric->timestamp_ms, err);
    if (status == SPB_OK) {
        status = spb_oversize__check_growth(session, holder, metric->name, session->scratch.len, now, err);
    }
    if (status == SPB_OK) {
        status = spb_table__add_metric(&session->table, holder, metric, err);
    }
    if (status != SPB_OK) {
        spb_metric__free(metric);
        return status;
    }
    if (holder->is_born) {
        spb_session__want_birth(session, holder, now);
    }
    session->outbox.has_unkept |= metric->keep != SPB_KEEP_ALL;
    *out = metric;
    return SPB_OK;
}

spb_status spb_session_add_metric(spb_session *session, spb_metric **out, spb_device *device, const spb_metric_def *def,
                                  spb_time now, spb_error *err) {
    *out = NULL;
    spb_status status = spb_session__check_template(session, &def->value, err);
    return status == SPB_OK ? spb_session__add(session, out, holder_of(session, device), def, false, now, err) : status;
}

void spb_session_set_device_online(spb_session *session, spb_device *device, bool online, spb_time now) {
    if (device->is_online == online) {
        return;
    }
    device->is_online = online;
    if (online) {
        spb_session__want_birth(session, device, now);
        return;
    }
    spb_list__remove(&device->in_births);
    spb_oversize__shrank(session, now);
    if (device->is_born) {
        spb_outbox__hurry(device->entity);
        spb_list__push(&session->deaths, &device->in_deaths);
    } else {
        spb_session__shelve(device); /* kept for a birth that will not come */
    }
}

bool spb_session_device_is_online(const spb_session *session, const spb_device *device) {
    (void)session;
    return device->is_online;
}

spb_metric *spb_session_find_metric(const spb_session *session, const spb_device *device, const char *name) {
    spb_metric *metric = spb_table__find_metric(&session->table, holder_of(session, device), spb_str_from(name));
    return metric && !metric->is_definition ? metric : NULL;
}

spb_device *spb_session_find_device(const spb_session *session, const char *device_id) {
    return spb_table__find_device(&session->table, spb_str_from(device_id));
}

/* ---- the rest ---- */

void spb_session_stats(const spb_session *session, spb_stats *out) {
    *out = session->stats;
    out->state = session->state;
    out->samples_waiting = session->unsent + spb_outbox__waiting_samples(&session->outbox);
    out->is_store_failing = session->outbox.journal.is_failing;
    out->journal = session->outbox.journal.info;
}

spb_session_state spb_session_get_state(const spb_session *session) {
    return session->state;
}

const char *spb_session_state_name(spb_session_state state) {
    static const char *const names[] = {"STOPPED",   "WAITING",  "SAVING", "CONNECTING", "SUBSCRIBING",
                                        "WAIT_HOST", "BIRTHING", "ONLINE", "STOPPING"};
    return (size_t)state < sizeof names / sizeof *names ? names[state] : "?";
}

void spb_session__set_owner(spb_session *session, void *owner) {
    session->owner = owner;
}

void *spb_metric__owner(const spb_metric *metric) {
    return metric->holder->session->owner;
}

void *spb_device__owner(const spb_device *device) {
    return device->session->owner;
}
