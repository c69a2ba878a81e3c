/* What births tell about later data, and what they say about the life of a node. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/births.h"
#include "support/suite.h"

static births *all;
static metric_view view;
static spb_error err;

static void begin(void) {
    all = births_new();
    ck_assert_ptr_nonnull(all);
}

static void end(void) {
    births_free(all);
}

static spb_topic topic(const char *text) {
    spb_topic parsed;
    ck_assert_int_eq(spb_topic_parse(&parsed, spb_str_from(text), NULL), SPB_OK);
    return parsed;
}

static birth_scope *scope_of(const char *text) {
    spb_topic parsed = topic(text);
    birth_scope *scope = births_scope(all, &parsed);
    ck_assert_ptr_nonnull(scope);
    return scope;
}

/* A payload as it comes off the wire. */
static spb_payload *on_wire(const spb_payload_metric *metrics, size_t count) {
    spb_payload payload = {.has_timestamp = true, .has_seq = true, .metrics = metrics, .metric_count = count};
    uint8_t *bytes;
    size_t len;
    ck_assert_msg(spb_payload_encode(&payload, NULL, &bytes, &len, &err) == SPB_OK, "%s", err.text);
    spb_payload *decoded;
    ck_assert_msg(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, &err) == SPB_OK, "%s", err.text);
    spb_free(bytes);
    return decoded;
}

static spb_payload_metric metric(const char *name, uint64_t alias, spb_value value) {
    return (spb_payload_metric){.name = spb_str_from(name), .has_alias = alias > 0, .alias = alias, .value = value};
}

static void learn(birth_scope *scope, const spb_payload_metric *metrics, size_t count) {
    ck_assert(births_learn(scope, on_wire(metrics, count)));
}

/* Views the only metric of a data message; the view borrows from *data. */
static spb_status view_data(birth_scope *scope, spb_payload_metric sent, spb_payload **data) {
    sent.omit_datatype = true;
    *data = on_wire(&sent, 1);
    return births_view(scope, &(*data)->metrics[0], &view, &err);
}

START_TEST(an_alias_comes_out_with_name_datatype_and_unit) {
    spb_property unit_items[] = {{spb_str_from("engUnit"), spb_string("°C")}};
    spb_property_set properties = {unit_items, 1};
    spb_payload_metric born[] = {metric("Speed", 7, spb_int16(1)), metric("Temperature", 1001, spb_double(20))};
    born[1].properties = &properties;
    birth_scope *scope = scope_of("spBv1.0/G/DBIRTH/N/D");
    learn(scope, born, 2);

    spb_payload *data;
    ck_assert_int_eq(view_data(scope_of("spBv1.0/G/DDATA/N/D"), metric(NULL, 7, spb_int16(-2)), &data), SPB_OK);
    ck_assert(spb_str_equal(view.name, spb_str_from("Speed")));
    ck_assert_int_eq(view.value.type, SPB_INT16);
    ck_assert_int_eq(view.value.as.i64, -2);
    ck_assert_ptr_null(view.unit.data);
    spb_payload_free(data);

    ck_assert_int_eq(view_data(scope, metric(NULL, 1001, spb_double(21.6)), &data), SPB_OK);
    ck_assert(spb_str_equal(view.unit, spb_str_from("°C")));
    spb_payload_free(data);

    ck_assert_int_eq(view_data(scope, metric("Speed", 0, spb_int16(3)), &data), SPB_OK);
    ck_assert_int_eq(view.value.type, SPB_INT16);
    spb_payload_free(data);
}
END_TEST

START_TEST(an_alias_is_looked_up_in_its_own_device) {
    spb_payload_metric born = metric("A", 1, spb_int32(1));
    learn(scope_of("spBv1.0/G/DBIRTH/N/D"), &born, 1);
    const char *others[] = {"spBv1.0/G/DDATA/N/E", "spBv1.0/G/NDATA/N", "spBv1.0/H/DDATA/N/D", "spBv1.0/G/DDATA/M/D"};
    for (size_t i = 0; i < 4; i++) {
        spb_payload *data;
        birth_scope *scope = scope_of(others[i]);
        ck_assert(!births_is_known(scope));
        ck_assert_int_eq(view_data(scope, metric(NULL, 1, spb_int32(1)), &data), SPB_OK);
        ck_assert_ptr_null(view.birth);
        ck_assert_ptr_null(view.name.data);
        ck_assert_int_eq(view.value.type, SPB_UNKNOWN);
        spb_payload_free(data);
    }
}
END_TEST

START_TEST(a_birth_of_the_node_forgets_its_devices_and_no_others) {
    spb_payload_metric born = metric("A", 1, spb_int32(1));
    birth_scope *mine[] = {scope_of("spBv1.0/G/DBIRTH/N/D"), scope_of("spBv1.0/G/DBIRTH/N/E")};
    birth_scope *other = scope_of("spBv1.0/G/DBIRTH/M/D");
    birth_scope *node = scope_of("spBv1.0/G/NBIRTH/N");
    learn(mine[0], &born, 1);
    learn(mine[1], &born, 1);
    learn(other, &born, 1);
    learn(node, &born, 1);
    ck_assert(births_is_known(node));
    ck_assert(!births_is_known(mine[0]));
    ck_assert(!births_is_known(mine[1]));
    ck_assert(births_is_known(other));

    learn(mine[0], &born, 1);
    learn(mine[1], &born, 1);
    ck_assert(births_is_known(node));
    births_forget(mine[0]);
    ck_assert(!births_is_known(mine[0]));
    ck_assert(births_is_known(node));
    births_forget(node);
    ck_assert(!births_is_known(mine[1]));
}
END_TEST

START_TEST(a_new_birth_replaces_the_aliases) {
    birth_scope *scope = scope_of("spBv1.0/G/NBIRTH/N");
    spb_payload_metric first = metric("Old", 1, spb_int32(1));
    spb_payload_metric second = metric("New", 1, spb_string("x"));
    learn(scope, &first, 1);
    learn(scope, &second, 1);
    spb_payload *data;
    ck_assert_int_eq(view_data(scope, metric(NULL, 1, spb_string("y")), &data), SPB_OK);
    ck_assert(spb_str_equal(view.name, spb_str_from("New")));
    spb_payload_free(data);
    ck_assert_int_eq(view_data(scope, metric("Old", 0, spb_int32(1)), &data), SPB_OK);
    ck_assert_ptr_null(view.birth);
    spb_payload_free(data);
}
END_TEST

START_TEST(a_value_that_does_not_fit_its_birth_is_left_as_it_came) {
    birth_scope *scope = scope_of("spBv1.0/G/NBIRTH/N");
    spb_payload_metric born = metric("A", 1, spb_int32(1));
    learn(scope, &born, 1);
    spb_payload *data;
    ck_assert_int_eq(view_data(scope, metric(NULL, 1, spb_string("x")), &data), SPB_ERR_TYPE);
    ck_assert_int_eq(view.value.type, SPB_UNKNOWN);
    ck_assert(spb_str_equal(view.value.as.str, spb_str_from("x")));
    ck_assert(spb_str_equal(view.name, spb_str_from("A")));
    spb_payload_free(data);
}
END_TEST

START_TEST(members_of_a_template_get_their_datatypes) {
    spb_payload_metric members[] = {metric("RPM", 0, spb_int32(1480)), metric("Amps", 0, spb_float(8))};
    spb_template motor = {.template_ref = spb_str_from("Motor"), .metrics = members, .metric_count = 2};
    spb_payload_metric born = metric("M1", 5, spb_template_value(&motor));
    birth_scope *scope = scope_of("spBv1.0/G/NBIRTH/N");
    learn(scope, &born, 1);

    spb_payload_metric changed = metric("RPM", 0, spb_int32(-1));
    changed.omit_datatype = true;
    spb_template part = {.template_ref = spb_str_from("Motor"), .metrics = &changed, .metric_count = 1};
    spb_payload *data;
    ck_assert_int_eq(view_data(scope, metric(NULL, 5, spb_template_value(&part)), &data), SPB_OK);
    metric_view member;
    births_view_member(&view, &view.value.as.tmpl->metrics[0], &member);
    ck_assert_int_eq(member.value.type, SPB_INT32);
    ck_assert_int_eq(member.value.as.i64, -1);
    births_view_member(NULL, &view.value.as.tmpl->metrics[0], &member);
    ck_assert_int_eq(member.value.type, SPB_UNKNOWN);
    spb_payload_free(data);
}
END_TEST

START_TEST(a_complaint_is_made_once_and_again_after_a_birth) {
    birth_scope *scope = scope_of("spBv1.0/G/NDATA/N");
    ck_assert(births_first_complaint(scope));
    ck_assert(!births_first_complaint(scope));
    spb_payload_metric born = metric("A", 1, spb_int32(1));
    learn(scope, &born, 1);
    ck_assert(births_first_complaint(scope));
}
END_TEST

START_TEST(many_nodes_and_metrics_are_told_apart) {
    enum { NODES = 200, METRICS = 1000 };
    birth_scope *scopes[NODES];
    char text[64];
    for (int i = 0; i < NODES; i++) {
        snprintf(text, sizeof text, "spBv1.0/G/NDATA/N%d", i);
        scopes[i] = scope_of(text);
    }
    for (int i = 0; i < NODES; i++) {
        snprintf(text, sizeof text, "spBv1.0/G/NDATA/N%d", i);
        ck_assert_ptr_eq(scopes[i], scope_of(text));
    }
    static char names[METRICS][16];
    static spb_payload_metric born[METRICS];
    for (int i = 0; i < METRICS; i++) {
        snprintf(names[i], sizeof names[i], "metric %d", i);
        born[i] = metric(names[i], (uint64_t)i * 4096 + 1, spb_int32(i));
    }
    learn(scopes[0], born, METRICS);
    for (int i = 0; i < METRICS; i++) {
        spb_payload_metric sent = {.has_alias = true, .alias = (uint64_t)i * 4096 + 1};
        ck_assert_int_eq(births_view(scopes[0], &sent, &view, &err), SPB_ERR_TYPE); /* no value */
        ck_assert(spb_str_equal(view.name, spb_str_from(names[i])));
    }
}
END_TEST

static void assert_remark(const char *text, int seq, const char *wanted) {
    spb_topic parsed = topic(text);
    spb_payload payload = {.has_seq = seq >= 0, .seq = seq >= 0 ? (uint64_t)seq : 0};
    char remark[64];
    births_remark(scope_of(text), &parsed, &payload, remark, sizeof remark);
    ck_assert_str_eq(remark, wanted);
}

START_TEST(seq_runs_over_the_node_and_its_devices) {
    assert_remark("spBv1.0/G/NDATA/N", 200, ""); /* the capture begins in the middle */
    assert_remark("spBv1.0/G/DDATA/N/D", 201, "");
    assert_remark("spBv1.0/G/NBIRTH/N", 0, "");
    assert_remark("spBv1.0/G/DBIRTH/N/D", 1, "");
    assert_remark("spBv1.0/G/DDATA/M/D", 77, "");
    assert_remark("spBv1.0/G/NCMD/N", -1, "");
    assert_remark("spBv1.0/G/DDATA/N/D", 3, "seq 2 expected");
    assert_remark("spBv1.0/G/NDATA/N", -1, "without seq");
    assert_remark("spBv1.0/G/NDATA/N", 4, "");
    assert_remark("spBv1.0/G/NDATA/N", 255, "seq 5 expected");
    assert_remark("spBv1.0/G/NDATA/N", 0, "");
    assert_remark("spBv1.0/G/NBIRTH/N", 1, "seq 0 expected");
}
END_TEST

START_TEST(data_of_the_dead_is_remarked) {
    assert_remark("spBv1.0/G/NBIRTH/N", 0, "");
    assert_remark("spBv1.0/G/DBIRTH/N/D", 1, "");
    assert_remark("spBv1.0/G/DDEATH/N/D", 2, "");
    assert_remark("spBv1.0/G/DDATA/N/D", 4, "seq 3 expected, after DDEATH");
    assert_remark("spBv1.0/G/DBIRTH/N/D", 5, "");
    assert_remark("spBv1.0/G/DDATA/N/D", 6, "");
    assert_remark("spBv1.0/G/NDEATH/N", -1, "");
    assert_remark("spBv1.0/G/DDATA/N/D", 7, "after NDEATH");
    assert_remark("spBv1.0/G/NBIRTH/N", 0, "");
    assert_remark("spBv1.0/G/NDATA/N", 1, "");
}
END_TEST

START_TEST(a_death_of_an_earlier_session_ends_nothing) {
    birth_scope *node = scope_of("spBv1.0/G/NBIRTH/N");
    spb_topic death = topic("spBv1.0/G/NDEATH/N");
    spb_payload_metric bdseqs[] = {metric("bdSeq", 0, spb_int64(4)), metric("bdSeq", 0, spb_int64(3))};
    learn(node, &bdseqs[0], 1);
    assert_remark("spBv1.0/G/NBIRTH/N", 0, "");
    char remark[64];
    births_remark(node, &death, &(spb_payload){.metrics = &bdseqs[1], .metric_count = 1}, remark, sizeof remark);
    ck_assert_str_eq(remark, "bdSeq 4 expected");
    assert_remark("spBv1.0/G/NDATA/N", 1, "");
    births_remark(node, &death, &(spb_payload){.metrics = &bdseqs[0], .metric_count = 1}, remark, sizeof remark);
    ck_assert_str_eq(remark, "");
    assert_remark("spBv1.0/G/NDATA/N", 2, "after NDEATH");
}
END_TEST

START_TEST(a_later_birth_explains_until_the_first_real_one) {
    spb_payload_metric first = metric("First", 7, spb_int16(1));
    spb_payload_metric second = metric("Second", 7, spb_int16(1));
    spb_payload_metric real = metric("Real", 7, spb_int16(1));
    birth_scope *scope = scope_of("spBv1.0/G/NBIRTH/N");
    spb_payload *data;
    ck_assert(births_learn_later(scope, on_wire(&first, 1)));
    ck_assert(births_learn_later(scope, on_wire(&second, 1))); /* the first one is kept */
    ck_assert(births_has_later(scope) && !births_is_known(scope));
    ck_assert_int_eq(view_data(scope, metric(NULL, 7, spb_int16(-5)), &data), SPB_OK);
    ck_assert(spb_str_equal(view.name, spb_str_from("First")) && view.value.as.i64 == -5);
    spb_payload_free(data);
    learn(scope, &real, 1);
    ck_assert(!births_has_later(scope) && births_is_known(scope));
    ck_assert_int_eq(view_data(scope, metric(NULL, 7, spb_int16(-5)), &data), SPB_OK);
    ck_assert(spb_str_equal(view.name, spb_str_from("Real")));
    spb_payload_free(data);
}
END_TEST

static unsigned missing_before(const char *text, int seq) {
    char remark[64];
    spb_topic of = topic(text);
    birth_scope *scope = births_scope(all, &of);
    births_remark(scope, &of, &(spb_payload){.has_seq = true, .seq = (uint64_t)seq}, remark, sizeof remark);
    return births_missing(scope);
}

START_TEST(missing_messages_are_counted) {
    ck_assert_uint_eq(missing_before("spBv1.0/G/NDATA/N", 100), 0); /* who knows what came before */
    ck_assert_uint_eq(missing_before("spBv1.0/G/DDATA/N/D", 101), 0);
    ck_assert_uint_eq(missing_before("spBv1.0/G/NDATA/N", 105), 3);
    ck_assert_uint_eq(missing_before("spBv1.0/G/NDATA/N", 104), 254);
    ck_assert_uint_eq(missing_before("spBv1.0/G/NBIRTH/N", 0), 0);
    ck_assert_uint_eq(missing_before("spBv1.0/G/NDATA/N", 2), 1);
}
END_TEST

START_TEST(nodes_and_devices_are_numbered) {
    birth_scope *device = scope_of("spBv1.0/G/DBIRTH/N/D");
    ck_assert_uint_eq(births_number(births_node(device)), 0);
    ck_assert_uint_eq(births_number(device), 1);
    birth_scope *node = scope_of("spBv1.0/G/NBIRTH/M");
    ck_assert_uint_eq(births_number(node), 2);
    ck_assert_ptr_eq(births_node(node), node);
}
END_TEST

int main(void) {
    TCase *registry = tcase_create("registry");
    tcase_add_checked_fixture(registry, begin, end);
    tcase_add_test(registry, an_alias_comes_out_with_name_datatype_and_unit);
    tcase_add_test(registry, an_alias_is_looked_up_in_its_own_device);
    tcase_add_test(registry, a_birth_of_the_node_forgets_its_devices_and_no_others);
    tcase_add_test(registry, a_new_birth_replaces_the_aliases);
    tcase_add_test(registry, a_value_that_does_not_fit_its_birth_is_left_as_it_came);
    tcase_add_test(registry, members_of_a_template_get_their_datatypes);
    tcase_add_test(registry, a_complaint_is_made_once_and_again_after_a_birth);
    tcase_add_test(registry, many_nodes_and_metrics_are_told_apart);
    tcase_add_test(registry, seq_runs_over_the_node_and_its_devices);
    tcase_add_test(registry, data_of_the_dead_is_remarked);
    tcase_add_test(registry, a_death_of_an_earlier_session_ends_nothing);
    tcase_add_test(registry, a_later_birth_explains_until_the_first_real_one);
    tcase_add_test(registry, missing_messages_are_counted);
    tcase_add_test(registry, nodes_and_devices_are_numbered);
    Suite *suite = suite_create("births");
    suite_add_tcase(suite, registry);
    return suite_run(suite);
}
