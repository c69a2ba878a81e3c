/* The metrics of a birth stand in the order of their time, whatever the order in which they were added and updated. */
#include <check.h>
#include <stdio.h>

#include "support/suite.h"
#include "support/wire.h"

#define YEAR_MS UINT64_C(31536000000)

static wire w;
static char names[1024];

/* The names of the newest birth of this kind, in its order; the times are in order. */
static const char *order_of(spb_kind kind) {
    const spb_payload *birth = wire_last(&w, kind)->payload;
    size_t len = 0;
    for (size_t i = 0; i < birth->metric_count; i++) {
        const spb_payload_metric *metric = &birth->metrics[i];
        ck_assert(metric->has_timestamp);
        ck_assert(i == 0 || metric->timestamp_ms >= birth->metrics[i - 1].timestamp_ms);
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%.*s", i > 0 ? " " : "", (int)metric->name.len,
                                metric->name.data);
    }
    return names;
}

static spb_metric *add(spb_device *device, const char *name, uint64_t timestamp_ms) {
    return wire_add(&w, device, (spb_metric_def){.name = name, .value = spb_int32(1), .timestamp_ms = timestamp_ms});
}

static void go_online(void) {
    spb_session_start(w.session, w.now);
    wire_run(&w);
}

START_TEST(metrics_stand_in_the_order_of_their_time) {
    wire_open(&w, NULL);
    uint64_t now_ms = w.now.wall_ms;
    spb_device *device = wire_add_device(&w, "D");
    add(NULL, "c", now_ms - 1);
    add(NULL, "a", now_ms - 3);
    add(NULL, "b", now_ms - 3);
    spb_metric *first = add(device, "first", now_ms - 9);
    add(device, "second", now_ms - 5);
    go_online();
    ck_assert_str_eq(order_of(SPB_KIND_NBIRTH), "a b c bdSeq Node Control/Rebirth");
    ck_assert_str_eq(order_of(SPB_KIND_DBIRTH), "first second");
    spb_sample sample = {.metric = first, .value = spb_int32(2), .timestamp_ms = SPB_NOW};
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_OK);
    wire_request_rebirth(&w);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(order_of(SPB_KIND_DBIRTH), "second first");
    wire_close(&w);
}
END_TEST

START_TEST(what_the_node_says_of_itself_is_of_now_even_before_times_to_come) {
    wire_open(&w, NULL);
    uint64_t now_ms = w.now.wall_ms;
    add(NULL, "tomorrow", now_ms + 86400000);
    add(NULL, "yesterday", now_ms - 86400000);
    add(NULL, "today", now_ms);
    go_online();
    ck_assert_str_eq(order_of(SPB_KIND_NBIRTH), "yesterday today bdSeq Node Control/Rebirth tomorrow");
    ck_assert_uint_eq(spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "bdSeq")->timestamp_ms, now_ms);
    wire_close(&w);
}
END_TEST

/* A host that reads on and on knows the template when the instance comes. */
START_TEST(definitions_stand_before_their_instances_however_old_those_are) {
    const spb_payload_metric member = {.name = spb_str_from("m"), .value = spb_int32(0)};
    const spb_template definition = {.is_definition = true, .metrics = &member, .metric_count = 1};
    const spb_template instance = {.template_ref = spb_str_from("T"), .metrics = &member, .metric_count = 1};
    wire_open(&w, NULL);
    uint64_t old_ms = w.now.wall_ms - YEAR_MS;
    ck_assert_int_eq(spb_session_add_template(w.session, "T", &definition, w.now, NULL), SPB_OK);
    wire_add(&w, NULL, (spb_metric_def){.name = "i", .value = spb_template_value(&instance), .timestamp_ms = old_ms});
    go_online();
    ck_assert_str_eq(order_of(SPB_KIND_NBIRTH), "T i bdSeq Node Control/Rebirth");
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_NBIRTH)->payload->metrics[0].timestamp_ms, old_ms);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("birth_order");
    tcase_add_test(all, metrics_stand_in_the_order_of_their_time);
    tcase_add_test(all, what_the_node_says_of_itself_is_of_now_even_before_times_to_come);
    tcase_add_test(all, definitions_stand_before_their_instances_however_old_those_are);
    Suite *suite = suite_create("birth_order");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
