/* Payloads to JSON and back: the same bytes, for everything that the format has; and what is wrong in hand-made JSON.
 */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/json_message.h"
#include "cli/json_record.h"
#include "support/hex.h"
#include "support/random_payload.h"
#include "support/suite.h"
#include "support/vectors.h"

enum { SEEDS = 1500 };

static json_tree tree;
static pool memory;
static spb_error err;
static out to;
static FILE *scratch;

static void begin(void) {
    scratch = tmpfile();
    ck_assert_ptr_nonnull(scratch);
    out_init(&to, fileno(scratch));
}

static void end(void) {
    fclose(scratch);
    json_tree_clear(&tree);
    pool_clear(&memory);
}

/* ---- there and back ---- */

/* The message as `spb decode --json` writes it; to be freed. */
static char *json_of(const message *m) {
    ck_assert_int_eq(ftruncate(fileno(scratch), 0), 0);
    ck_assert_int_eq(lseek(fileno(scratch), 0, SEEK_SET), 0);
    json_message_write(&to, m);
    out_char(&to, '\0');
    out_flush(&to);
    off_t len = lseek(fileno(scratch), 0, SEEK_END);
    char *text = malloc((size_t)len);
    ck_assert_int_eq(pread(fileno(scratch), text, (size_t)len, 0), len);
    return text;
}

static json_record read_record(const char *text) {
    json_record record;
    pool_reset(&memory);
    spb_status status = json_tree_parse(&tree, spb_str_from(text), &err);
    status = status == SPB_OK ? json_record_read(&record, &tree, &memory, &err) : status;
    ck_assert_msg(status == SPB_OK, "%s in %s", err.text, text);
    return record;
}

static void assert_comes_back(const message *m, spb_bytes wire) {
    char *text = json_of(m);
    json_record record = read_record(text);
    spb_bytes again;
    ck_assert_msg(json_record_encode(&record, &memory, &again, &err) == SPB_OK, "%s in %s", err.text, text);
    ck_assert_msg(again.len == wire.len && memcmp(again.data, wire.data, wire.len) == 0, "other bytes by %s", text);
    free(text);
}

/* A message with all that births tell of its metrics. */
static void assert_payload_comes_back(spb_bytes wire, const birth_scope *scope) {
    spb_payload *payload;
    ck_assert_msg(spb_payload_decode(&payload, wire, NULL, &err) == SPB_OK, "%s", err.text);
    metric_view *views = calloc(payload->metric_count + 1, sizeof *views);
    for (size_t i = 0; i < payload->metric_count; i++) {
        (void)births_view(scope, &payload->metrics[i], &views[i], &err);
    }
    const message m = {.payload = payload, .metrics = views, .metric_count = payload->metric_count, .remark = ""};
    assert_comes_back(&m, wire);
    free(views);
    spb_payload_free(payload);
}

/* A NaN has no bits in JSON: all become the same one. */
static void settle_nans(const spb_payload_metric *metrics, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const spb_value *value = &metrics[i].value;
        if (value->is_null) {
            continue;
        }
        for (size_t j = 0; value->type == SPB_FLOAT_ARRAY && j < value->as.array.count; j++) {
            float *item = (float *)(uintptr_t)value->as.array.items + j;
            *item = isnan(*item) ? NAN : *item;
        }
        for (size_t j = 0; value->type == SPB_DOUBLE_ARRAY && j < value->as.array.count; j++) {
            double *item = (double *)(uintptr_t)value->as.array.items + j;
            *item = isnan(*item) ? (double)NAN : *item;
        }
        if (value->type == SPB_TEMPLATE) {
            settle_nans(value->as.tmpl->metrics, value->as.tmpl->metric_count);
        }
    }
}

static spb_bytes encode(const spb_payload *payload) {
    uint8_t *bytes;
    size_t len;
    ck_assert_msg(spb_payload_encode(payload, NULL, &bytes, &len, &err) == SPB_OK, "%s", err.text);
    return (spb_bytes){bytes, len};
}

START_TEST(payloads_of_every_shape_come_back) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        spb_payload payload = random_payload(arena, seed);
        settle_nans(payload.metrics, payload.metric_count);
        payload.compression = (spb_compression)(seed % 7 < 3 ? seed % 7 : 0);
        spb_bytes wire = encode(&payload);
        assert_payload_comes_back(wire, NULL);
        spb_free((void *)(uintptr_t)wire.data);
        spb_arena__free(arena);
    }
}
END_TEST

/* Data without names and datatypes, of which a birth tells: what the birth told is not sent. */
START_TEST(what_births_tell_is_not_sent) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        spb_payload payload = random_payload(arena, seed);
        settle_nans(payload.metrics, payload.metric_count);
        spb_payload *birth;
        spb_bytes wire = encode(&payload);
        ck_assert_int_eq(spb_payload_decode(&birth, wire, NULL, &err), SPB_OK);
        spb_free((void *)(uintptr_t)wire.data);
        births *all = births_new();
        spb_topic topic;
        ck_assert_int_eq(spb_topic_parse(&topic, spb_str_from("spBv1.0/g/NBIRTH/n"), &err), SPB_OK);
        birth_scope *scope = births_scope(all, &topic);
        ck_assert(births_learn(scope, birth));
        for (size_t i = 0; i < payload.metric_count; i++) {
            spb_payload_metric *metric = (spb_payload_metric *)(uintptr_t)&payload.metrics[i];
            metric->omit_datatype = (seed + i) % 2 == 0;
            metric->name = metric->has_alias && (seed + i) % 3 > 0 ? (spb_str){0} : metric->name;
            metric->properties = (seed + i) % 5 == 0 ? NULL : metric->properties;
        }
        wire = encode(&payload);
        assert_payload_comes_back(wire, (seed / 2) % 2 == 0 ? scope : NULL);
        spb_free((void *)(uintptr_t)wire.data);
        births_free(all);
        spb_arena__free(arena);
    }
}
END_TEST

static void add_hex(char *text, const char *more) {
    strcat(text, more);
}

START_TEST(vectors_come_back) {
    vectors all = vectors_load();
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.items[i];
        static char text[1 << 12];
        size_t len = strlen(v->wire) / 2 + 4; /* alias 7, datatype */
        snprintf(text, sizeof text, "12%02zx100720%02x", len, (unsigned)v->value.type);
        add_hex(text, v->wire);
        spb_bytes wire = hex_bytes(text);
        ck_assert_uint_lt(len, 128);
        assert_payload_comes_back(wire, NULL);
        free((void *)(uintptr_t)wire.data);
    }
    ck_assert_uint_gt(all.count, 100);
    vectors_free(&all);
}
END_TEST

START_TEST(a_unit_of_the_birth_is_not_sent) {
    const spb_property unit = {spb_str_from("engUnit"), spb_string("°C")};
    const spb_property_set set = {&unit, 1};
    const spb_payload_metric born = {.name = spb_str_from("t"), .value = spb_double(1), .properties = &set};
    spb_payload_metric sent = {.name = spb_str_from("t"), .value = spb_double(2), .omit_datatype = true};
    const metric_view view = {
        .metric = &sent, .birth = &born, .name = sent.name, .unit = spb_str_from("°C"), .value = sent.value};
    const spb_payload payload = {.metrics = &sent, .metric_count = 1};
    const message m = {.payload = &payload, .metrics = &view, .metric_count = 1, .remark = ""};
    char *text = json_of(&m);
    ck_assert_str_eq(text, "{\"metrics\":[{\"name\":\"t\",\"type\":\"Double\",\"unit\":\"°C\",\"from_birth\":[\"type\","
                           "\"unit\"],\"value\":2}]}\n");
    spb_bytes wire = encode(&payload);
    assert_comes_back(&m, wire);
    spb_free((void *)(uintptr_t)wire.data);
    free(text);
}
END_TEST

START_TEST(a_state_comes_back) {
    const char *text = "{\"time\":1000,\"topic\":\"spBv1.0/STATE/h\",\"kind\":\"STATE\",\"host\":\"h\","
                       "\"online\":true,\"timestamp\":5}";
    json_record record = read_record(text);
    spb_bytes bytes;
    ck_assert(record.is_state && record.has_time && record.time_ms == 1000);
    ck_assert_int_eq(json_record_encode(&record, &memory, &bytes, &err), SPB_OK);
    ck_assert_uint_eq(bytes.len, strlen("{\"online\":true,\"timestamp\":5}"));
    ck_assert_mem_eq(bytes.data, "{\"online\":true,\"timestamp\":5}", bytes.len);
}
END_TEST

START_TEST(a_topic_is_made_of_its_parts) {
    json_record record = read_record("{\"kind\":\"DCMD\",\"group\":\"g\",\"node\":\"n\",\"device\":\"d\"}");
    ck_assert(spb_str_equal(record.topic, spb_str_from("spBv1.0/g/DCMD/n/d")));
    record = read_record("{\"kind\":\"NDATA\",\"topic\":\"spBv1.0/g/NDATA/n\"}");
    ck_assert(spb_str_equal(record.topic, spb_str_from("spBv1.0/g/NDATA/n")));
    record = read_record("{}");
    ck_assert_ptr_null(record.topic.data);
}
END_TEST

/* ---- what is wrong ---- */

#define METRIC(rest) "{\"metrics\":[{\"name\":\"a\"," rest "}]}"

static const struct {
    const char *text, *wanted;
} wrong[] = {
    {"[]", "an object is wanted, not an array"},
    {"{\"seq\":256}", "seq: 256 does not fit seq, from 0 to 255"},
    {"{\"seq\":-1}", "seq: -1 does not fit seq, from 0 to 255"},
    {"{\"seq\":1,\"seq\":1}", "seq: stands here twice"},
    {"{\"sek\":1}", "sek: no such key; there is time, topic, kind"},
    {"{\"timestamp\":1.5}", "timestamp: 1.5 is not an integer"},
    {"{\"timestamp\":18446744073709551616}", "timestamp: 18446744073709551616 does not fit"},
    {"{\"kind\":\"XDATA\"}", "kind: no kind of message"},
    {"{\"group\":\"g\"}", "kind: missing"},
    {"{\"kind\":\"NDATA\",\"group\":\"g\"}", "kind: "},
    {"{\"topic\":\"spBv1.0/g/NDATA/n\",\"node\":\"m\"}", "node: not what the topic says"},
    {"{\"topic\":\"a/b\"}", "topic: "},
    {"{\"online\":true}", "online: is only in a STATE message"},
    {"{\"topic\":\"spBv1.0/STATE/h\",\"online\":true}", "timestamp: missing in a STATE message"},
    {"{\"topic\":\"spBv1.0/STATE/h\",\"online\":true,\"timestamp\":1,\"seq\":1}", "seq: is not in a STATE"},
    {"{\"compression\":\"LZ4\"}", "compression: there is DEFLATE and GZIP"},
    {"{\"body\":\"???\"}", "body: not a base64 digit"},
    {"{\"metrics\":{}}", "metrics: an array is wanted, not an object"},
    {"{\"metrics\":[{\"type\":\"Int8\",\"value\":1}]}", "metrics[0]: a metric needs a name, or an alias"},
    {METRIC("\"value\":1"), "metrics[0].type: missing"},
    {METRIC("\"type\":\"Int\",\"value\":1"), "metrics[0].type: there is no datatype Int"},
    {METRIC("\"type\":\"Int8\",\"value\":128"), "metrics[0].value: 128 does not fit Int8, from -128 to 127"},
    {METRIC("\"type\":\"UInt8\",\"value\":-1"), "metrics[0].value: -1 does not fit UInt8, from 0 to 255"},
    {METRIC("\"type\":\"Int64\",\"value\":9223372036854775808"), "metrics[0].value: 9223372036854775808 does not fit"},
    {METRIC("\"type\":\"Int8\",\"value\":\"1\""), "metrics[0].value: an integer is wanted (Int8), not a string"},
    {METRIC("\"type\":\"Float\",\"value\":1e39"), "metrics[0].value: too large for Float"},
    {METRIC("\"type\":\"Double\",\"value\":\"nan\""), "metrics[0].value: a number, \"NaN\""},
    {METRIC("\"type\":\"Boolean\",\"value\":1"), "metrics[0].value: a boolean is wanted, not a number"},
    {METRIC("\"type\":\"String\",\"value\":1"), "metrics[0].value: a string is wanted, not a number"},
    {METRIC("\"type\":\"Int8\""), "metrics[0].value: missing; without one there is is_null: true"},
    {METRIC("\"type\":\"Int8\",\"is_null\":true,\"value\":1"), "metrics[0].is_null: true, and there is a value"},
    {METRIC("\"type\":\"Unknown\",\"value\":1"), "metrics[0].field: missing"},
    {METRIC("\"type\":\"Unknown\",\"field\":\"x\",\"value\":1"), "metrics[0].field: no field"},
    {METRIC("\"type\":\"Unknown\",\"field\":\"int_value\",\"value\":4294967296"), "metrics[0].value: 4294967296 does"},
    {METRIC("\"type\":\"Int8\",\"field\":\"int_value\",\"value\":1"), "metrics[0].field: stands only beside"},
    {METRIC("\"type\":\"Int8\",\"type_number\":99,\"value\":1"), "metrics[0].type_number: stands only beside"},
    {METRIC("\"type\":\"Int8\",\"value\":1,\"unit\":\"m\""), "metrics[0].unit: is not sent by itself"},
    {METRIC("\"type\":\"Int8\",\"value\":1,\"from_birth\":[\"value\"]"), "metrics[0].from_birth[0]: there is name"},
    {METRIC("\"type\":\"Int8\",\"value\":1,\"from_birth\":[\"name\"]"), "metrics[0]: a metric needs a name, or an"},
    {METRIC("\"type\":\"Int8Array\",\"value\":[1,200]"), "metrics[0].value[1]: 200 does not fit Int8"},
    {METRIC("\"type\":\"StringArray\",\"value\":[\"a\\u0000b\"]"), "metrics[0].value[0]: a NUL"},
    {METRIC("\"type\":\"DataSet\",\"value\":{\"columns\":[]}"),
     "metrics[0].value: a DataSet is {columns, types, rows}"},
    {METRIC("\"type\":\"DataSet\",\"value\":{\"columns\":[\"a\"],\"types\":[],\"rows\":[]}"),
     "metrics[0].value.types: 0 types, but there are 1 columns"},
    {METRIC("\"type\":\"DataSet\",\"value\":{\"columns\":[\"a\"],\"types\":[\"Int8\"],\"rows\":[[1],[]]}"),
     "metrics[0].value.rows[1]: 0 cells, but there are 1 columns"},
    {METRIC("\"type\":\"DataSet\",\"value\":{\"columns\":[\"a\"],\"types\":[\"Int8\"],\"rows\":[[\"x\"]]}"),
     "metrics[0].value.rows[0][0]: an integer is wanted"},
    {METRIC("\"type\":\"Template\",\"value\":{\"metrics\":[{\"name\":\"b\",\"type\":\"Int8\",\"value\":true}]}"),
     "metrics[0].value.metrics[0].value: an integer is wanted (Int8), not a boolean"},
    {METRIC("\"type\":\"Template\",\"value\":{\"parameters\":[{\"name\":\"b\",\"type\":\"Int8\"}]}"),
     "metrics[0].value.parameters[0].value: missing"},
    {METRIC("\"type\":\"Int8\",\"value\":1,\"properties\":{\"q\":{\"type\":\"Int8\",\"value\":\"x\"}}"),
     "metrics[0].properties.q.value: an integer is wanted (Int8), not a string"},
    {METRIC("\"type\":\"Int8\",\"value\":1,\"metadata\":{\"size\":\"x\"}"), "metrics[0].metadata.size: an integer"},
};

START_TEST(what_is_wrong_is_named_with_its_path) {
    json_record record;
    ck_assert_int_eq(json_tree_parse(&tree, spb_str_from(wrong[_i].text), &err), SPB_OK);
    ck_assert_int_ne(json_record_read(&record, &tree, &memory, &err), SPB_OK);
    ck_assert_msg(strncmp(err.text, wrong[_i].wanted, strlen(wrong[_i].wanted)) == 0, "%s: %s", wrong[_i].text,
                  err.text);
    ck_assert_uint_lt(err.offset, strlen(wrong[_i].text));
}
END_TEST

/* What only the encoder knows is wrong. */
START_TEST(what_the_encoder_refuses_is_told) {
    json_record record = read_record(METRIC("\"type\":\"Template\",\"value\":{\"metrics\":[]}"));
    spb_bytes bytes;
    ck_assert_int_ne(json_record_encode(&record, &memory, &bytes, &err), SPB_OK);
    ck_assert_ptr_nonnull(strstr(err.text, "an instance must name its definition"));
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("json_record");
    tcase_add_checked_fixture(cases, begin, end);
    tcase_add_test(cases, payloads_of_every_shape_come_back);
    tcase_add_test(cases, what_births_tell_is_not_sent);
    tcase_add_test(cases, vectors_come_back);
    tcase_add_test(cases, a_unit_of_the_birth_is_not_sent);
    tcase_add_test(cases, a_state_comes_back);
    tcase_add_test(cases, a_topic_is_made_of_its_parts);
    tcase_add_loop_test(cases, what_is_wrong_is_named_with_its_path, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(cases, what_the_encoder_refuses_is_told);
    tcase_set_timeout(cases, 110);
    Suite *suite = suite_create("json_record");
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
