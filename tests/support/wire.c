/* Decides how a well-behaved transport answers, and what no session may ever put on the wire. */
#include "support/wire.h"

#include <check.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/sample_sum.h"
#include "support/short_way.h"

/* ---- writing down ---- */

static void write_down(char *text, size_t capacity, const char *separator, const char *format, ...) {
    size_t at = strlen(text);
    va_list args;
    if (at > 0) {
        at += (size_t)snprintf(text + at, capacity - at, "%s", separator);
    }
    ck_assert_uint_lt(at, capacity);
    va_start(args, format);
    int len = vsnprintf(text + at, capacity - at, format, args);
    va_end(args);
    ck_assert_uint_lt(at + (size_t)len, capacity);
}

#define NOTE(w, ...) write_down((w)->ledger, sizeof(w)->ledger, ", ", __VA_ARGS__)

/* ---- the rules of the wire ---- */

static size_t born_index(const wire *w, const char *device) {
    size_t i = 0;
    while (i < w->born_count && strcmp(w->born[i], device) != 0) {
        i++;
    }
    return i;
}

static bool is_born(const wire *w, const char *device) {
    return born_index(w, device) < w->born_count;
}

static void set_born(wire *w, const char *device) {
    if (!is_born(w, device)) {
        ck_assert_uint_lt(w->born_count, 64);
        memcpy(w->born[w->born_count++], device, strlen(device) + 1);
    }
}

static void set_dead(wire *w, const char *device) {
    size_t i = born_index(w, device);
    ck_assert_msg(i < w->born_count, "DDEATH of %s, which was never born", device);
    if (i != --w->born_count) { /* gcc makes a memcpy of a memmove of array elements, even onto itself */
        memcpy(w->born[i], w->born[w->born_count], sizeof w->born[0]);
    }
}

static uint8_t check_bdseq(const spb_payload *payload) {
    const spb_payload_metric *bdseq = spb_payload_find(payload, "bdSeq");
    ck_assert_ptr_nonnull(bdseq);
    ck_assert_int_eq(bdseq->value.type, SPB_INT64);
    ck_assert(bdseq->has_timestamp && !bdseq->has_alias && !bdseq->value.is_null);
    ck_assert(bdseq->value.as.i64 >= 0 && bdseq->value.as.i64 <= 255);
    return (uint8_t)bdseq->value.as.i64;
}

static void check_death_payload(const spb_payload *payload) {
    ck_assert(payload->has_timestamp && !payload->has_seq);
    ck_assert_uint_eq(payload->metric_count, 1);
}

static void check_metrics(const wire *w, const wire_message *m) {
    bool is_data = m->kind == SPB_KIND_NDATA || m->kind == SPB_KIND_DDATA;
    uint64_t newest = 0;
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        ck_assert_msg(metric->has_timestamp, "metric %zu without a timestamp", i);
        ck_assert(is_data ? metric->has_alias != (metric->name.data != NULL) : metric->name.data != NULL);
        ck_assert_int_eq(metric->value.type == SPB_UNKNOWN, is_data);
        if (is_data) {
            /* Live or replayed; without a journal, live data may have samples of the past among it. */
            ck_assert(!w->store || metric->is_historical == m->payload->metrics[0].is_historical);
            ck_assert_uint_ge(metric->timestamp_ms, newest);
            newest = metric->timestamp_ms;
        }
    }
}

/* Never 0; the node's own is that of the empty ID. */
static uint32_t owner_hash(const char *device) {
    uint32_t hash = 2166136261u;
    for (; *device; device++) {
        hash = (hash ^ (uint8_t)*device) * 16777619u;
    }
    return hash ? hash : 1;
}

static void forget_aliases(wire *w, const char *device) {
    for (size_t i = 0; i < sizeof w->alias_owners / sizeof *w->alias_owners; i++) {
        if (w->alias_owners[i] == owner_hash(device)) {
            w->alias_owners[i] = 0;
        }
    }
}

/* An alias belongs to one metric of the node and all its devices (tck-id-payloads-alias-uniqueness), and data uses only
 * those of the last birth of its device. */
static void check_aliases(wire *w, const wire_message *m) {
    bool is_birth = m->kind == SPB_KIND_NBIRTH || m->kind == SPB_KIND_DBIRTH;
    if (m->kind == SPB_KIND_NBIRTH) {
        memset(w->alias_owners, 0, sizeof w->alias_owners);
    } else if (m->kind == SPB_KIND_DBIRTH) {
        forget_aliases(w, m->device);
    }
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        if (!metric->has_alias) {
            continue;
        }
        ck_assert_uint_lt(metric->alias, sizeof w->alias_owners / sizeof *w->alias_owners);
        uint32_t *owner = &w->alias_owners[metric->alias];
        ck_assert_msg(*owner == (is_birth ? 0 : owner_hash(m->device)), "alias %u in %s of %s", (unsigned)metric->alias,
                      spb_kind_name(m->kind), m->device);
        *owner = owner_hash(m->device);
    }
}

static void check_seq(wire *w, const wire_message *m) {
    if (m->kind == SPB_KIND_NDEATH) {
        check_death_payload(m->payload);
        return;
    }
    ck_assert(m->payload->has_seq && m->payload->has_timestamp);
    w->seq = m->kind == SPB_KIND_NBIRTH ? 0 : (uint8_t)(w->seq + 1);
    ck_assert_uint_eq(m->payload->seq, w->seq);
}

static void check_order(wire *w, const wire_message *m) {
    ck_assert(w->is_open);
    ck_assert(m->kind == SPB_KIND_NBIRTH || w->is_node_born);
    switch (m->kind) {
    case SPB_KIND_NBIRTH: {
        const spb_payload_metric *rebirth = spb_payload_find(m->payload, "Node Control/Rebirth");
        ck_assert(rebirth && rebirth->value.type == SPB_BOOLEAN && !rebirth->value.as.boolean && !rebirth->has_alias);
        ck_assert_uint_eq(check_bdseq(m->payload), w->bdseq);
        w->is_node_born = true;
        w->born_count = 0;
        break;
    }
    case SPB_KIND_NDEATH:
        ck_assert_uint_eq(check_bdseq(m->payload), w->bdseq);
        w->is_node_born = false;
        break;
    case SPB_KIND_DBIRTH: set_born(w, m->device); break;
    case SPB_KIND_DDEATH:
        set_dead(w, m->device);
        ck_assert_uint_eq(m->payload->metric_count, 0);
        break;
    case SPB_KIND_DDATA: ck_assert_msg(is_born(w, m->device), "DDATA of %s, which is not born", m->device); break;
    default: ck_assert_int_eq(m->kind, SPB_KIND_NDATA); break;
    }
}

static void on_publish(wire *w, const spb_transport_message *sent) {
    spb_topic topic;
    spb_error err;
    ck_assert_uint_lt(w->message_count, sizeof w->messages / sizeof *w->messages);
    wire_message *m = &w->messages[w->message_count++];
    *m = (wire_message){0};
    ck_assert_msg(spb_topic_parse(&topic, spb_str_from(sent->topic), &err) == SPB_OK, "%s", err.text);
    ck_assert_msg(spb_payload_decode(&m->payload, sent->payload, NULL, &err) == SPB_OK, "%s", err.text);
    m->kind = topic.kind;
    snprintf(m->device, sizeof m->device, "%.*s", (int)topic.device_id.len,
             topic.device_id.data ? topic.device_id.data : "");
    ck_assert(sent->qos == 0 && !sent->retain);
    check_seq(w, m);
    check_metrics(w, m);
    check_order(w, m);
    check_aliases(w, m);
    NOTE(w, "%s%s%s", spb_kind_name(m->kind), m->device[0] ? "/" : "", m->device);
    if (m->payload->has_seq) {
        write_down(w->ledger, sizeof w->ledger, " ", "%u", (unsigned)m->payload->seq);
    }
}

static void on_connect(wire *w, const spb_transport_connect *connect) {
    spb_payload *will;
    ck_assert(!w->is_open);
    ck_assert_uint_ne(connect->link, w->link);
    ck_assert(connect->will.qos == 1 && !connect->will.retain);
    ck_assert_str_eq(connect->will.topic, "spBv1.0/G/NDEATH/N");
    ck_assert_int_eq(spb_payload_decode(&will, connect->will.payload, NULL, NULL), SPB_OK);
    check_death_payload(will);
    w->bdseq = check_bdseq(will);
    spb_payload_free(will);
    snprintf(w->server, sizeof w->server, "%s", connect->server);
    w->keep_alive_s = connect->keep_alive_s;
    w->link = connect->link;
    w->is_deaf = w->is_deaf && w->hole == 0;
    w->is_open = true;
    w->is_node_born = false;
    w->born_count = 0;
    w->unanswered = 0;
    NOTE(w, "CONNECT %u", (unsigned)w->bdseq);
}

static void on_subscribe(wire *w, const spb_action *action) {
    const spb_subscription *items = action->as.subscribe.items;
    ck_assert_uint_eq(action->as.subscribe.count, w->state_topic ? 3 : 2);
    ck_assert_str_eq(items[0].filter, "spBv1.0/G/NCMD/N");
    ck_assert_str_eq(items[1].filter, "spBv1.0/G/DCMD/N/+");
    ck_assert(items[0].qos == 1 && items[1].qos == 1);
    if (w->state_topic) {
        ck_assert_str_eq(items[2].filter, w->state_topic);
        ck_assert_uint_eq(items[2].qos, 1);
    }
    NOTE(w, "SUBSCRIBE");
}

/* ---- the transport ---- */

void wire_event(wire *w, spb_transport_event_kind kind, spb_status status, const char *reason) {
    spb_transport_event event = kind == SPB_TRANSPORT_CONNECTED ? w->welcome : (spb_transport_event){0};
    event.kind = kind;
    event.link = w->link;
    event.status = status;
    event.reason = reason;
    if (kind == SPB_TRANSPORT_LOST || kind == SPB_TRANSPORT_CONNECT_FAILED || kind == SPB_TRANSPORT_DISCONNECTED) {
        w->is_open = false;
    }
    spb_session_on_transport(w->session, &event, w->now);
}

void wire_fenced(wire *w, spb_fence_form form) {
    spb_transport_event event = {.kind = SPB_TRANSPORT_FENCED, .link = w->link, .fence = form};
    spb_session_on_transport(w->session, &event, w->now);
}

void wire_answer_fences(wire *w) {
    for (int i = 0; i < 32; i++) {
        wire_fenced(w, SPB_FENCE_FORM_UNSUBSCRIBE); /* more than are under way, which are none to the session */
    }
}

void wire_published(wire *w, uint32_t count) {
    spb_transport_event event = {.kind = SPB_TRANSPORT_PUBLISHED, .link = w->link, .count = count};
    ck_assert_uint_le(count, w->unanswered);
    w->unanswered -= count;
    spb_session_on_transport(w->session, &event, w->now);
}

void wire_lose(wire *w) {
    wire_event(w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, "broken pipe");
    wire_run(w);
}

static const char *const fence_filters[SPB_FENCE_FORMS] = {"/fence", "spBv1.0/G/NCMD/N", "spBv1.0/G/NCMD/N/-"};

static bool is_of_store(const spb_action *action) {
    return action->kind >= SPB_ACTION_SAVE_ALIASES && action->kind <= SPB_ACTION_READ;
}

static void answer(wire *w, const spb_action *action) {
    if (is_of_store(action) && w->store) {
        w->store(w, action);
        return;
    }
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ: spb_session_on_bdseq_saved(w->session, SPB_OK, NULL, w->now); break;
    case SPB_ACTION_CONNECT: wire_event(w, SPB_TRANSPORT_CONNECTED, SPB_OK, NULL); break;
    case SPB_ACTION_SUBSCRIBE: wire_event(w, SPB_TRANSPORT_SUBSCRIBED, SPB_OK, NULL); break;
    case SPB_ACTION_PUBLISH: wire_published(w, 1); break;
    case SPB_ACTION_FENCE:
        if (!w->is_deaf && !(w->deaf_forms & 1u << action->as.fence.form)) {
            wire_fenced(w, action->as.fence.form);
        }
        break;
    case SPB_ACTION_LOOK: spb_session_on_carried(w->session, action->link, w->carried, w->left, w->now); break;
    case SPB_ACTION_DISCONNECT: wire_event(w, SPB_TRANSPORT_DISCONNECTED, SPB_OK, NULL); break;
    default: break;
    }
}

static void record(wire *w, const spb_action *action) {
    if (action->kind >= SPB_ACTION_SUBSCRIBE && action->kind <= SPB_ACTION_DISCONNECT) {
        ck_assert_uint_eq(action->link, w->link);
        ck_assert(w->is_open);
    }
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ: NOTE(w, "SAVE %u", (unsigned)action->as.bdseq); break;
    case SPB_ACTION_SAVE_ALIASES: NOTE(w, "ALIASES %zu", action->as.aliases.count); break;
    case SPB_ACTION_SAVE_CLOCK: NOTE(w, "CLOCK %lld", (long long)action->as.clock.offset_ms); break;
    case SPB_ACTION_APPEND:
        NOTE(w, "APPEND %llu%s%.*s %u", (unsigned long long)action->as.block.id,
             action->as.block.device_id.data ? " " : "", (int)action->as.block.device_id.len,
             action->as.block.device_id.data ? action->as.block.device_id.data : "",
             (unsigned)action->as.block.samples);
        break;
    case SPB_ACTION_CONFIRM:
        NOTE(w, "CONFIRM %llu-%llu", (unsigned long long)action->as.confirm.first_id,
             (unsigned long long)action->as.confirm.last_id);
        break;
    case SPB_ACTION_KEEP:
        NOTE(w, "KEEP %llu-%llu", (unsigned long long)action->as.keep.first_id,
             (unsigned long long)action->as.keep.last_id);
        break;
    case SPB_ACTION_COMMIT: NOTE(w, "COMMIT"); break;
    case SPB_ACTION_EXPIRE: NOTE(w, "EXPIRE"); break;
    case SPB_ACTION_READ: NOTE(w, "READ %llu", (unsigned long long)action->as.read_from_id); break;
    case SPB_ACTION_CONNECT: on_connect(w, &action->as.connect); break;
    case SPB_ACTION_SUBSCRIBE: on_subscribe(w, action); break;
    case SPB_ACTION_PUBLISH:
        w->is_deaf |= w->hole > 0 && action->as.publish.payload.len >= w->hole;
        w->unanswered++;
        on_publish(w, &action->as.publish);
        break;
    case SPB_ACTION_FENCE: /* not in the ledger: they come all the time */
        w->fences++;
        w->fences_of[action->as.fence.form]++;
        ck_assert_str_eq(action->as.fence.item.filter, fence_filters[action->as.fence.form]);
        ck_assert_uint_eq(action->as.fence.item.qos, action->as.fence.form == SPB_FENCE_FORM_SUBSCRIBE);
        break;
    case SPB_ACTION_LOOK: break; /* as often */
    case SPB_ACTION_DISCONNECT: NOTE(w, "DISCONNECT %u", (unsigned)action->as.timeout_ms); break;
    case SPB_ACTION_CLOSE:
        ck_assert_uint_eq(action->link, w->link);
        w->is_open = false;
        NOTE(w, "CLOSE");
        break;
    case SPB_ACTION_WRITE:
        w->written = action->as.write.metric;
        w->wanted = action->as.write.value;
        NOTE(w, "WRITE %s", spb_metric_name(w->written));
        break;
    case SPB_ACTION_COMMAND:
        w->refusal = action->as.command.status;
        NOTE(w, "COMMAND %s", spb_status_name(w->refusal));
        break;
    case SPB_ACTION_STATE:
        write_down(w->states, sizeof w->states, " ", "%s", spb_session_state_name(action->as.state.state));
        break;
    case SPB_ACTION_BIRTH_TOO_LARGE:
        NOTE(w, "TOO LARGE %s %zu of %zu for %s%s",
             action->as.birth_too_large.device_id ? action->as.birth_too_large.device_id : "NBIRTH",
             action->as.birth_too_large.bytes, action->as.birth_too_large.max_bytes,
             action->as.birth_too_large.server ? action->as.birth_too_large.server : "max_message_bytes",
             action->as.birth_too_large.is_everywhere ? ", as for all" : "");
        break;
    case SPB_ACTION_LOG: write_down(w->logs, sizeof w->logs, "\n", "%s", action->as.log.text); break;
    }
}

bool wire_step(wire *w) {
    if (!spb_session_next_action(w->session, w->now, &w->last)) {
        return false;
    }
    record(w, &w->last);
    if (!w->is_silent || (is_of_store(&w->last) && w->store)) {
        answer(w, &w->last);
    }
    return true;
}

void wire_check_balance(const wire *w) {
    spb_stats s;
    spb_session_stats(w->session, &s);
    sample_sum sum = sample_sum_of(&s);
    ck_assert_msg(sum.in == sum.now + sum.ended,
                  "%" PRIu64 " samples came in, but %" PRIu64 " wait, %" PRIu64 " are under way, %" PRIu64
                  " in the journal, %" PRIu64 " are confirmed, and %" PRIu64 " were dropped",
                  sum.in, s.samples_waiting, s.samples_unconfirmed, s.samples_in_journal, s.samples_confirmed,
                  sum.ended - s.samples_confirmed);
}

void wire_run(wire *w) {
    while (wire_step(w)) {
    }
    wire_check_balance(w);
    /* Else the caller would spin. */
    ck_assert_uint_gt(spb_session_deadline_ms(w->session), w->now.mono_ms);
}

void wire_sleep(wire *w, uint64_t ms) {
    uint64_t end_ms = w->now.mono_ms + ms;
    for (;;) {
        wire_run(w);
        uint64_t deadline_ms = spb_session_deadline_ms(w->session);
        uint64_t next_ms = deadline_ms < end_ms ? deadline_ms : end_ms;
        w->now.wall_ms += next_ms - w->now.mono_ms;
        w->now.mono_ms = next_ms;
        spb_session_on_tick(w->session, w->now);
        if (next_ms == end_ms) {
            wire_run(w);
            return;
        }
    }
}

/* ---- the test's own ---- */

spb_session_options wire_options(void) {
    spb_session_options options = SPB_SESSION_OPTIONS_INIT;
    options.servers = "mqtt://127.0.0.1:1883";
    options.group_id = "G";
    options.node_id = "N";
    options.rebirth_window_ms = 0;
    options.settle_ms = 0;          /* tests of the settle time ask for it, */
    options.fence_within_ms = 1000; /* and those of the rhythm of fences for a longer one */
    return options;
}

void wire_open(wire *w, const spb_session_options *options) {
    spb_session_options usual = wire_options();
    spb_error err;
    *w = (wire){.now = {.mono_ms = 1000000, .wall_ms = 1700000000000}};
    w->is_slow_to_confirm = options && options->has_journal && options->confirm == SPB_CONFIRM_WINDOW;
    ck_assert_msg(spb_session_new(&w->session, options ? options : &usual, &err) == SPB_OK, "%s", err.text);
}

size_t wire_log_lines(const wire *w) {
    size_t lines = w->logs[0] != '\0';
    for (const char *at = w->logs; *at; at++) {
        lines += *at == '\n';
    }
    return lines;
}

void wire_forget(wire *w) {
    for (size_t i = 0; i < w->message_count; i++) {
        spb_payload_free(w->messages[i].payload);
    }
    w->message_count = 0;
    w->ledger[0] = w->states[0] = w->logs[0] = '\0';
}

void wire_close(wire *w) {
    wire_forget(w);
    spb_session_free(w->session);
}

void wire_connect_silently(wire *w) {
    w->is_silent = true;
    spb_session_start(w->session, w->now);
    wire_run(w);
    spb_session_on_bdseq_saved(w->session, SPB_OK, NULL, w->now);
    wire_run(w);
    wire_event(w, SPB_TRANSPORT_CONNECTED, SPB_OK, NULL);
    wire_run(w);
}

void wire_go_online(wire *w) {
    spb_session_start(w->session, w->now);
    wire_run(w);
    ck_assert(w->is_node_born);
    ck_assert_int_eq(spb_session_get_state(w->session),
                     w->is_slow_to_confirm || w->is_deaf || w->deaf_forms ? SPB_SESSION_BIRTHING : SPB_SESSION_ONLINE);
    wire_forget(w);
    w->fences = 0;
    memset(w->fences_of, 0, sizeof w->fences_of);
}

void wire_message_in(wire *w, const char *topic, spb_bytes payload, bool retained) {
    spb_transport_event event = {.kind = SPB_TRANSPORT_MESSAGE,
                                 .link = w->link,
                                 .topic = spb_str_from(topic),
                                 .payload = payload,
                                 .qos = 1,
                                 .retained = retained};
    spb_session_on_transport(w->session, &event, w->now);
}

void wire_host(wire *w, bool online, uint64_t timestamp_ms) {
    char text[64];
    size_t len;
    spb_host_state state = {online, timestamp_ms};
    ck_assert_int_eq(spb_host_state_format(&state, text, sizeof text, &len, NULL), SPB_OK);
    wire_message_in(w, "spBv1.0/STATE/H", (spb_bytes){(const uint8_t *)text, len}, true);
}

void wire_command(wire *w, const char *device, const spb_payload_metric *metric) {
    char topic[128];
    uint8_t *bytes;
    size_t len;
    spb_error err;
    spb_payload payload = {.timestamp_ms = w->now.wall_ms, .has_timestamp = true, .metrics = metric, .metric_count = 1};
    ck_assert_msg(spb_payload_encode(&payload, NULL, &bytes, &len, &err) == SPB_OK, "%s", err.text);
    snprintf(topic, sizeof topic, "spBv1.0/G/%s/N%s%s", device ? "DCMD" : "NCMD", device ? "/" : "",
             device ? device : "");
    wire_message_in(w, topic, (spb_bytes){bytes, len}, false);
    spb_free(bytes);
}

void wire_request_rebirth(wire *w) {
    wire_command(w, NULL,
                 &(spb_payload_metric){.name = spb_str_from("Node Control/Rebirth"), .value = spb_boolean(true)});
}

spb_device *wire_add_device(wire *w, const char *id) {
    spb_device *device;
    spb_error err;
    ck_assert_msg(spb_session_add_device(w->session, &device, id, w->now, &err) == SPB_OK, "%s", err.text);
    return device;
}

spb_metric *wire_add(wire *w, spb_device *device, spb_metric_def def) {
    spb_metric *metric;
    spb_error err;
    ck_assert_msg(spb_session_add_metric(w->session, &metric, device, &def, w->now, &err) == SPB_OK, "%s", err.text);
    return metric;
}

spb_metric *wire_add_metric(wire *w, spb_device *device, const char *name, spb_value value) {
    /* Each sample counts, unless a test is about those that do not. */
    return wire_add(w, device, (spb_metric_def){.name = name, .value = value, .sends_unchanged = true});
}

spb_status wire_update(wire *w, spb_metric *metric, spb_value value) {
    spb_sample sample = {.metric = metric, .value = value};
    return short_way_sample(w->session, &sample, w->now, NULL);
}

const char *wire_samples(const wire *w, wire_samples_kind wanted) {
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < w->message_count; i++) {
        const wire_message *m = &w->messages[i];
        for (size_t j = 0; (m->kind == SPB_KIND_NDATA || m->kind == SPB_KIND_DDATA) && j < m->payload->metric_count;
             j++) {
            spb_value value = m->payload->metrics[j].value;
            bool is_historical = m->payload->metrics[j].is_historical;
            if (wanted == WIRE_BOTH || is_historical == (wanted == WIRE_REPLAYED)) {
                ck_assert_int_eq(spb_value_resolve(&value, SPB_INT32, NULL), SPB_OK);
                len += (size_t)snprintf(text + len, sizeof text - len, "%s%d%s", len ? " " : "", (int)value.as.i64,
                                        is_historical && wanted == WIRE_BOTH ? "h" : "");
            }
        }
    }
    return text;
}

const wire_message *wire_last(const wire *w, spb_kind kind) {
    for (size_t i = w->message_count; i > 0; i--) {
        if (w->messages[i - 1].kind == kind) {
            return &w->messages[i - 1];
        }
    }
    return NULL;
}

spb_stats wire_stats(const wire *w) {
    spb_stats stats;
    spb_session_stats(w->session, &stats);
    return stats;
}
