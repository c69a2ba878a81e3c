/*
 * Whatever hosts and servers send, to a live session: the input is a script of commands, raw or made of the session's
 * own metrics, STATEs, answers of the application, changes of metrics, lost connections and passing time. Held against:
 * what a write may be, what a log line may hold and how many there are, that messages can be read, that there is an
 * end.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/session.h>

#include "base/utf8.h"
#include "codec/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : fail(__LINE__, #condition))

static void fail(int line, const char *what) {
    fprintf(stderr, "fuzz_command: line %d: not so: %s\n", line, what);
    abort();
}

/* ---- the input ---- */

typedef struct script {
    const uint8_t *at, *end;
} script;

static uint64_t number(script *s, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && s->at < s->end; i++) {
        value = value << 8 | *s->at++;
    }
    return value;
}

static spb_bytes part(script *s, size_t len) {
    size_t left = (size_t)(s->end - s->at);
    spb_bytes bytes = {s->at, len < left ? len : left};
    s->at += bytes.len;
    return bytes;
}

/* ---- the plant ---- */

#define MAX_WALL_MS ((UINT64_C(1) << 41) - 1) /* in 2039 */

enum { METRICS = 24, LINES_PER_S = 16 }; /* ten refusals and their sum; the rest is of connections and births */

typedef struct plant {
    spb_session *session;
    spb_time now;
    uint32_t link;
    bool is_answering;
    spb_device *press;
    spb_metric *metrics[METRICS]; /* NULL: removed */
    spb_metric_def defs[METRICS];
    spb_metric *asked; /* of the last WRITE, which was not answered */
    spb_value wanted;
    uint64_t second_ms;
    unsigned lines;
} plant;

static const spb_type types[] = {
    SPB_INT8,  SPB_INT16,       SPB_INT32,        SPB_INT64,         SPB_UINT8,   SPB_UINT16,   SPB_UINT32, SPB_UINT64,
    SPB_FLOAT, SPB_DOUBLE,      SPB_BOOLEAN,      SPB_DATETIME,      SPB_STRING,  SPB_TEXT,     SPB_UUID,   SPB_BYTES,
    SPB_FILE,  SPB_INT32_ARRAY, SPB_STRING_ARRAY, SPB_BOOLEAN_ARRAY, SPB_DATASET, SPB_TEMPLATE, SPB_INT64,  SPB_UINT64};

static const char *const names[METRICS] = {"i8",   "i16",  "i32", "i64",  "u8",    "u16",   "u32",   "u64",
                                           "f32",  "f64",  "b",   "time", "s",     "t",     "uuid",  "bytes",
                                           "file", "ai32", "as",  "ab",   "table", "motor", "exact", "choosy"};

static spb_status never_called(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    return SPB_ERR_STATE;
}

static const spb_payload_metric members[] = {{.name = {"RPM", 3}, .value = {.type = SPB_INT32, .as.i64 = 1480}},
                                             {.name = {"On", 2}, .value = {.type = SPB_BOOLEAN}}};
static const spb_template motor = {.template_ref = {"Motor", 5}, .metrics = members, .metric_count = 2};
static const spb_template motor_definition = {
    .is_definition = true, .has_is_definition = true, .metrics = members, .metric_count = 2};

/* Each second one belongs to the node; some have ranges, choices or an age. */
static void define(plant *p, size_t i) {
    static const spb_value choices[] = {{.type = SPB_UINT64, .as.u64 = 1}, {.type = SPB_UINT64, .as.u64 = UINT64_MAX}};
    spb_metric_def *def = &p->defs[i];
    *def = (spb_metric_def){.name = names[i], .type = types[i], .on_write = never_called};
    if (types[i] == SPB_TEMPLATE) {
        def->value = spb_template_value(&motor);
    }
    if (i == 3 || i == 7 || i == 9) {
        def->min = i == 7 ? 0 : -1e15;
        def->max = 1e15;
    } else if (i == 22) {
        def->min = -0x1p53;
        def->max = 0x1p53;
    } else if (i == 23) {
        def->choices = choices;
        def->choice_count = 2;
        def->max_command_age_ms = 5000;
    }
    MUST(spb_session_add_metric(p->session, &p->metrics[i], i % 2 ? p->press : NULL, def, p->now, NULL) == SPB_OK);
}

static void open_plant(plant *p) {
    spb_session_options options = SPB_SESSION_OPTIONS_INIT;
    options.servers = "mqtt://a,mqtt://b";
    options.group_id = "G";
    options.node_id = "N";
    options.primary_host_id = "H";
    options.next_server_metric = true;
    options.rebirth_window_ms = 0;
    options.max_command_metrics = 50;
    *p = (plant){.now = {.mono_ms = 1000000, .wall_ms = 1700000000000}, .is_answering = true};
    MUST(spb_session_new(&p->session, &options, NULL) == SPB_OK);
    MUST(spb_session_add_device(p->session, &p->press, "Press", p->now, NULL) == SPB_OK);
    MUST(spb_session_add_template(p->session, "Motor", &motor_definition, p->now, NULL) == SPB_OK);
    for (size_t i = 0; i < METRICS; i++) {
        define(p, i);
    }
}

/* ---- what must hold ---- */

static void check_text(const char *text) {
    MUST(text && text[0] && spb_utf8__is_valid(spb_str_from(text), NULL));
    for (const char *c = text; *c; c++) {
        MUST((unsigned char)*c >= ' ' && *c != 0x7F);
        MUST(!((unsigned char)c[0] == 0xC2 && (unsigned char)c[1] < 0xA0)); /* C1 */
        MUST(!((unsigned char)c[0] == 0xE2 && (unsigned char)c[1] == 0x80 && (unsigned char)c[2] >= 0xA8 &&
               (unsigned char)c[2] <= 0xAE)); /* U+2028 … U+202E */
    }
}

static void check_line(plant *p, const char *text) {
    check_text(text);
    if (p->now.mono_ms >= p->second_ms + 1000) {
        p->second_ms = p->now.mono_ms;
        p->lines = 0;
    }
    bool is_of_peer =
        strncmp(text, "command", 7) == 0 || strncmp(text, "STATE", 5) == 0 || strncmp(text, "refused", 7) == 0;
    p->lines += is_of_peer;
    MUST(p->lines <= 2 * LINES_PER_S); /* two seconds may touch this one */
}

static bool is_within(const spb_value *value, const spb_metric_def *def) {
    long double min = def->min, max = def->max;
    long double it = value->type == SPB_DOUBLE  ? (long double)value->as.f64
                     : value->type == SPB_INT64 ? (long double)value->as.i64
                                                : (long double)value->as.u64;
    return it >= min && it <= max;
}

static void check_write(const plant *p, const spb_metric *metric, const spb_value *value) {
    size_t i = 0;
    while (i < METRICS && p->metrics[i] != metric) {
        i++;
    }
    MUST(i < METRICS);
    const spb_metric_def *def = &p->defs[i];
    MUST(value->type == types[i] && !value->is_null);
    MUST(spb_value__check(value, NULL) == SPB_OK);
    MUST(def->min == def->max || is_within(value, def));
    bool is_chosen = def->choice_count == 0;
    for (size_t j = 0; j < def->choice_count; j++) {
        is_chosen = is_chosen || spb_value_equal(value, &def->choices[j]);
    }
    MUST(is_chosen);
}

/* ---- actions ---- */

static void event(plant *p, spb_transport_event_kind kind) {
    spb_transport_event it = {.kind = kind, .link = p->link, .count = 1};
    spb_session_on_transport(p->session, &it, p->now);
}

static void answer_fence(plant *p, spb_fence_form form) {
    spb_transport_event it = {.kind = SPB_TRANSPORT_FENCED, .link = p->link, .fence = form};
    spb_session_on_transport(p->session, &it, p->now);
}

static void on_publish(plant *p, const spb_transport_message *message) {
    spb_payload *payload;
    spb_topic topic;
    MUST(spb_topic_parse(&topic, spb_str_from(message->topic), NULL) == SPB_OK);
    MUST(spb_payload_decode(&payload, message->payload, NULL, NULL) == SPB_OK);
    spb_payload_free(payload);
    if (p->is_answering) {
        event(p, SPB_TRANSPORT_PUBLISHED);
    }
}

static void carry_out(plant *p, const spb_action *action) {
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ: spb_session_on_bdseq_saved(p->session, SPB_OK, NULL, p->now); break;
    case SPB_ACTION_CONNECT:
        p->link = action->link;
        event(p, SPB_TRANSPORT_CONNECTED);
        break;
    case SPB_ACTION_SUBSCRIBE: event(p, SPB_TRANSPORT_SUBSCRIBED); break;
    case SPB_ACTION_PUBLISH: on_publish(p, &action->as.publish); break;
    case SPB_ACTION_FENCE:
        if (p->is_answering) {
            answer_fence(p, action->as.fence.form);
        }
        break;
    case SPB_ACTION_DISCONNECT: event(p, SPB_TRANSPORT_DISCONNECTED); break;
    case SPB_ACTION_WRITE:
        check_write(p, action->as.write.metric, &action->as.write.value);
        p->asked = action->as.write.metric;
        p->wanted = action->as.write.value;
        spb_session_on_write_done(p->session, p->asked, SPB_OK, &p->wanted, p->now);
        break;
    case SPB_ACTION_COMMAND:
        check_text(action->as.command.reason);
        MUST(action->as.command.status != SPB_OK && action->as.command.metric);
        break;
    case SPB_ACTION_STATE: MUST(!action->as.state.reason || (check_text(action->as.state.reason), true)); break;
    case SPB_ACTION_LOG: check_line(p, action->as.log.text); break;
    default: break;
    }
}

static void run(plant *p) {
    spb_action action;
    for (size_t i = 0; spb_session_next_action(p->session, p->now, &action); i++) {
        MUST(i < 100000);
        carry_out(p, &action);
    }
    MUST(spb_session_deadline_ms(p->session) > p->now.mono_ms);
}

/* ---- the moves ---- */

static void message(plant *p, const char *topic, spb_bytes payload, bool retained) {
    spb_transport_event it = {.kind = SPB_TRANSPORT_MESSAGE,
                              .link = p->link,
                              .topic = spb_str_from(topic),
                              .payload = payload,
                              .qos = 1,
                              .retained = retained};
    spb_session_on_transport(p->session, &it, p->now);
}

static void send_raw(plant *p, script *s) {
    static const char *const topics[] = {"spBv1.0/G/NCMD/N", "spBv1.0/G/DCMD/N/Press", "spBv1.0/G/DCMD/N/\x1B\n",
                                         "spBv1.0/STATE/H"};
    uint8_t how = (uint8_t)number(s, 1);
    message(p, topics[how & 3], part(s, number(s, how & 4 ? 2 : 1)), (how & 24) == 24);
}

/* A value of any datatype for any metric. */
static spb_value any_value(script *s, spb_type type) {
    uint64_t bits = number(s, 8);
    spb_value value = {.type = type, .as.u64 = bits};
    if (type == SPB_FLOAT) {
        uint32_t low = (uint32_t)bits;
        memcpy(&value.as.f32, &low, sizeof low);
    } else if (type == SPB_BOOLEAN) {
        value.as.boolean = bits & 1;
    } else if (type == SPB_STRING || type == SPB_TEXT || type == SPB_UUID) {
        spb_bytes text = part(s, bits & 63);
        value.as.str = (spb_str){(const char *)text.data, text.len};
    } else if (type == SPB_BYTES || type == SPB_FILE) {
        value.as.bytes = part(s, bits & 63);
    } else if (type >= SPB_INT8_ARRAY) {
        value.is_packed = true;
        value.as.bytes = part(s, bits & 63);
    } else if (type == SPB_TEMPLATE) {
        value.as.tmpl = bits & 1 ? &motor : &motor_definition;
    } else if (type == SPB_DATASET) {
        value = spb_null(SPB_DATASET);
    }
    return value;
}

static void send_made(plant *p, script *s) {
    spb_payload_metric made[64];
    uint8_t how = (uint8_t)number(s, 1);
    size_t count = 1 + number(s, 1) % 64;
    for (size_t i = 0; i < count; i++) {
        uint8_t which = (uint8_t)number(s, 1), flags = (uint8_t)number(s, 1);
        made[i] = (spb_payload_metric){.has_timestamp = flags & 1,
                                       .timestamp_ms = flags & 2 ? number(s, 8) : p->now.wall_ms,
                                       .is_historical = (flags & 12) == 12,
                                       .omit_datatype = flags & 16};
        if (which < METRICS + 8 && flags & 32) {
            made[i].has_alias = true;
            made[i].alias = which;
        } else if (which < METRICS) {
            made[i].name = spb_str_from(names[which]);
        } else if (which < 200) {
            made[i].name = spb_str_from(which & 1 ? "Node Control/Rebirth" : "Node Control/Next Server");
        } else {
            spb_bytes name = part(s, which & 31);
            made[i].name = (spb_str){(const char *)name.data, name.len};
        }
        spb_type type = types[flags & 64 ? number(s, 1) % METRICS : which % METRICS];
        made[i].value = any_value(s, type);
    }
    spb_payload payload = {
        .has_timestamp = how & 1, .timestamp_ms = p->now.wall_ms, .metrics = made, .metric_count = count};
    uint8_t *bytes;
    size_t len;
    if (spb_payload_encode(&payload, NULL, &bytes, &len, NULL) == SPB_OK) { /* made of random bytes, it may not */
        for (int i = 0; i <= how >> 4; i++) {
            message(p, how & 2 ? "spBv1.0/G/NCMD/N" : "spBv1.0/G/DCMD/N/Press", (spb_bytes){bytes, len}, false);
        }
        spb_free(bytes);
    }
}

static void send_state(plant *p, script *s) {
    char text[64];
    size_t len;
    uint8_t how = (uint8_t)number(s, 1);
    uint64_t ms = how & 2 ? number(s, 8) & INT64_MAX : p->now.wall_ms + (how & 4 ? number(s, 2) : 0);
    spb_host_state state = {how & 1, ms};
    MUST(spb_host_state_format(&state, text, sizeof text, &len, NULL) == SPB_OK);
    message(p, "spBv1.0/STATE/H", (spb_bytes){(const uint8_t *)text, len}, true);
}

static void change_metric(plant *p, size_t i) {
    if (p->metrics[i]) {
        spb_session_remove_metric(p->session, p->metrics[i], p->now);
        p->metrics[i] = NULL;
    } else {
        define(p, i);
    }
}

static void sleep_ms(plant *p, uint64_t ms) {
    p->now.mono_ms += ms;
    p->now.wall_ms += ms;
    spb_session_on_tick(p->session, p->now);
}

static void move(plant *p, script *s) {
    uint8_t what = (uint8_t)number(s, 1);
    switch (what % 12) {
    case 0:
    case 1: send_raw(p, s); break;
    case 2:
    case 3:
    case 4: send_made(p, s); break;
    case 5: send_state(p, s); break;
    case 6: sleep_ms(p, number(s, 2)); break;
    case 7: change_metric(p, number(s, 1) % METRICS); break;
    case 8: event(p, SPB_TRANSPORT_LOST); break;
    case 9: p->is_answering = !p->is_answering; break;
    case 10: spb_session_set_device_online(p->session, p->press, what & 16, p->now); break;
    default: p->now.wall_ms = number(s, 6) & MAX_WALL_MS; break; /* the clock is set */
    }
    if (what < 192) { /* else several things happen at once */
        run(p);
    }
}

/* Whatever was said, a host that comes online now is heard, if the clock has not been set back meanwhile. */
static void end(plant *p) {
    p->is_answering = true;
    p->now.wall_ms = 2 * MAX_WALL_MS;
    for (int i = 0; i < 10 && spb_session_get_state(p->session) != SPB_SESSION_ONLINE; i++) {
        sleep_ms(p, 100000);
        run(p);
        spb_session_state state = spb_session_get_state(p->session);
        if (state == SPB_SESSION_WAIT_HOST || state == SPB_SESSION_BIRTHING) {
            char text[64];
            spb_host_state host = {true, p->now.wall_ms};
            MUST(spb_host_state_format(&host, text, sizeof text, NULL, NULL) == SPB_OK);
            message(p, "spBv1.0/STATE/H", (spb_bytes){(const uint8_t *)text, strlen(text)}, true);
            run(p);
        }
    }
    MUST(spb_session_get_state(p->session) == SPB_SESSION_ONLINE);
    spb_session_stop(p->session, 1000, p->now);
    run(p);
    MUST(spb_session_get_state(p->session) == SPB_SESSION_STOPPED);
    spb_session_free(p->session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    plant p;
    script s = {data, data + size};
    open_plant(&p);
    spb_session_start(p.session, p.now);
    run(&p);
    script host = {(const uint8_t *)"\1", (const uint8_t *)"\1" + 1};
    send_state(&p, &host);
    run(&p);
    while (s.at < s.end) {
        move(&p, &s);
    }
    run(&p);
    end(&p);
    return 0;
}
