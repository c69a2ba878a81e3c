/* Each kind of message as the specification wants it. The ledger of support/wire.h holds every message against the
 * rules of a stream; here stands, kind by kind, what a reader of tests/CONFORMANCE.md would look for. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;

/* ---- a life with a message of each kind ---- */

typedef struct sent {
    char topic[64];
    uint8_t qos;
    bool retain;
    uint64_t wall_ms;           /* when it was handed to the transport */
    const spb_payload *payload; /* NULL: the will, which the ledger decodes */
} sent;

static sent sents[16];
static size_t sent_count;

static void remember(const spb_transport_message *message, const spb_payload *payload) {
    ck_assert_uint_lt(sent_count, sizeof sents / sizeof *sents);
    sent *s = &sents[sent_count++];
    *s = (sent){.qos = message->qos, .retain = message->retain, .wall_ms = w.now.wall_ms, .payload = payload};
    snprintf(s->topic, sizeof s->topic, "%s", message->topic);
}

/* A second later; whatever is published then. */
static void go_on(void) {
    w.now.mono_ms += 1000;
    w.now.wall_ms += 1000;
    spb_session_on_tick(w.session, w.now);
    while (wire_step(&w)) {
        if (w.last.kind == SPB_ACTION_CONNECT) {
            remember(&w.last.as.connect.will, NULL);
        } else if (w.last.kind == SPB_ACTION_PUBLISH) {
            remember(&w.last.as.publish, w.messages[w.message_count - 1].payload);
        }
    }
}

static spb_device *press;
static spb_metric *level, *mode, *heat;

static void open_node(void) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 0;
    wire_open(&w, &options);
    level = wire_add_metric(&w, NULL, "level", spb_double(0.5));
    mode = wire_add_metric(&w, NULL, "mode", spb_string("auto"));
    press = wire_add_device(&w, "Press");
    heat = wire_add_metric(&w, press, "heat", spb_int16(20));
    sent_count = 0;
}

/* Will, NBIRTH, DBIRTH, NDATA, DDATA, DDEATH, NDEATH: the places in `sents`. */
enum { WILL, NBIRTH, DBIRTH, NDATA, DDATA, DDEATH, NDEATH, KINDS };

static void live(void) {
    open_node();
    spb_session_start(w.session, w.now);
    go_on();
    wire_update(&w, level, spb_double(0.75));
    go_on();
    wire_update(&w, heat, spb_int16(21));
    go_on();
    spb_session_set_device_online(w.session, press, false, w.now);
    go_on();
    spb_session_stop(w.session, 5000, w.now);
    go_on();
    ck_assert_uint_eq(sent_count, KINDS);
}

START_TEST(each_kind_has_its_topic) {
    static const char *const topics[KINDS] = {
        "spBv1.0/G/NDEATH/N",      "spBv1.0/G/NBIRTH/N",       "spBv1.0/G/DBIRTH/N/Press", "spBv1.0/G/NDATA/N",
        "spBv1.0/G/DDATA/N/Press", "spBv1.0/G/DDEATH/N/Press", "spBv1.0/G/NDEATH/N"};
    live();
    for (size_t i = 0; i < KINDS; i++) {
        ck_assert_str_eq(sents[i].topic, topics[i]);
    }
    wire_close(&w);
}
END_TEST

START_TEST(the_will_has_qos_1_all_else_qos_0_and_nothing_is_retained) {
    live();
    for (size_t i = 0; i < KINDS; i++) {
        ck_assert_uint_eq(sents[i].qos, i == WILL ? 1 : 0);
        ck_assert(!sents[i].retain);
    }
    wire_close(&w);
}
END_TEST

START_TEST(each_message_says_when_it_was_published) {
    live();
    for (size_t i = NBIRTH; i < KINDS; i++) {
        ck_assert(sents[i].payload->has_timestamp);
        ck_assert_uint_eq(sents[i].payload->timestamp_ms, sents[i].wall_ms);
    }
    wire_close(&w);
}
END_TEST

START_TEST(one_sequence_counts_all_messages_but_the_ndeath) {
    live();
    for (size_t i = NBIRTH; i < NDEATH; i++) {
        ck_assert(sents[i].payload->has_seq);
        ck_assert_uint_eq(sents[i].payload->seq, i - NBIRTH);
    }
    ck_assert(!sents[NDEATH].payload->has_seq);
    wire_close(&w);
}
END_TEST

/* The will of the CONNECT, and what is published on purpose, say the same. */
START_TEST(an_ndeath_is_a_bdseq_and_nothing_else) {
    spb_payload *will = NULL;
    open_node();
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    wire_run(&w);
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    while (wire_step(&w) && w.last.kind != SPB_ACTION_CONNECT) {
    }
    ck_assert_int_eq(w.last.kind, SPB_ACTION_CONNECT);
    ck_assert_int_eq(spb_payload_decode(&will, w.last.as.connect.will.payload, NULL, NULL), SPB_OK);
    wire_close(&w);
    live();
    const spb_payload *deaths[] = {will, sents[NDEATH].payload};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(deaths[i]->metric_count, 1);
        const spb_payload_metric *metric = &deaths[i]->metrics[0];
        ck_assert(spb_str_equal(metric->name, spb_str_from("bdSeq")) && !metric->has_alias);
        ck_assert_int_eq(metric->value.type, SPB_INT64);
        ck_assert_int_eq(metric->value.as.i64, 0);
        ck_assert(!deaths[i]->has_seq);
    }
    ck_assert_int_eq(spb_payload_find(sents[NBIRTH].payload, "bdSeq")->value.as.i64, 0);
    spb_payload_free(will);
    wire_close(&w);
}
END_TEST

/* ---- births ---- */

static void assert_born(const spb_payload *birth, const char *name, spb_value value) {
    const spb_payload_metric *metric = spb_payload_find(birth, name);
    ck_assert_msg(metric != NULL, "%s is missing", name);
    ck_assert(metric->has_timestamp && !metric->omit_datatype);
    ck_assert_int_eq(metric->value.type, value.type);
    ck_assert_msg(spb_value_equal(&metric->value, &value), "%s has another value", name);
}

START_TEST(a_birth_names_every_metric_with_datatype_and_value) {
    live();
    const spb_payload *node = sents[NBIRTH].payload, *device = sents[DBIRTH].payload;
    ck_assert_uint_eq(node->metric_count, 4);
    assert_born(node, "bdSeq", spb_int64(0));
    assert_born(node, "Node Control/Rebirth", spb_boolean(false));
    assert_born(node, "level", spb_double(0.5));
    assert_born(node, "mode", spb_string("auto"));
    ck_assert_uint_eq(device->metric_count, 1);
    assert_born(device, "heat", spb_int16(20));
    wire_close(&w);
}
END_TEST

START_TEST(a_birth_gives_each_metric_an_alias_that_no_other_has) {
    open_node();
    for (int i = 0; i < 3; i++) {
        char id[] = {'d', (char)('1' + i), '\0'};
        spb_device *device = wire_add_device(&w, id);
        wire_add_metric(&w, device, "level", spb_int32(i));
        wire_add_metric(&w, device, "heat", spb_int32(i));
    }
    spb_session_start(w.session, w.now);
    go_on();
    bool is_taken[64] = {false};
    size_t count = 0;
    for (size_t i = NBIRTH; i < sent_count; i++) {
        for (size_t j = 0; j < sents[i].payload->metric_count; j++) {
            const spb_payload_metric *metric = &sents[i].payload->metrics[j];
            bool is_own = spb_str_equal(metric->name, spb_str_from("bdSeq")) ||
                          spb_str_equal(metric->name, spb_str_from("Node Control/Rebirth"));
            ck_assert(metric->has_alias == !is_own && metric->name.len > 0);
            if (metric->has_alias) {
                ck_assert_uint_lt(metric->alias, 64);
                ck_assert(!is_taken[metric->alias]);
                is_taken[metric->alias] = true;
                count++;
            }
        }
    }
    ck_assert_uint_eq(count, 9);
    wire_close(&w);
}
END_TEST

START_TEST(a_null_stands_in_a_birth_without_a_value) {
    open_node();
    wire_add_metric(&w, NULL, "nothing", spb_null(SPB_DOUBLE));
    spb_session_start(w.session, w.now);
    go_on();
    const spb_payload_metric *born = spb_payload_find(sents[NBIRTH].payload, "nothing");
    ck_assert(born->value.is_null);
    ck_assert_int_eq(born->value.wire, SPB_WIRE_NONE);
    ck_assert_int_eq(born->value.type, SPB_DOUBLE);
    wire_close(&w);
}
END_TEST

/* ---- data ---- */

START_TEST(data_holds_what_changed_by_alias_and_time_and_no_more) {
    live();
    const struct {
        const spb_payload *payload;
        const spb_metric *metric;
        uint64_t timestamp_ms;
    } data[] = {{sents[NDATA].payload, level, sents[NDATA].wall_ms - 1000},
                {sents[DDATA].payload, heat, sents[DDATA].wall_ms - 1000}};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(data[i].payload->metric_count, 1);
        const spb_payload_metric *metric = &data[i].payload->metrics[0];
        ck_assert(metric->has_alias && metric->alias == spb_metric_alias(data[i].metric));
        ck_assert(!metric->name.data && metric->value.type == SPB_UNKNOWN);
        ck_assert(metric->has_timestamp && metric->timestamp_ms == data[i].timestamp_ms);
    }
    ck_assert_double_eq(sents[NDATA].payload->metrics[0].value.as.f64, 0.75);
    ck_assert_uint_eq(sents[DDATA].payload->metrics[0].value.as.u64, 21);
    wire_close(&w);
}
END_TEST

/* Nothing is sent by the clock. */
START_TEST(what_does_not_change_is_not_sent) {
    open_node();
    wire_go_online(&w);
    wire_sleep(&w, 24 * 3600 * 1000);
    ck_assert_str_eq(w.ledger, "");
    wire_close(&w);
}
END_TEST

/* ---- commands ---- */

START_TEST(commands_are_subscribed_to_before_the_birth) {
    static const char *const filters[] = {"spBv1.0/G/NCMD/N", "spBv1.0/G/DCMD/N/+"};
    open_node();
    spb_session_start(w.session, w.now);
    while (wire_step(&w) && w.last.kind != SPB_ACTION_SUBSCRIBE) {
    }
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE");
    ck_assert_uint_eq(w.last.as.subscribe.count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(w.last.as.subscribe.items[i].filter, filters[i]);
        ck_assert_uint_eq(w.last.as.subscribe.items[i].qos, 1);
    }
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    wire_close(&w);
}
END_TEST

static spb_status accept(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    return SPB_OK; /* never called: the owner of a session carries WRITE out */
}

/* What hosts must send, and what they must not: neither decides whether a command is understood. */
START_TEST(a_command_is_understood_with_and_without_its_timestamps_and_a_seq) {
    spb_metric *metric;
    spb_metric_def def = {.name = "setpoint", .value = spb_int32(0), .on_write = accept};
    open_node();
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, press, &def, w.now, NULL), SPB_OK);
    wire_go_online(&w);
    for (unsigned i = 0; i < 8; i++) {
        const spb_payload_metric write = {.name = spb_str_from("setpoint"),
                                          .value = spb_int32((int32_t)i),
                                          .has_timestamp = i & 1,
                                          .timestamp_ms = 77};
        const spb_payload payload = {.has_timestamp = i & 2,
                                     .timestamp_ms = 78,
                                     .has_seq = i & 4,
                                     .seq = 9,
                                     .metrics = &write,
                                     .metric_count = 1};
        uint8_t *bytes;
        size_t len;
        ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
        wire_message_in(&w, "spBv1.0/G/DCMD/N/Press", (spb_bytes){bytes, len}, false);
        spb_free(bytes);
        wire_run(&w);
        ck_assert_str_eq(w.ledger, "WRITE setpoint");
        ck_assert_int_eq(w.wanted.as.i64, i);
        wire_forget(&w);
    }
    wire_close(&w);
}
END_TEST

/* ---- IDs and names ---- */

static spb_status open_session(const char *group_id, const char *node_id, const char *host_id) {
    spb_session_options options = wire_options();
    spb_session *session;
    options.group_id = group_id;
    options.node_id = node_id;
    options.primary_host_id = host_id;
    spb_status status = spb_session_new(&session, &options, NULL);
    spb_session_free(session);
    return status;
}

START_TEST(an_id_that_no_topic_can_hold_is_refused) {
    static const char *const wrong[] = {"a+b", "a/b", "a#b", "+", "/", "#", "", "caf\xe9"};
    wire_open(&w, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spb_device *device;
        ck_assert_int_eq(open_session(wrong[i], "N", NULL), SPB_ERR_NAME);
        ck_assert_int_eq(open_session("G", wrong[i], NULL), SPB_ERR_NAME);
        ck_assert_int_eq(open_session("G", "N", wrong[i]), SPB_ERR_NAME);
        ck_assert_int_eq(spb_session_add_device(w.session, &device, wrong[i], w.now, NULL), SPB_ERR_NAME);
    }
    ck_assert_int_eq(open_session("Werk Süd", "№ 5 €", "scada"), SPB_OK);
    wire_add_device(&w, "Öfen");
    wire_close(&w);
}
END_TEST

START_TEST(a_device_id_is_taken_within_its_node_only) {
    spb_session_options options = wire_options();
    spb_session *other;
    spb_device *device;
    wire_open(&w, NULL);
    wire_add_device(&w, "Press");
    ck_assert_int_eq(spb_session_add_device(w.session, &device, "Press", w.now, NULL), SPB_ERR_EXISTS);
    ck_assert_ptr_null(device);
    options.node_id = "M";
    ck_assert_int_eq(spb_session_new(&other, &options, NULL), SPB_OK);
    ck_assert_int_eq(spb_session_add_device(other, &device, "Press", w.now, NULL), SPB_OK);
    spb_session_free(other);
    wire_close(&w);
}
END_TEST

START_TEST(names_that_differ_in_case_are_two_names) {
    open_node();
    wire_add_metric(&w, NULL, "Level", spb_double(1.5));
    wire_add_device(&w, "press");
    spb_session_start(w.session, w.now);
    go_on();
    assert_born(sents[NBIRTH].payload, "level", spb_double(0.5));
    assert_born(sents[NBIRTH].payload, "Level", spb_double(1.5));
    ck_assert_str_eq(sents[DBIRTH].topic, "spBv1.0/G/DBIRTH/N/Press");
    ck_assert_str_eq(sents[DBIRTH + 1].topic, "spBv1.0/G/DBIRTH/N/press");
    wire_close(&w);
}
END_TEST

/* ---- properties and templates ---- */

static spb_status add_with_property(const char *key, spb_value value) {
    spb_metric *metric;
    spb_property property = {.key = spb_str_from(key), .value = value};
    spb_metric_def def = {.name = "x", .value = spb_int8(1), .properties = &property, .property_count = 1};
    return spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL);
}

START_TEST(quality_is_an_int32_of_three_codes) {
    static const int32_t codes[] = {0, 192, 500};
    const spb_value wrong[] = {spb_int32(1), spb_uint32(192), spb_string("GOOD"), spb_null(SPB_INT32)};
    for (size_t i = 0; i < 3; i++) {
        open_node();
        ck_assert_int_eq(add_with_property("Quality", spb_int32(codes[i])), SPB_OK);
        spb_session_start(w.session, w.now);
        go_on();
        const spb_payload_metric *born = spb_payload_find(sents[NBIRTH].payload, "x");
        const spb_value quality = spb_property_find(born->properties, SPB_PROPERTY_QUALITY)->value;
        ck_assert_int_eq(quality.type, SPB_INT32);
        ck_assert_int_eq(quality.as.i64, codes[i]);
        wire_close(&w);
    }
    open_node();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(add_with_property("Quality", wrong[i]), SPB_ERR_RANGE);
    }
    wire_close(&w);
}
END_TEST

/* Values that were decoded without a datatype, or made by hand. */
START_TEST(a_property_without_a_datatype_is_refused) {
    const spb_value wrong[] = {
        {.is_null = true}, {.wire = SPB_WIRE_INT, .as.u64 = 3}, {.type = (spb_type)99, .wire = SPB_WIRE_INT}};
    open_node();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const spb_property inner = {.key = spb_str_from("k"), .value = wrong[i]};
        const spb_property_set set = {&inner, 1};
        const spb_property_sets list = {&set, 1};
        ck_assert_int_eq(add_with_property("k", wrong[i]), SPB_ERR_TYPE);
        ck_assert_int_eq(add_with_property("set", spb_property_set_value(&set)), SPB_ERR_TYPE);
        ck_assert_int_eq(add_with_property("list", spb_property_sets_value(&list)), SPB_ERR_TYPE);
    }
    ck_assert_int_eq(add_with_property("k", spb_null(SPB_DOUBLE)), SPB_OK);
    wire_close(&w);
}
END_TEST

static spb_status add_template(const char *name, const spb_template *definition) {
    return spb_session_add_template(w.session, name, definition, w.now, NULL);
}

START_TEST(the_parts_of_a_template_have_names_and_datatypes) {
    const spb_payload_metric wrong[] = {
        {.value = spb_int32(0)},
        {.alias = 7, .has_alias = true, .value = spb_int32(0)},
        {.name = spb_str_from("m"), .value = {.wire = SPB_WIRE_INT}},
        {.name = spb_str_from("m"), .value = {.wire = SPB_WIRE_INT}, .omit_datatype = true},
        {.name = spb_str_from("m"), .value = spb_int32(0), .omit_datatype = true},
    };
    open_node();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const spb_template tmpl = {.is_definition = true, .metrics = &wrong[i], .metric_count = 1};
        ck_assert_int_ne(add_template("T", &tmpl), SPB_OK);
    }
    const spb_payload_metric twice[] = {{.name = spb_str_from("m"), .value = spb_int32(0)},
                                        {.name = spb_str_from("m"), .value = spb_int8(0)}};
    const spb_template double_one = {.is_definition = true, .metrics = twice, .metric_count = 2};
    ck_assert_int_eq(add_template("T", &double_one), SPB_ERR_EXISTS);
    spb_parameter parameter = {.name = spb_str_from("p"), .value = {.is_null = true}};
    const spb_template tmpl = {.is_definition = true, .parameters = &parameter, .parameter_count = 1};
    ck_assert_int_eq(add_template("T", &tmpl), SPB_ERR_TYPE);
    parameter.value = (spb_value){.wire = SPB_WIRE_LONG};
    ck_assert_int_eq(add_template("T", &tmpl), SPB_ERR_TYPE);
    parameter.value = spb_null(SPB_INT32);
    ck_assert_int_eq(add_template("T", &tmpl), SPB_OK);
    wire_close(&w);
}
END_TEST

START_TEST(an_instance_has_the_datatypes_of_its_definition) {
    const spb_payload_metric member = {.name = spb_str_from("m"), .value = spb_int32(0)};
    const spb_parameter parameter = {.name = spb_str_from("p"), .value = spb_string("")};
    const spb_template definition = {
        .is_definition = true, .metrics = &member, .metric_count = 1, .parameters = &parameter, .parameter_count = 1};
    spb_payload_metric parts[] = {member, member};
    spb_parameter told = parameter;
    spb_template instance = {.template_ref = spb_str_from("T"),
                             .metrics = parts,
                             .metric_count = 1,
                             .parameters = &told,
                             .parameter_count = 1};
    spb_metric *metric;
    spb_metric_def def = {.name = "motor", .value = spb_template_value(&instance)};
    open_node();
    ck_assert_int_eq(add_template("T", &definition), SPB_OK);
    parts[0].value = spb_string("0");
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_TYPE);
    parts[0] = member;
    told.value = spb_int32(0);
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_TYPE);
    told = parameter;
    instance.metric_count = 2;
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_EXISTS);
    instance.metric_count = 1;
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    wire_close(&w);
}
END_TEST

START_TEST(what_templates_say_is_text) {
    const spb_str bad = {"\xff", 1};
    spb_payload_metric member = {.name = spb_str_from("rpm"), .value = spb_int32(0)};
    spb_parameter parameter = {.name = spb_str_from("maker"), .value = spb_string("ACME")};
    const spb_template good = {.is_definition = true,
                               .version = spb_str_from("1"),
                               .metrics = &member,
                               .metric_count = 1,
                               .parameters = &parameter,
                               .parameter_count = 1};
    spb_template wrong = good;
    open_node();
    wrong.version = bad;
    ck_assert_int_eq(spb_session_add_template(w.session, "T", &wrong, w.now, NULL), SPB_ERR_NAME);
    parameter.name = bad;
    ck_assert_int_eq(spb_session_add_template(w.session, "T", &good, w.now, NULL), SPB_ERR_NAME);
    parameter.name = (spb_str){0};
    ck_assert_int_eq(spb_session_add_template(w.session, "T", &good, w.now, NULL), SPB_ERR_NAME);
    parameter = (spb_parameter){.name = spb_str_from("photo"), .value = spb_bytes_value("x", 1)};
    ck_assert_int_eq(spb_session_add_template(w.session, "T", &good, w.now, NULL), SPB_ERR_TYPE);
    parameter.value = spb_string("ACME");
    ck_assert_int_eq(spb_session_add_template(w.session, "T", &good, w.now, NULL), SPB_OK);
    spb_template instance = {.template_ref = bad, .metrics = &member, .metric_count = 1};
    spb_metric *metric;
    spb_metric_def def = {.name = "motor", .value = spb_template_value(&instance)};
    ck_assert_int_ne(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    instance.template_ref = spb_str_from("T");
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("conformance");
    tcase_add_test(all, each_kind_has_its_topic);
    tcase_add_test(all, the_will_has_qos_1_all_else_qos_0_and_nothing_is_retained);
    tcase_add_test(all, each_message_says_when_it_was_published);
    tcase_add_test(all, one_sequence_counts_all_messages_but_the_ndeath);
    tcase_add_test(all, an_ndeath_is_a_bdseq_and_nothing_else);
    tcase_add_test(all, a_birth_names_every_metric_with_datatype_and_value);
    tcase_add_test(all, a_birth_gives_each_metric_an_alias_that_no_other_has);
    tcase_add_test(all, a_null_stands_in_a_birth_without_a_value);
    tcase_add_test(all, data_holds_what_changed_by_alias_and_time_and_no_more);
    tcase_add_test(all, what_does_not_change_is_not_sent);
    tcase_add_test(all, commands_are_subscribed_to_before_the_birth);
    tcase_add_test(all, a_command_is_understood_with_and_without_its_timestamps_and_a_seq);
    tcase_add_test(all, an_id_that_no_topic_can_hold_is_refused);
    tcase_add_test(all, a_device_id_is_taken_within_its_node_only);
    tcase_add_test(all, names_that_differ_in_case_are_two_names);
    tcase_add_test(all, quality_is_an_int32_of_three_codes);
    tcase_add_test(all, a_property_without_a_datatype_is_refused);
    tcase_add_test(all, the_parts_of_a_template_have_names_and_datatypes);
    tcase_add_test(all, an_instance_has_the_datatypes_of_its_definition);
    tcase_add_test(all, what_templates_say_is_text);
    Suite *suite = suite_create("conformance");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
