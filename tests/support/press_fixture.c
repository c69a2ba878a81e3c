/* Decides how a session begins, and what its samples are, in which the rules of metrics are tried. */
#include "support/press_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

wire w;
spb_device *press;

void open_with(const spb_session_options *options) {
    wire_open(&w, options);
    press = wire_add_device(&w, "Press");
}

void press_setup(void) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    open_with(&options);
}

void press_teardown(void) {
    wire_close(&w);
}

spb_metric *add(spb_metric_def def) {
    return wire_add(&w, press, def);
}

void flagged(spb_metric *metric, spb_value value, uint32_t flags) {
    spb_sample sample = {.metric = metric, .value = value, .flags = flags};
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_OK);
}

void update(spb_metric *metric, double value) {
    ck_assert_int_eq(wire_update(&w, metric, spb_double(value)), SPB_OK);
}

void at(spb_metric *metric, double value, uint64_t timestamp_ms) {
    ck_assert_int_eq(
        spb_session_update(w.session, metric, &(spb_value){.type = SPB_DOUBLE, .as.f64 = value}, timestamp_ms, w.now),
        SPB_OK);
}

void assert_balance(void) {
    spb_stats s = wire_stats(&w);
    uint64_t dropped = s.samples_dropped_offline + s.samples_dropped_overflow + s.samples_dropped_lost;
    ck_assert_uint_eq(s.samples_accepted, s.samples_suppressed + s.samples_published + dropped);
}

const char *last_values(void) {
    static char text[200];
    const wire_message *message = wire_last(&w, SPB_KIND_DDATA);
    text[0] = '\0';
    for (size_t i = 0; message && i < message->payload->metric_count; i++) {
        spb_value value = message->payload->metrics[i].value;
        ck_assert_int_eq(spb_value_resolve(&value, SPB_DOUBLE, NULL), SPB_OK);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%g", i > 0 ? " " : "", value.as.f64);
    }
    return text;
}

spb_metric *add_deferring(uint32_t max_interval_ms) {
    spb_metric *slow = add((spb_metric_def){.name = "slow",
                                            .value = spb_double(0),
                                            .min_interval_ms = 1000,
                                            .max_interval_ms = max_interval_ms,
                                            .keeps_all = true});
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    return slow;
}
