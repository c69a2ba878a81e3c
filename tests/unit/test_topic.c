/* Topics: what is one, what is none and why, and how they are written. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/topic.h>

#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void assert_str(spb_str part, const char *wanted) {
    ck_assert(spb_str_equal(part, spb_str_from(wanted)));
}

typedef struct example {
    const char *text;
    spb_kind kind;
    const char *group, *node, *device, *host; /* NULL: absent */
} example;

/* tck-id-topics-nbirth-topic … tck-id-topics-dcmd-topic, tck-id-host-topic-phid-birth-topic */
static const example examples[] = {
    {"spBv1.0/Plant1/NBIRTH/Gateway7", SPB_KIND_NBIRTH, "Plant1", "Gateway7", NULL, NULL},
    {"spBv1.0/Plant1/NDEATH/Gateway7", SPB_KIND_NDEATH, "Plant1", "Gateway7", NULL, NULL},
    {"spBv1.0/Plant1/NDATA/Gateway7", SPB_KIND_NDATA, "Plant1", "Gateway7", NULL, NULL},
    {"spBv1.0/Plant1/NCMD/Gateway7", SPB_KIND_NCMD, "Plant1", "Gateway7", NULL, NULL},
    {"spBv1.0/Plant1/DBIRTH/Gateway7/Press", SPB_KIND_DBIRTH, "Plant1", "Gateway7", "Press", NULL},
    {"spBv1.0/Plant1/DDEATH/Gateway7/Press", SPB_KIND_DDEATH, "Plant1", "Gateway7", "Press", NULL},
    {"spBv1.0/Plant1/DDATA/Gateway7/Press", SPB_KIND_DDATA, "Plant1", "Gateway7", "Press", NULL},
    {"spBv1.0/Plant1/DCMD/Gateway7/Press", SPB_KIND_DCMD, "Plant1", "Gateway7", "Press", NULL},
    {"spBv1.0/STATE/scada", SPB_KIND_STATE, NULL, NULL, NULL, "scada"},
    /* IDs may look like anything else in a topic, and hold blanks and any letters */
    {"spBv1.0/spBv1.0/NDATA/NDATA", SPB_KIND_NDATA, "spBv1.0", "NDATA", NULL, NULL},
    {"spBv1.0/G/DDATA/N/STATE", SPB_KIND_DDATA, "G", "N", "STATE", NULL},
    {"spBv1.0/Werk Süd/DDATA/Öfen/№ 5 €", SPB_KIND_DDATA, "Werk Süd", "Öfen", "№ 5 €", NULL},
    {"spBv1.0/STATE/NBIRTH", SPB_KIND_STATE, NULL, NULL, NULL, "NBIRTH"},
};

START_TEST(a_topic_is_split_into_its_parts) {
    const example *e = &examples[_i];
    spb_str text = spb_str_from(e->text);
    spb_topic topic;
    spb_error err;
    ck_assert_msg(spb_topic_parse(&topic, text, &err) == SPB_OK, "%s", err.text);
    ck_assert_int_eq(topic.kind, e->kind);
    assert_str(topic.group_id, e->group);
    assert_str(topic.node_id, e->node);
    assert_str(topic.device_id, e->device);
    assert_str(topic.host_id, e->host);
}
END_TEST

START_TEST(a_topic_is_written_as_it_was_read) {
    const example *e = &examples[_i];
    spb_topic topic;
    ck_assert_int_eq(spb_topic_parse(&topic, spb_str_from(e->text), NULL), SPB_OK);
    char buffer[128];
    size_t len = 0;
    ck_assert_int_eq(spb_topic_format(&topic, buffer, sizeof buffer, &len, NULL), SPB_OK);
    ck_assert_str_eq(buffer, e->text);
    ck_assert_uint_eq(len, strlen(e->text));
}
END_TEST

START_TEST(the_parts_are_views_into_the_text) {
    spb_str text = spb_str_from("spBv1.0/G/DDATA/N/D");
    spb_topic topic;
    ck_assert_int_eq(spb_topic_parse(&topic, text, NULL), SPB_OK);
    ck_assert_ptr_eq(topic.group_id.data, text.data + 8);
    ck_assert_ptr_eq(topic.node_id.data, text.data + 16);
    ck_assert_ptr_eq(topic.device_id.data, text.data + 18);
}
END_TEST

START_TEST(the_text_need_not_end_in_nul) {
    spb_topic topic;
    ck_assert_int_eq(spb_topic_parse(&topic, (spb_str){"spBv1.0/G/NDATA/Node7/rest", 21}, NULL), SPB_OK);
    assert_str(topic.node_id, "Node7");
}
END_TEST

typedef struct refusal {
    const char *text;
    const char *reason;
    size_t offset;
} refusal;

static const refusal refusals[] = {
    /* tck-id-topic-structure-namespace-a */
    {"", "topic is empty", 0},
    {"/", "namespace is \"\", not spBv1.0", 0},
    {"/spBv1.0/G/NDATA/N", "namespace is \"\", not spBv1.0", 0},
    {"spAv1.0/G/NDATA/N", "namespace is \"spAv1.0\", not spBv1.0", 0},
    {"SPBV1.0/G/NDATA/N", "namespace is \"SPBV1.0\", not spBv1.0", 0},
    {"spBv1.00/G/NDATA/N", "namespace is \"spBv1.00\", not spBv1.0", 0},
    {"STATE/scada", "namespace is \"STATE\", not spBv1.0", 0},
    {"sensors", "namespace is \"sensors\", not spBv1.0", 0},
    {"a_topic_of_something_else_entirely", "namespace is \"a_topic_of_something...\", not spBv1.0", 0},
    {"\x1b[31mred\xc3\xa9/G/NDATA/N", "namespace is \"?[31mred??\", not spBv1.0", 0},
    /* tck-id-topic-structure: parts that are not there */
    {"spBv1.0", "group ID missing", 7},
    {"spBv1.0/", "group ID is empty", 8},
    {"spBv1.0/G", "message kind missing", 9},
    {"spBv1.0/G/", "message kind is empty", 10},
    {"spBv1.0/G/NBIRTH", "edge node ID missing in NBIRTH topic", 16},
    {"spBv1.0/G/DBIRTH", "edge node ID missing in DBIRTH topic", 16},
    {"spBv1.0/G/NBIRTH/", "edge node ID is empty", 17},
    {"spBv1.0//NBIRTH/N", "group ID is empty", 8},
    {"spBv1.0/STATE", "host ID missing in STATE topic", 13},
    {"spBv1.0/STATE/", "host ID is empty", 14},
    /* the nine kinds, in upper case */
    {"spBv1.0/G/NBRITH/N", "unknown message kind \"NBRITH\"", 10},
    {"spBv1.0/G/NBIRTHS/N", "unknown message kind \"NBIRTHS\"", 10},
    {"spBv1.0/G/NBIRT/N", "unknown message kind \"NBIRT\"", 10},
    {"spBv1.0/G/N\x07/N", "unknown message kind \"N?\"", 10},
    {"spBv1.0/G/nbirth/N", "message kind \"nbirth\" is not in upper case", 10},
    {"spBv1.0/G/DData/N/D", "message kind \"DData\" is not in upper case", 10},
    {"spBv1.0/G/STATE/scada", "STATE does not follow the namespace at once", 10},
    {"spBv1.0/state/scada", "unknown message kind \"scada\"", 14},
    /* tck-id-topic-structure-namespace-device-id-associated-message-types */
    {"spBv1.0/G/DBIRTH/N", "device ID missing in DBIRTH topic", 18},
    {"spBv1.0/G/DDEATH/N", "device ID missing in DDEATH topic", 18},
    {"spBv1.0/G/DDATA/N", "device ID missing in DDATA topic", 17},
    {"spBv1.0/G/DCMD/N", "device ID missing in DCMD topic", 16},
    {"spBv1.0/G/DDATA/N/", "device ID is empty", 18},
    /* tck-id-topic-structure-namespace-device-id-non-associated-message-types */
    {"spBv1.0/G/NBIRTH/N/D", "NBIRTH topic has more than 4 parts", 19},
    {"spBv1.0/G/NDEATH/N/D", "NDEATH topic has more than 4 parts", 19},
    {"spBv1.0/G/NDATA/N/D", "NDATA topic has more than 4 parts", 18},
    {"spBv1.0/G/NCMD/N/D", "NCMD topic has more than 4 parts", 17},
    {"spBv1.0/STATE/scada/D", "STATE topic has more than 3 parts", 20},
    {"spBv1.0/STATE/NDATA/N", "STATE topic has more than 3 parts", 20},
    {"spBv1.0/G/NDATA/N/", "NDATA topic has more than 4 parts", 18},
    {"spBv1.0/G/DDATA/N/D/x", "DDATA topic has more than 5 parts", 20},
    {"spBv1.0/G/DDATA/N/D/", "DDATA topic has more than 5 parts", 20},
    {"spBv1.0/G/DDATA/N/D/x/y/z", "DDATA topic has more than 5 parts", 20},
    /* tck-id-topic-structure-namespace-valid-group-id and its siblings */
    {"spBv1.0/+/NDATA/N", "group ID holds '+', which MQTT reserves", 8},
    {"spBv1.0/G/NDATA/a#", "edge node ID holds '#', which MQTT reserves", 17},
    {"spBv1.0/G/DDATA/N/de+vice", "device ID holds '+', which MQTT reserves", 20},
    {"spBv1.0/STATE/#", "host ID holds '#', which MQTT reserves", 14},
    {"spBv1.0/G/NDATA/ok\xff", "edge node ID is not UTF-8", 18},
    {"spBv1.0/#", "group ID holds '#', which MQTT reserves", 8},
};

START_TEST(what_is_no_topic_is_refused_with_reason_and_place) {
    const refusal *r = &refusals[_i];
    spb_topic topic = {.kind = SPB_KIND_DCMD};
    spb_error err;
    ck_assert_int_eq(spb_topic_parse(&topic, spb_str_from(r->text), &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, r->reason);
    ck_assert_uint_eq(err.offset, r->offset);
    ck_assert_int_eq(err.status, SPB_ERR_NAME);
    ck_assert_int_eq(topic.kind, SPB_KIND_DCMD); /* untouched */
    ck_assert_int_eq(spb_topic_parse(&topic, spb_str_from(r->text), NULL), SPB_ERR_NAME);
}
END_TEST

START_TEST(a_nul_in_an_id_is_refused) {
    spb_topic topic;
    spb_error err;
    ck_assert_int_eq(spb_topic_parse(&topic, (spb_str){"spBv1.0/G/NDATA/a\0b", 19}, &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, "edge node ID holds a NUL");
    ck_assert_uint_eq(err.offset, 17);
}
END_TEST

START_TEST(an_absent_text_is_an_empty_topic) {
    spb_topic topic;
    ck_assert_int_eq(spb_topic_parse(&topic, (spb_str){0}, NULL), SPB_ERR_NAME);
}
END_TEST

/* tck-id-topic-structure-namespace-valid-group-id, -valid-edge-node-id, -valid-device-id */
START_TEST(ids_follow_their_rules) {
    spb_error err;
    ck_assert_int_eq(spb_id_check(spb_str_from("Gateway 7 (Süd)"), "group ID", &err), SPB_OK);
    ck_assert_int_eq(spb_id_check(spb_str_from(NULL), "group ID", &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, "group ID is missing");
    ck_assert_int_eq(spb_id_check(spb_str_from(""), "group ID", &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, "group ID is empty");
    ck_assert_int_eq(spb_id_check(spb_str_from("a/b"), "edge node ID", &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, "edge node ID holds '/', which MQTT reserves");
    ck_assert_uint_eq(err.offset, 1);
    ck_assert_int_eq(spb_id_check(spb_str_from("a+"), "device ID", &err), SPB_ERR_NAME);
    ck_assert_int_eq(spb_id_check(spb_str_from("#"), "device ID", &err), SPB_ERR_NAME);
    ck_assert_int_eq(spb_id_check((spb_str){"a\0", 2}, "device ID", &err), SPB_ERR_NAME);
    ck_assert_int_eq(spb_id_check(spb_str_from("caf\xe9"), "device ID", &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, "device ID is not UTF-8");
    ck_assert_uint_eq(err.offset, 3);
}
END_TEST

START_TEST(kinds_have_names_and_four_of_them_a_device) {
    ck_assert_str_eq(spb_kind_name(SPB_KIND_NBIRTH), "NBIRTH");
    ck_assert_str_eq(spb_kind_name(SPB_KIND_STATE), "STATE");
    ck_assert_str_eq(spb_kind_name((spb_kind)9), "?");
    for (int kind = SPB_KIND_NBIRTH; kind <= SPB_KIND_STATE; kind++) {
        ck_assert(spb_kind_is_device((spb_kind)kind) == (spb_kind_name((spb_kind)kind)[0] == 'D'));
    }
}
END_TEST

/* ---- writing ---- */

static spb_topic device_topic(void) {
    return (spb_topic){.kind = SPB_KIND_DDATA,
                       .group_id = spb_str_from("G"),
                       .node_id = spb_str_from("N"),
                       .device_id = spb_str_from("D")};
}

static void assert_not_written(const spb_topic *topic, spb_status status, const char *reason) {
    char buffer[64] = "before";
    size_t len = 99;
    spb_error err;
    ck_assert_int_eq(spb_topic_format(topic, buffer, sizeof buffer, &len, &err), status);
    ck_assert_str_eq(err.text, reason);
    ck_assert_str_eq(buffer, "before");
    ck_assert_uint_eq(len, 99);
}

START_TEST(a_missing_part_is_not_written) {
    spb_topic topic = device_topic();
    topic.device_id = (spb_str){0};
    assert_not_written(&topic, SPB_ERR_NAME, "device ID missing in DDATA topic");
    topic = device_topic();
    topic.group_id = (spb_str){0};
    assert_not_written(&topic, SPB_ERR_NAME, "group ID missing in DDATA topic");
    topic = device_topic();
    topic.node_id = (spb_str){0};
    assert_not_written(&topic, SPB_ERR_NAME, "edge node ID missing in DDATA topic");
    assert_not_written(&(spb_topic){.kind = SPB_KIND_STATE}, SPB_ERR_NAME, "host ID missing in STATE topic");
}
END_TEST

START_TEST(a_superfluous_part_is_not_written) {
    spb_topic topic = device_topic();
    topic.kind = SPB_KIND_NDATA;
    assert_not_written(&topic, SPB_ERR_NAME, "NDATA topic has no device ID");
    topic = device_topic();
    topic.host_id = spb_str_from("scada");
    assert_not_written(&topic, SPB_ERR_NAME, "DDATA topic has no host ID");
    topic.kind = SPB_KIND_STATE;
    assert_not_written(&topic, SPB_ERR_NAME, "STATE topic has no group ID");
}
END_TEST

START_TEST(a_part_that_breaks_a_rule_is_not_written) {
    spb_topic topic = device_topic();
    topic.device_id = spb_str_from("a/b");
    assert_not_written(&topic, SPB_ERR_NAME, "device ID holds '/', which MQTT reserves");
    topic.device_id = spb_str_from("");
    assert_not_written(&topic, SPB_ERR_NAME, "device ID is empty");
    topic = device_topic();
    topic.kind = (spb_kind)9;
    assert_not_written(&topic, SPB_ERR_NAME, "there is no message kind 9");
}
END_TEST

START_TEST(a_group_named_state_would_be_read_as_a_host) {
    spb_topic topic = device_topic();
    topic.group_id = spb_str_from("STATE");
    assert_not_written(&topic, SPB_ERR_NAME, "group ID \"STATE\" would make it the topic of a host");
}
END_TEST

START_TEST(a_small_buffer_is_refused_to_the_byte) {
    spb_topic topic = device_topic();
    char buffer[20]; /* spBv1.0/G/DDATA/N/D and its NUL */
    ck_assert_int_eq(spb_topic_format(&topic, buffer, 19, NULL, NULL), SPB_ERR_LIMIT);
    ck_assert_int_eq(spb_topic_format(&topic, NULL, 0, NULL, NULL), SPB_ERR_LIMIT);
    ck_assert_int_eq(spb_topic_format(&topic, buffer, 20, NULL, NULL), SPB_OK);
    ck_assert_str_eq(buffer, "spBv1.0/G/DDATA/N/D");
}
END_TEST

START_TEST(a_topic_is_at_most_as_long_as_mqtt_allows) {
    static char id[65536];
    static char buffer[70000];
    memset(id, 'x', sizeof id);
    spb_topic topic = {.kind = SPB_KIND_STATE, .host_id = {id, 65535 - 14}};
    size_t len = 0;
    ck_assert_int_eq(spb_topic_format(&topic, buffer, sizeof buffer, &len, NULL), SPB_OK);
    ck_assert_uint_eq(len, 65535);
    topic.host_id.len++;
    ck_assert_int_eq(spb_topic_format(&topic, buffer, sizeof buffer, &len, NULL), SPB_ERR_LIMIT);
}
END_TEST

int main(void) {
    TCase *reading = tcase_create("reading");
    tcase_add_loop_test(reading, a_topic_is_split_into_its_parts, 0, COUNT_OF(examples));
    tcase_add_test(reading, the_parts_are_views_into_the_text);
    tcase_add_test(reading, the_text_need_not_end_in_nul);
    tcase_add_loop_test(reading, what_is_no_topic_is_refused_with_reason_and_place, 0, COUNT_OF(refusals));
    tcase_add_test(reading, a_nul_in_an_id_is_refused);
    tcase_add_test(reading, an_absent_text_is_an_empty_topic);
    tcase_add_test(reading, ids_follow_their_rules);
    tcase_add_test(reading, kinds_have_names_and_four_of_them_a_device);
    TCase *writing = tcase_create("writing");
    tcase_add_loop_test(writing, a_topic_is_written_as_it_was_read, 0, COUNT_OF(examples));
    tcase_add_test(writing, a_missing_part_is_not_written);
    tcase_add_test(writing, a_superfluous_part_is_not_written);
    tcase_add_test(writing, a_part_that_breaks_a_rule_is_not_written);
    tcase_add_test(writing, a_group_named_state_would_be_read_as_a_host);
    tcase_add_test(writing, a_small_buffer_is_refused_to_the_byte);
    tcase_add_test(writing, a_topic_is_at_most_as_long_as_mqtt_allows);
    Suite *suite = suite_create("topic");
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, writing);
    return suite_run(suite);
}
