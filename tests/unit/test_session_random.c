/* Everything at once, in any order: seeded walks through the calls and events of a session, under the rules of the
 * wire that the ledger holds each message against. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

#define WALKS 600
#define STEPS 250
#define DEVICES 4
#define METRICS 4

static wire w;
static uint64_t random_state;
static spb_device *devices[DEVICES + 1]; /* the last is NULL: the node */
static spb_metric *metrics[DEVICES + 1][METRICS];
static uint64_t host_ms;

/* splitmix64 */
static uint32_t draw(uint32_t bound) {
    uint64_t mixed = random_state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ (mixed >> 31)) % bound);
}

static spb_status accept(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    return SPB_OK;
}

static void open_walk(uint64_t seed) {
    random_state = seed;
    spb_session_options options = wire_options();
    options.servers = draw(2) ? "mqtt://a,mqtt://b" : "mqtt://a";
    options.primary_host_id = draw(2) ? "H" : NULL;
    options.rebirth_window_ms = draw(2) * 500;
    options.batch_window_ms = draw(2) * 100;
    options.batch_max_bytes = draw(2) ? 65536 : 40;
    options.max_in_flight = draw(2) ? 64 : 1;
    options.keep_alive_s = 5;
    options.reconnect_min_ms = 100;
    options.reconnect_max_ms = 500;
    options.no_aliases = draw(4) == 0;
    options.next_server_metric = true;
    wire_open(&w, &options);
    w.state_topic = options.primary_host_id ? "spBv1.0/STATE/H" : NULL;
    w.welcome.max_packet_bytes = draw(4) ? 0 : 400;
    memset(devices, 0, sizeof devices);
    memset(metrics, 0, sizeof metrics);
    host_ms = 1000;
}

static void change_device(uint32_t d) {
    char id[16];
    if (!devices[d]) {
        snprintf(id, sizeof id, "d%u", (unsigned)d);
        devices[d] = wire_add_device(&w, id);
    } else if (draw(2)) {
        bool is_online = spb_session_device_is_online(w.session, devices[d]);
        spb_session_set_device_online(w.session, devices[d], !is_online, w.now);
    } else {
        spb_session_remove_device(w.session, devices[d], w.now);
        devices[d] = NULL;
        memset(metrics[d], 0, sizeof metrics[d]);
    }
}

static void change_metric(uint32_t d, uint32_t m) {
    char name[16];
    if (d < DEVICES && !devices[d]) {
        return;
    }
    if (metrics[d][m]) {
        spb_session_remove_metric(w.session, metrics[d][m], w.now);
        metrics[d][m] = NULL;
        return;
    }
    snprintf(name, sizeof name, "m%u", (unsigned)m);
    spb_metric_def def = {.name = name, .value = spb_int32(0), .on_write = accept};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metrics[d][m], devices[d], &def, w.now, NULL), SPB_OK);
}

static void send_command(uint32_t d, const char *name, spb_value value) {
    char id[16];
    snprintf(id, sizeof id, "d%u", (unsigned)d);
    wire_command(&w, d < DEVICES ? id : NULL, &(spb_payload_metric){.name = spb_str_from(name), .value = value});
}

/* Some answers are late, some are never given. */
static void pull(void) {
    for (uint32_t count = draw(40); count > 0 && wire_step(&w); count--) {
        if (w.last.kind == SPB_ACTION_WRITE) {
            spb_metric *metric = w.written;
            spb_value value = w.wanted;
            if (draw(3) == 0) {
                change_metric(draw(DEVICES + 1), draw(METRICS));
            }
            spb_session_on_write_done(w.session, metric, draw(4) ? SPB_OK : SPB_ERR_REFUSED, &value, w.now);
        }
    }
}

/* Answers that were withheld come after all. */
static void answer_late(void) {
    spb_session_state state = spb_session_get_state(w.session);
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    if (state == SPB_SESSION_CONNECTING && w.is_open) {
        wire_event(&w, draw(4) ? SPB_TRANSPORT_CONNECTED : SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_CONNECT, "refused");
    } else if (state == SPB_SESSION_SUBSCRIBING && w.is_open) {
        wire_event(&w, SPB_TRANSPORT_SUBSCRIBED, draw(8) ? SPB_OK : SPB_ERR_REFUSED, NULL);
    } else if (w.unanswered > 0 && w.is_open) {
        wire_published(&w, 1 + draw(w.unanswered));
    }
}

static void step(void) {
    uint32_t d = draw(DEVICES + 1), m = draw(METRICS);
    switch (draw(22)) {
    case 0: change_device(draw(DEVICES)); break;
    case 1: change_metric(d, m); break;
    case 2:
    case 3:
    case 4:
    case 5:
        if (metrics[d][m]) {
            wire_update(&w, metrics[d][m], spb_int32((int32_t)draw(1000)));
        }
        break;
    case 6: wire_request_rebirth(&w); break;
    case 7: send_command(d, "m1", spb_int32(1)); break;
    case 8:
        if (w.state_topic) {
            wire_host(&w, draw(8) > 0, host_ms += draw(3));
        }
        break;
    case 9:
        if (draw(4) == 0 && w.is_open) {
            wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, "cut");
        }
        break;
    case 10:
        if (draw(4) == 0) {
            spb_session_stop(w.session, draw(2) * 500, w.now);
        }
        break;
    case 11: spb_session_start(w.session, w.now); break;
    case 12: w.is_deaf = draw(8) == 0; break;
    case 13: w.is_silent = draw(8) == 0; break;
    case 14:
        if (draw(3) == 0) {
            send_command(DEVICES, "Node Control/Next Server", spb_boolean(true));
        }
        break;
    case 15:
        w.now.mono_ms += draw(2000);
        w.now.wall_ms += draw(2000);
        spb_session_on_tick(w.session, w.now);
        break;
    case 16:
        if (w.is_silent) {
            answer_late();
        }
        break;
    default: pull(); break;
    }
    if (w.message_count > 400 || strlen(w.ledger) > 4000 || strlen(w.states) > 1000 || strlen(w.logs) > 8000) {
        wire_forget(&w);
    }
}

/* The number of the walk, which check names when it fails, is its seed. */
START_TEST(no_order_of_events_breaks_a_rule) {
    open_walk((uint64_t)_i);
    for (uint32_t d = 0; d <= DEVICES; d++) {
        if (d < DEVICES) {
            change_device(d);
        }
        for (uint32_t m = 0; m < METRICS; m++) {
            change_metric(d, m);
        }
    }
    spb_session_start(w.session, w.now);
    for (int i = 0; i < STEPS; i++) {
        step();
    }
    wire_forget(&w);
    w.is_silent = true; /* also without any answer, a stop ends in its time */
    spb_session_stop(w.session, 500, w.now);
    wire_sleep(&w, 500);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_random");
    tcase_add_loop_test(all, no_order_of_events_breaks_a_rule, 1, WALKS + 1);
    tcase_set_timeout(all, 100);
    Suite *suite = suite_create("session_random");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
