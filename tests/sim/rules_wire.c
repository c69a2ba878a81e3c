/* The rules of the wire, held against each message in the moment it gets its number. Knows the specification and what
 * the application did; decodes with the library's decoder, and shares nothing else with the session. */
#include <string.h>

#include "sim/sim.h"

#define PREFIX SPB_NAMESPACE "/" SIM_GROUP "/"
#define BDSEQ "bdSeq"
#define REBIRTH "Node Control/Rebirth"
#define NEXT_SERVER "Node Control/Next Server"

typedef struct message {
    spb_kind kind;
    unsigned holder;
    const spb_payload *payload;
} message;

int sim_find_metric(const sim *s, unsigned holder, spb_str name) {
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].holder == holder && spb_str_equal(spb_str_from(s->metrics[i].name), name)) {
            return (int)i;
        }
    }
    return -1;
}

int sim_find_holder(const sim *s, spb_str id) {
    for (size_t i = 0; i < s->holder_count; i++) {
        if (spb_str_equal(spb_str_from(s->holders[i].id), id)) {
            return (int)i;
        }
    }
    return -1;
}

static int find_alias(const sim *s, uint64_t alias) {
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].alias == alias) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- the bdSeq ---- */

/* tck-id-payloads-ndeath-bdseq, tck-id-payloads-nbirth-bdseq: an Int64 without alias. -1: it is not there. */
static int bdseq_of(sim *s, const spb_payload *payload) {
    const spb_payload_metric *metric = spb_payload_find(payload, BDSEQ);
    if (!metric || metric->value.is_null || metric->value.type != SPB_INT64 || metric->has_alias ||
        !metric->has_timestamp || metric->value.as.i64 < 0 || metric->value.as.i64 > 255) {
        sim_fail(s, "bdSeq", "missing, or not an Int64 of 0 to 255 with a timestamp and without an alias");
        return -1;
    }
    return (int)metric->value.as.i64;
}

static void check_death(sim *s, const spb_payload *payload, int expected) {
    int bdseq = bdseq_of(s, payload);
    if (payload->has_seq) {
        sim_fail(s, "seq", "an NDEATH carries seq %llu", (unsigned long long)payload->seq);
    }
    if (payload->metric_count != 1) {
        sim_fail(s, "death", "an NDEATH carries %zu metrics", payload->metric_count);
    }
    if (bdseq != expected) {
        sim_fail(s, "bdSeq", "an NDEATH carries %d instead of %d", bdseq, expected);
    }
}

static void check_will(sim *s, const spb_transport_message *will, int expected) {
    spb_payload *payload = NULL;
    spb_error err;
    if (strcmp(will->topic, PREFIX "NDEATH/" SIM_NODE) != 0 || will->qos != 1 || will->retain) {
        sim_fail(s, "will", "topic %s, QoS %u, retain %d", will->topic, will->qos, will->retain);
    }
    if (spb_payload_decode(&payload, will->payload, NULL, &err) != SPB_OK) {
        sim_fail(s, "will", "cannot be decoded: %s", err.text);
        return;
    }
    check_death(s, payload, expected);
    spb_payload_free(payload);
}

/* No byte of the last CONNECT has left. */
void sim_rules_unsent(sim *s) {
    s->is_bdseq_spare = true;
}

void sim_rules_connect(sim *s, const spb_action *action) {
    int expected = s->is_bdseq_spare ? s->last_bdseq : (s->last_bdseq + 1) % 256;
    sim_note(s, "> CONNECT link %u, bdSeq %d expected", (unsigned)action->link, expected);
    check_will(s, &action->as.connect.will, expected);
    if (s->saving != expected || s->saves_waiting > 0) {
        sim_fail(s, "bdSeq", "CONNECT with %d, but the last one saved is %d, %u unanswered", expected, s->saving,
                 s->saves_waiting);
    }
    if (action->link == 0 || action->link <= s->last_link) {
        sim_fail(s, "links", "link %u was used already", action->link);
    }
    if (action->link != action->as.connect.link) {
        sim_fail(s, "links", "CONNECT of link %u says %u", action->link, action->as.connect.link);
    }
    /* A birth that took longer than that would come again and again. */
    uint32_t keep_alive_s = action->as.connect.keep_alive_s, usual_s = s->options.keep_alive_s;
    bool is_longer = keep_alive_s == s->keep_alive_s || (s->wire.is_subscribed && keep_alive_s == 4 * s->keep_alive_s);
    s->keep_alive_s = keep_alive_s;
    if ((keep_alive_s != usual_s && (!is_longer || keep_alive_s > 16 * usual_s)) ||
        action->as.connect.timeout_ms != s->options.connect_timeout_ms ||
        strcmp(action->as.connect.client_id, SIM_GROUP "-" SIM_NODE) != 0) {
        sim_fail(s, "connect", "other options than those of the session");
    }
    if (sim_awaits_clock(s)) {
        sim_fail(s, "clock", "CONNECT after %llu ms without a clock",
                 (unsigned long long)(s->now.mono_ms - s->started_ms));
    }
    s->counts.connects++;
    s->last_bdseq = expected;
    s->is_bdseq_spare = false;
    s->last_link = action->link;
    sim_rules_server(s, action->as.connect.server);
    sim_fence_ended(s);
    sim_way_ended(s);
    s->wire = (sim_wire){.link = action->link, .will_bdseq = (uint8_t)expected};
}

/* tck-id-message-flow-edge-node-ncmd-subscribe and its sibling for devices, those that are added later included. */
void sim_rules_subscribe(sim *s, const spb_action *action) {
    const spb_subscription *items = action->as.subscribe.items;
    if (action->link != s->wire.link || s->wire.is_over) {
        sim_fail(s, "links", "SUBSCRIBE on link %u, which is over", action->link);
    }
    const char *state = s->options.legacy_state ? "STATE/" SIM_HOST : SPB_NAMESPACE "/STATE/" SIM_HOST;
    bool has_host = s->options.primary_host_id != NULL;
    if (action->as.subscribe.count != (has_host ? 3u : 2u) ||
        (has_host && (strcmp(items[2].filter, state) != 0 || items[2].qos != 1)) ||
        strcmp(items[0].filter, PREFIX "NCMD/" SIM_NODE) != 0 ||
        strcmp(items[1].filter, PREFIX "DCMD/" SIM_NODE "/+") != 0 || items[0].qos != 1 || items[1].qos != 1) {
        sim_fail(s, "subscribe", "not to NCMD and DCMD with QoS 1, or to more");
    }
}

/* To see whether the server is there, half a keep-alive after its last answer; to see what the link carries and wake
 * the client, after 512 bytes to 64 KiB, by what it has shown, and when the client reports nothing; to know what has
 * arrived; and in another form, when nothing was answered. */
void sim_rules_fence(sim *s, const spb_action *action) {
    sim_wire *wire = &s->wire;
    sim_note(s, "> FENCE link %u, form %d", (unsigned)action->link, (int)action->as.fence.form);
    if (action->link != wire->link || wire->is_over || wire->is_dead || !wire->is_subscribed) {
        sim_fail(s, "links", "FENCE on link %u, which is not up", action->link);
    }
    /* Ahead of the births, when those of the connection before were large and vanished: see core/cause.c. */
    bool is_first = wire->messages == 0 && wire->tried == 0;
    bool is_trial = sim_fence_ask(s, action->as.fence.form);
    bool is_riding = action->as.fence.is_followed;
    uint64_t early_ms = is_riding ? wire->keep_alive_ms / 8 : 0;
    bool is_watch_due = s->now.mono_ms + early_ms >= wire->answered_ms + wire->keep_alive_ms / 2;
    bool is_for_watch = is_watch_due && (s->way.fences == 0 || s->level != SPB_DELIVERY_LIVE);
    bool is_stalled = wire->stall_ms != 0 && wire->stall_ms <= s->now.mono_ms;
    bool is_to_wake = is_stalled || wire->unfenced >= SIM_LEAST_PART;
    if (!is_for_watch && !is_to_wake && !is_trial && !is_first && !sim_way_wants_fence(s, is_riding)) {
        sim_fail(s, "fence", "another one %llu ms after the last answer, %u are under way",
                 (unsigned long long)(s->now.mono_ms - wire->answered_ms), s->way.fences);
    }
    wire->stall_ms = is_stalled ? 0 : wire->stall_ms;
    sim_way_fence(s, action->as.fence.form, is_trial);
    wire->unfenced = 0;
}

void sim_rules_disconnect(sim *s, const spb_action *action) {
    sim_wire *wire = &s->wire;
    sim_note(s, "> DISCONNECT link %u within %u ms", (unsigned)action->link, (unsigned)action->as.timeout_ms);
    if (action->link != wire->link || wire->is_over) {
        sim_fail(s, "links", "DISCONNECT on link %u, which is over", action->link);
    }
    if (wire->is_born) {
        sim_fail(s, "death", "DISCONNECT after a birth without an NDEATH");
    }
    if (action->as.timeout_ms == 0 || s->now.mono_ms + action->as.timeout_ms > s->stop_by_ms) {
        sim_fail(s, "stop", "DISCONNECT may take %u ms", action->as.timeout_ms);
    }
    if (s->stop_by_ms == SPB_NEVER && (!sim_rules_may_leave(s) || action->as.timeout_ms > 2000)) {
        sim_fail(s, "links", "DISCONNECT, but nobody wants to stop, or to go to the next server");
    }
    wire->is_over = true;
}

/* ---- births ---- */

static void check_birth_metric(sim *s, unsigned holder, const spb_payload_metric *metric, bool *seen) {
    int i = sim_find_metric(s, holder, metric->name);
    if (i < 0) {
        sim_fail(s, "birth", "metric %.*s is not one of %s", (int)metric->name.len, metric->name.data,
                 s->holders[holder].id);
        return;
    }
    sim_metric *known = &s->metrics[i];
    if (known->is_removed) {
        sim_fail(s, "birth", "metric %s was removed", known->name);
    }
    if (seen[i]) {
        sim_fail(s, "birth", "metric %s stands there twice", known->name);
    }
    seen[i] = true;
    if (metric->omit_datatype || metric->value.type != known->type || !metric->has_timestamp) {
        sim_fail(s, "birth", "metric %s without its datatype or a timestamp", known->name);
    } else if (metric->timestamp_ms != known->timestamp_ms || sim_look_of(metric, &metric->value) != known->hash) {
        sim_fail(s, "birth", "metric %s does not have its present value", known->name);
    }
    if (metric->has_alias == s->options.no_aliases) {
        sim_fail(s, "alias", "metric %s %s an alias", known->name, metric->has_alias ? "has" : "lacks");
    } else if (metric->has_alias) {
        int other = find_alias(s, metric->alias);
        if (metric->alias == 0 || (other >= 0 && other != i)) {
            sim_fail(s, "alias", "%llu of %s belongs to another metric", (unsigned long long)metric->alias,
                     known->name);
        } else if (known->alias != 0 && known->alias != metric->alias) {
            sim_fail(s, "alias", "that of %s has changed", known->name);
        }
        known->alias = metric->alias;
        bool may_fail = s->journal.has_failed || s->scenario.permille[SIM_ALLOCATION_FAILS] > 0;
        if (s->has_journal && !may_fail && sim_rules_saved_alias(s, known) != metric->alias) {
            sim_fail(s, "alias", "that of %s would not survive", known->name);
        }
    }
}

/* tck-id-operational-behavior-data-publish-nbirth-order, tck-id-operational-behavior-data-publish-dbirth-order */
static void check_order_of_time(sim *s, const spb_payload *birth) {
    for (size_t i = 1; i < birth->metric_count; i++) {
        if (birth->metrics[i].timestamp_ms < birth->metrics[i - 1].timestamp_ms) {
            sim_fail(s, "birth", "metric %zu is older than the one before it", i + 1);
        }
    }
}

/* Whether it is one of the session's own, which stand in each NBIRTH. */
static bool is_own(sim *s, const spb_payload_metric *metric) {
    bool is_next_server = spb_str_equal(metric->name, spb_str_from(NEXT_SERVER)) && s->options.next_server_metric;
    if (spb_str_equal(metric->name, spb_str_from(REBIRTH)) || is_next_server) {
        if (metric->has_alias || !metric->has_timestamp || metric->value.type != SPB_BOOLEAN || metric->value.is_null ||
            metric->value.as.boolean) {
            sim_fail(s, "birth", "%s is not a Boolean false with a timestamp and without an alias", REBIRTH);
        }
        return true;
    }
    if (spb_str_equal(metric->name, spb_str_from(SIM_TEMPLATE))) {
        if (!s->has_template || metric->value.type != SPB_TEMPLATE || !metric->value.as.tmpl->is_definition ||
            metric->value.as.tmpl->metric_count != 1 || metric->value.as.tmpl->template_ref.data) {
            sim_fail(s, "template", "%s is not the definition as it was added", SIM_TEMPLATE);
        }
        return true;
    }
    return spb_str_equal(metric->name, spb_str_from(BDSEQ));
}

static void check_birth(sim *s, const message *m) {
    bool seen[SIM_MAX_METRICS] = {false};
    size_t own = 0;
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        if (m->kind == SPB_KIND_NBIRTH && is_own(s, &m->payload->metrics[i])) {
            own++;
        } else {
            check_birth_metric(s, m->holder, &m->payload->metrics[i], seen);
        }
    }
    check_order_of_time(s, m->payload);
    if (m->kind == SPB_KIND_NBIRTH && own != 2u + s->options.next_server_metric + s->has_template) {
        sim_fail(s, "birth", "NBIRTH without %s and %s, once each", BDSEQ, REBIRTH);
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].holder == m->holder) {
            s->metrics[i].in_birth = !s->metrics[i].is_removed;
        }
        if (s->metrics[i].in_birth && s->metrics[i].holder == m->holder && !seen[i]) {
            sim_fail(s, "birth", "metric %s is missing", s->metrics[i].name);
        }
    }
    s->holders[m->holder].is_flushing = false;
    s->way.has_unfenced_birth = true;
    sim_rules_carried(s, m->holder);
}

static void check_node_birth(sim *s, const message *m) {
    sim_wire *wire = &s->wire;
    int bdseq = bdseq_of(s, m->payload);
    if (bdseq != wire->will_bdseq) {
        sim_fail(s, "bdSeq", "NBIRTH carries %d, the will %u", bdseq, wire->will_bdseq);
    }
    sim_rules_may_be_born(s);
    if (!wire->is_subscribed) {
        sim_fail(s, "order", "NBIRTH before the subscriptions are acknowledged");
    }
    if (wire->is_born && !wire->has_cause) {
        sim_fail(s, "birth", "another NBIRTH without a cause");
    }
    if (wire->is_born && !wire->has_change && s->now.mono_ms - wire->birth_ms < s->options.rebirth_window_ms) {
        sim_fail(s, "window", "an NBIRTH on request, %llu ms after the last one",
                 (unsigned long long)(s->now.mono_ms - wire->birth_ms));
    }
    sim_births_may_follow(s);
    wire->births_handed = 0;
    wire->is_born = true;
    wire->wants_birth = wire->has_cause = wire->has_change = false;
    wire->lacks_template = false;
    wire->birth_ms = s->now.mono_ms;
    sim_way_born(s);
    wire->next_seq = 0;
    s->counts.births++;
    s->holders[0].is_born = true;
    for (size_t i = 1; i < s->holder_count; i++) {
        sim_holder *device = &s->holders[i];
        if (device->may_lose) { /* it went in the births before, and was not born in them */
            device->is_born = device->is_dying = false;
            sim_rules_drop_owed(s, (unsigned)i);
        }
        device->is_due = device->has_cause = device->is_online;
        device->may_lose = device->is_dying;
    }
    sim_births_left(s);
    check_birth(s, m);
}

static void check_device_birth(sim *s, const message *m) {
    sim_holder *device = &s->holders[m->holder];
    if (!s->wire.is_born) {
        sim_fail(s, "order", "DBIRTH of %s before the NBIRTH", device->id);
    }
    if (!device->is_online || !device->has_cause) {
        sim_fail(s, "birth", "DBIRTH of %s, which %s", device->id, device->is_online ? "has no cause" : "is offline");
    }
    if (device->may_lose) {
        sim_rules_drop_owed(s, m->holder);
    }
    if (device->is_due) {
        sim_births_left(s);
    }
    device->is_born = true;
    device->is_due = device->has_cause = device->may_lose = device->is_dying = false;
    check_birth(s, m);
}

static void check_device_death(sim *s, const message *m) {
    sim_holder *device = &s->holders[m->holder];
    if (!device->is_born || device->is_due || device->may_lose) {
        sim_fail(s, "death", "DDEATH of %s without a DBIRTH", device->id);
    }
    if (!device->is_dying) {
        sim_fail(s, "death", "DDEATH of %s, which did not go", device->id);
    }
    device->is_born = device->is_dying = device->is_due = false;
}

static void check_node_death(sim *s, const message *m) {
    check_death(s, m->payload, s->wire.will_bdseq);
    if (!s->wire.is_born) {
        sim_fail(s, "death", "NDEATH without a birth");
    }
    if (s->stop_by_ms == SPB_NEVER && !sim_rules_may_leave(s)) {
        sim_fail(s, "death", "NDEATH, but nobody wants to stop, or to go to the next server");
    }
    s->wire.is_born = false;
    s->wire.is_dead = true;
}

/* ---- data ---- */

static void check_sample(sim *s, unsigned holder, const spb_payload_metric *metric) {
    bool has_name = metric->name.data != NULL;
    if (has_name != s->options.no_aliases || metric->has_alias == s->options.no_aliases) {
        sim_fail(s, "alias", "data with%s a name and with%s an alias", has_name ? "" : "out",
                 metric->has_alias ? "" : "out");
        return;
    }
    int i = has_name ? sim_find_metric(s, holder, metric->name) : find_alias(s, metric->alias);
    if (i < 0 || s->metrics[i].holder != holder || !s->metrics[i].in_birth) {
        sim_fail(s, "alias", "data of metric %.*s, alias %llu, which the birth of %s does not have",
                 (int)metric->name.len, has_name ? metric->name.data : "", (unsigned long long)metric->alias,
                 s->holders[holder].id);
        return;
    }
    spb_value value = metric->value;
    spb_error err;
    if (spb_value_resolve(&value, s->metrics[i].type, &err) != SPB_OK) {
        sim_fail(s, "value", "metric %s: %s", s->metrics[i].name, err.text);
        return;
    }
    if (metric->is_historical && s->level != SPB_DELIVERY_LIVE) {
        sim_replay_sample(s, i, sim_look_of(metric, &value), metric->timestamp_ms);
    } else {
        sim_rules_sample(s, i, sim_look_of(metric, &value), metric->timestamp_ms, metric->is_historical);
        sim_way_live(s, i, sim_look_of(metric, &value), metric->timestamp_ms);
    }
}

static void check_data(sim *s, const message *m, size_t payload_bytes) {
    const sim_holder *holder = &s->holders[m->holder];
    bool is_stopping = s->stop_by_ms != SPB_NEVER;
    uint64_t last_ms = 0;
    if (!s->wire.is_born || !holder->is_born || holder->is_due || holder->may_lose) {
        sim_fail(s, "order", "data of %s before its birth", holder->id);
    }
    for (size_t i = 1; i < s->holder_count && !is_stopping; i++) {
        if (s->holders[i].is_due) {
            sim_fail(s, "order", "data before the DBIRTH of %s", s->holders[i].id);
        }
    }
    if (s->wire.wants_birth && !holder->is_dying && !holder->is_flushing && !is_stopping) {
        sim_fail(s, "rebirth", "data after a host asked for a rebirth");
    }
    if (m->payload->metric_count == 0) {
        sim_fail(s, "data", "a message without metrics");
    }
    if (s->wire.max_packet_bytes > 0) { /* messages before this one may have been too large */
        sim_rules_sampled(s, m->holder);
    }
    sim_exception_begin(s, m->holder);
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        if (!metric->has_timestamp || metric->timestamp_ms < last_ms) {
            sim_fail(s, "time", "metric %zu without a timestamp, or older than the one before", i);
        }
        last_ms = metric->timestamp_ms;
        if (metric->is_historical != m->payload->metrics[0].is_historical && s->level != SPB_DELIVERY_LIVE) {
            sim_fail(s, "replay", "a message of both live and historical data");
        }
        check_sample(s, m->holder, metric);
        s->counts.published++;
    }
    sim_exception_message(s, m->holder, m->payload->metric_count, s->way.is_replaying);
    sim_way_published(s, m->payload->metric_count, payload_bytes);
    sim_rules_sampled(s, m->holder);
}

/* ---- any message ---- */

static bool parse(sim *s, const char *topic, message *m) {
    static const spb_kind kinds[] = {SPB_KIND_NBIRTH, SPB_KIND_NDEATH, SPB_KIND_NDATA,
                                     SPB_KIND_DBIRTH, SPB_KIND_DDEATH, SPB_KIND_DDATA};
    if (strncmp(topic, PREFIX, strlen(PREFIX)) != 0) {
        return false;
    }
    topic += strlen(PREFIX);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *name = spb_kind_name(kinds[i]);
        size_t len = strlen(name);
        if (strncmp(topic, name, len) == 0 && strncmp(topic + len, "/" SIM_NODE, 2) == 0) {
            const char *rest = topic + len + 2;
            bool is_device = *rest == '/';
            int holder = sim_find_holder(s, spb_str_from(is_device ? rest + 1 : ""));
            m->kind = kinds[i];
            m->holder = holder < 0 ? 0 : (unsigned)holder;
            return holder >= 0 && spb_kind_is_device(m->kind) == is_device && is_device == (holder > 0);
        }
    }
    return false;
}

static void check_seq(sim *s, const message *m) {
    if (!m->payload->has_seq || m->payload->seq != s->wire.next_seq) {
        sim_fail(s, "seq", "%d instead of %u", m->payload->has_seq ? (int)m->payload->seq : -1, s->wire.next_seq);
    }
    s->wire.next_seq = (uint8_t)(m->payload->seq + 1);
}

/* tck-id of MQTT 5: a server drops the connection of who sends more than it takes. */
static void check_size(sim *s, const spb_transport_message *sent) {
    size_t rest = 2 + strlen(sent->topic) + 1 + sent->payload.len;
    size_t bytes = 1 + rest;
    for (size_t left = rest; left > 0; left /= 128) {
        bytes++;
    }
    if (s->wire.max_packet_bytes > 0 && bytes > s->wire.max_packet_bytes) {
        sim_fail(s, "size", "%s of %zu bytes, but the server takes %u", sent->topic, bytes, s->wire.max_packet_bytes);
    }
}

/* What any message must be, before its kind is looked at. */
static void check_frame(sim *s, const spb_transport_message *sent, const message *m) {
    const sim_wire *wire = &s->wire;
    if (sent->qos != 0 || sent->retain) {
        sim_fail(s, "qos", "%s with QoS %u, retain %d", sent->topic, sent->qos, sent->retain);
    }
    if (wire->is_over || wire->is_dead || spb_session_get_state(s->session) < SPB_SESSION_BIRTHING) {
        sim_fail(s, "links", "%s on a link that is over", sent->topic);
    }
    if (wire->must_leave && s->stop_by_ms == SPB_NEVER && m->kind != SPB_KIND_NDEATH && !s->has_state_doubt) {
        sim_fail(s, "host", "%s on the way to the next server", sent->topic);
    }
    if (m->kind != SPB_KIND_NBIRTH && !wire->is_born) {
        sim_fail(s, "order", "%s before the NBIRTH of this connection", sent->topic);
    }
    if (m->kind != SPB_KIND_NDEATH && wire->in_flight >= s->options.max_in_flight) {
        sim_fail(s, "in flight", "%u messages are unanswered already", wire->in_flight);
    }
    if (!m->payload->has_timestamp || m->payload->timestamp_ms != s->now.wall_ms) {
        sim_fail(s, "time", "%s without the present time", sent->topic);
    }
}

static void check(sim *s, const spb_transport_message *sent, const message *m) {
    sim_way_begin(s);
    check_frame(s, sent, m);
    check_size(s, sent);
    switch (m->kind) {
    case SPB_KIND_NBIRTH: check_node_birth(s, m); break;
    case SPB_KIND_DBIRTH: check_device_birth(s, m); break;
    case SPB_KIND_NDEATH: check_node_death(s, m); break;
    case SPB_KIND_DDEATH: check_device_death(s, m); break;
    default: check_data(s, m, sent->payload.len); break;
    }
    if (m->kind != SPB_KIND_NDEATH) {
        check_seq(s, m);
    }
    s->wire.stall_ms = s->wire.in_flight == 0 ? s->now.mono_ms + SIM_STALL_MS : s->wire.stall_ms;
    s->wire.unfenced += strlen(sent->topic) + sent->payload.len;
    s->wire.unanswered += strlen(sent->topic) + sent->payload.len;
    s->wire.in_flight++;
    s->wire.messages++;
    s->counts.messages++;
    s->counts.bytes += sent->payload.len;
}

void sim_rules_publish(sim *s, const spb_transport_message *sent) {
    message m = {.kind = SPB_KIND_NDATA};
    spb_payload *payload = NULL;
    spb_error err;
    if (!parse(s, sent->topic, &m)) {
        sim_fail(s, "topic", "%s", sent->topic);
        return;
    }
    if (spb_payload_decode(&payload, sent->payload, NULL, &err) != SPB_OK) {
        sim_fail(s, "payload", "%s cannot be decoded: %s", sent->topic, err.text);
        return;
    }
    sim_note(s, "> %s %s seq %d, %zu metrics", spb_kind_name(m.kind), s->holders[m.holder].id,
             payload->has_seq ? (int)payload->seq : -1, payload->metric_count);
    m.payload = payload;
    check(s, sent, &m);
    spb_payload_free(payload);
}
