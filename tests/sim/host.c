/* A host application: believes what arrives, as the specification tells it to, and sends commands of every kind. */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

#define NCMD SPB_NAMESPACE "/" SIM_GROUP "/NCMD/" SIM_NODE
#define REBIRTH "Node Control/Rebirth"

/* ---- what it hears ---- */

/* Nothing that it cannot read may reach it, unless the broker has kept something back. */
static void surprise(sim *s, const char *what, const char *topic) {
    if (!s->host->has_missed) {
        sim_fail(s, "host", "%s: %s", topic, what);
    }
}

/* What can be kept without the payload. */
static spb_value plain(const spb_value *value) {
    bool is_plain = value->type <= SPB_BOOLEAN || value->type == SPB_DATETIME;
    return is_plain ? *value : spb_null(value->type);
}

/* A host keeps the quality that it was told last; that of the newest sample must be right. */
static void learn_quality(sim *s, int index, const spb_payload_metric *metric, const spb_value *value,
                          const char *topic) {
    sim_host_metric *known = &s->host->metrics[index];
    bool is_told = spb_property_find(metric->properties, SPB_PROPERTY_QUALITY) != NULL;
    if (!is_told && known->is_known && known->quality != SPB_SAMPLE_GOOD &&
        sim_look_of(metric, value) == s->metrics[index].hash &&
        metric->timestamp_ms == s->metrics[index].timestamp_ms) {
        surprise(s, "a quality that is over was not taken back", topic);
    }
    known->quality = sim_quality(metric);
}

static void learn_birth(sim *s, unsigned holder, const spb_payload *payload) {
    for (size_t i = 0; i < payload->metric_count; i++) {
        const spb_payload_metric *metric = &payload->metrics[i];
        int index = sim_find_metric(s, holder, metric->name);
        if (index >= 0) {
            s->host->metrics[index] = (sim_host_metric){.is_known = true,
                                                        .alias = metric->has_alias ? metric->alias : 0,
                                                        .hash = sim_look_of(metric, &metric->value),
                                                        .value = plain(&metric->value),
                                                        .quality = sim_quality(metric),
                                                        .timestamp_ms = metric->timestamp_ms};
        }
    }
}

static int look_up(const sim *s, unsigned holder, const spb_payload_metric *metric) {
    if (metric->name.data) {
        return sim_find_metric(s, holder, metric->name);
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->host->metrics[i].is_known && s->host->metrics[i].alias == metric->alias &&
            s->metrics[i].holder == holder) {
            return (int)i;
        }
    }
    return -1;
}

static void learn_data(sim *s, unsigned holder, const spb_payload *payload, const char *topic) {
    if (!s->host->is_node_born || !s->host->is_born[holder]) {
        surprise(s, "data before a birth", topic);
        return;
    }
    for (size_t i = 0; i < payload->metric_count; i++) {
        int index = look_up(s, holder, &payload->metrics[i]);
        if (index < 0) {
            surprise(s, "data of an unknown metric", topic);
            continue;
        }
        spb_value value = payload->metrics[i].value;
        if (spb_value_resolve(&value, s->metrics[index].type, NULL) != SPB_OK) {
            surprise(s, "data of another datatype", topic);
        }
        if (payload->metrics[i].is_historical) {
            continue; /* it has newer ones */
        }
        learn_quality(s, index, &payload->metrics[i], &value, topic);
        s->host->metrics[index].hash = sim_look_of(&payload->metrics[i], &value);
        s->host->metrics[index].value = plain(&value);
        s->host->metrics[index].timestamp_ms = payload->metrics[i].timestamp_ms;
    }
}

static void learn_node_birth(sim *s, const spb_payload *payload) {
    const spb_payload_metric *bdseq = spb_payload_find(payload, "bdSeq");
    uint64_t asked_ms = s->host->asked_ms;
    *s->host = (sim_host){.is_node_born = true, .asked_ms = asked_ms};
    s->host->is_born[0] = true;
    s->host->bdseq = bdseq ? (uint8_t)bdseq->value.as.i64 : 0;
    learn_birth(s, 0, payload);
}

static void learn_node_death(sim *s, const spb_payload *payload) {
    const spb_payload_metric *bdseq = spb_payload_find(payload, "bdSeq");
    if (bdseq && bdseq->value.as.i64 == s->host->bdseq) { /* else it is of an earlier session */
        s->host->is_node_born = false;
        memset(s->host->is_born, 0, sizeof s->host->is_born);
    }
}

static void count(sim *s, const spb_payload *payload, const char *topic, bool is_birth) {
    uint8_t expected = is_birth ? 0 : s->host->next_seq;
    if (!payload->has_seq || payload->seq != expected) {
        surprise(s, "a gap in seq", topic);
        s->host->has_missed = true;
    }
    s->host->next_seq = (uint8_t)(payload->seq + 1);
}

static void learn(sim *s, const spb_topic *topic, const char *text, const spb_payload *payload) {
    int holder = sim_find_holder(s, topic->device_id.data ? topic->device_id : spb_str_from(""));
    if (holder < 0) {
        surprise(s, "an unknown device", text);
        return;
    }
    switch (topic->kind) {
    case SPB_KIND_NBIRTH: learn_node_birth(s, payload); break;
    case SPB_KIND_NDEATH: learn_node_death(s, payload); return;
    case SPB_KIND_DBIRTH:
        s->host->is_born[holder] = true;
        learn_birth(s, (unsigned)holder, payload);
        break;
    case SPB_KIND_DDEATH: s->host->is_born[holder] = false; break;
    default: learn_data(s, (unsigned)holder, payload, text); break;
    }
    count(s, payload, text, topic->kind == SPB_KIND_NBIRTH);
}

void sim_host_hear(sim *s, const char *text, const uint8_t *bytes, size_t len) {
    spb_topic topic;
    spb_payload *payload = NULL;
    if (spb_topic_parse(&topic, spb_str_from(text), NULL) != SPB_OK ||
        spb_payload_decode(&payload, (spb_bytes){bytes, len}, NULL, NULL) != SPB_OK) {
        sim_fail(s, "host", "cannot read %s", text);
        return;
    }
    learn(s, &topic, text, payload);
    spb_payload_free(payload);
}

/* ---- what it asks for ---- */

static void send_at(sim *s, const char *topic, const spb_payload_metric *metrics, size_t metric_count, bool retained,
                    bool is_timeless) {
    spb_payload payload = {.has_timestamp = !is_timeless,
                           .timestamp_ms = s->now.wall_ms,
                           .metrics = metrics,
                           .metric_count = metric_count};
    uint8_t *bytes;
    size_t len;
    if (spb_payload_encode(&payload, NULL, &bytes, &len, NULL) == SPB_OK) {
        sim_broker_forward(s, topic, bytes, len, retained);
        spb_free(bytes);
    }
}

static void send(sim *s, const char *topic, const spb_payload_metric *metrics, size_t metric_count, bool retained) {
    send_at(s, topic, metrics, metric_count, retained, false);
}

static void request(sim *s, bool retained) {
    spb_payload_metric metric = {.name = spb_str_from(REBIRTH), .value = spb_boolean(true)};
    send(s, NCMD, &metric, 1, retained);
}

void sim_host_request_rebirth(sim *s) {
    s->host->asked_ms = s->now.mono_ms;
    request(s, false);
}

static void request_storm(sim *s) {
    for (uint32_t n = 2 + sim_below(s, 100); n > 0; n--) {
        request(s, false);
    }
}

static void request_nothing(sim *s) {
    sim_space space;
    spb_payload_metric metric = {.name = spb_str_from(REBIRTH), .value = spb_boolean(false)};
    if (sim_below(s, 2) == 0) { /* no Boolean */
        spb_type type = sim_below(s, 2) == 0 ? SPB_STRING : SPB_BYTES;
        metric.value = sim_value(&space, type, sim_draw(s));
    }
    send(s, NCMD, &metric, 1, false);
}

static void request_retained(sim *s) {
    request(s, true);
}

static void send_on(sim *s) {
    spb_payload_metric metric = {.name = spb_str_from("Node Control/Next Server"),
                                 .value = spb_boolean(sim_below(s, 4) != 0)};
    send(s, NCMD, &metric, 1, sim_below(s, 8) == 0);
}

/* By name or by alias, of the right datatype or of another, to the right holder or to another. */
static void write(sim *s) {
    spb_payload_metric metrics[4];
    sim_space spaces[4];
    uint32_t count = 1 + sim_below(s, 4);
    char topic[96] = NCMD;
    unsigned holder = 0;
    bool is_timeless = false;
    if (s->metric_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const sim_metric *target = &s->metrics[sim_below(s, (uint32_t)s->metric_count)];
        spb_type type = sim_below(s, 4) == 0 ? sim_type(sim_draw(s)) : target->type;
        metrics[i] = (spb_payload_metric){.value = sim_value(&spaces[i], type, sim_draw(s))};
        metrics[i].has_alias = target->alias != 0 && sim_below(s, 2) == 0;
        metrics[i].alias = target->alias + (sim_below(s, 16) == 0 ? 1000 : 0);
        if (target->has_age_limit && type == target->type && sim_below(s, 2) == 0) {
            bool is_old = s->has_clock_stepped || sim_below(s, 2) == 0;
            metrics[i].value = sim_value(&spaces[i], type, is_old ? SIM_OLD_SEED : SIM_STALE_SEED);
            is_timeless |= is_old && sim_below(s, 2) == 0;
            metrics[i].has_timestamp = !is_timeless;
            metrics[i].timestamp_ms = is_old ? 1 : s->now.wall_ms - SIM_MAX_COMMAND_AGE_MS - 1;
        } else if (target->choice_seed != 0 && type == target->type && sim_below(s, 2) == 0) {
            metrics[i].value = sim_value(&spaces[i], type, target->choice_seed);
        }
        if (!metrics[i].has_alias) {
            metrics[i].name = spb_str_from(target->name);
        }
        holder = target->holder;
    }
    if (sim_below(s, 32) == 0) {
        snprintf(topic, sizeof topic, SPB_NAMESPACE "/" SIM_GROUP "/DCMD/" SIM_NODE "/nobody");
    } else if (holder > 0) {
        snprintf(topic, sizeof topic, SPB_NAMESPACE "/" SIM_GROUP "/DCMD/" SIM_NODE "/%s", s->holders[holder].id);
    }
    send_at(s, topic, metrics, count, sim_below(s, 16) == 0, is_timeless);
}

static void write_much(sim *s) {
    for (uint32_t n = sim_below(s, 80); n > 0; n--) {
        write(s);
    }
    sim_host_request_rebirth(s);
}

static void talk_nonsense(sim *s) {
    uint8_t bytes[64];
    size_t len = sim_below(s, sizeof bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)sim_draw(s);
    }
    static const char *const topics[] = {NCMD, SPB_NAMESPACE "/" SIM_GROUP "/DCMD/" SIM_NODE "/nobody",
                                         SPB_NAMESPACE "/" SIM_GROUP "/NCMD/other", "elsewhere", ""};
    sim_broker_forward(s, topics[sim_below(s, 5)], bytes, len, false);
}

const sim_move sim_host_moves[] = {{"a host asks for a rebirth", 8, false, sim_host_request_rebirth},
                                   {"hosts ask for many rebirths", 2, false, request_storm},
                                   {"a host asks for no rebirth", 2, false, request_nothing},
                                   {"an old request for a rebirth is retained", 2, false, request_retained},
                                   {"a host asks for the next server", 1, false, send_on},
                                   {"a host writes", 12, false, write},
                                   {"hosts write a lot, then ask for a rebirth", 2, false, write_much},
                                   {"a host talks nonsense", 4, false, talk_nonsense},
                                   {0}};
