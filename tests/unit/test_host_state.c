/* The JSON of STATE messages: tck-id-host-topic-phid-birth-payload, tck-id-host-topic-phid-death-payload. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/topic.h>

#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

static spb_bytes bytes_of(const char *text) {
    return (spb_bytes){(const uint8_t *)text, strlen(text)};
}

typedef struct example {
    const char *json;
    bool online;
    uint64_t timestamp_ms;
} example;

static const example examples[] = {
    {"{\"online\":true,\"timestamp\":1668114759262}", true, 1668114759262},
    {"{\"online\":false,\"timestamp\":1668114759262}", false, 1668114759262},
    /* it is JSON, not a text: order, white space, further keys, escapes */
    {"{\"timestamp\":5,\"online\":true}", true, 5},
    {" \t\r\n{ \"online\" : false ,\n\t\"timestamp\" : 7 } \n", false, 7},
    {"{\"online\":true,\"timestamp\":1,\"name\":\"x\\u0000\\\"}{[\",\"more\":{\"online\":false,\"a\":[1.5,null]}}",
     true, 1},
    {"{\"\\u006fnline\":true,\"timestamp\":1}", true, 1},
    /* the limits of the number */
    {"{\"online\":true,\"timestamp\":0}", true, 0},
    {"{\"online\":true,\"timestamp\":9223372036854775807}", true, INT64_MAX},
};

START_TEST(a_state_is_read) {
    const example *e = &examples[_i];
    spb_host_state state;
    spb_error err;
    ck_assert_msg(spb_host_state_parse(&state, bytes_of(e->json), &err) == SPB_OK, "%s", err.text);
    ck_assert(state.online == e->online);
    ck_assert_uint_eq(state.timestamp_ms, e->timestamp_ms);
}
END_TEST

typedef struct refusal {
    const char *json;
    const char *reason;
} refusal;

static const refusal refusals[] = {
    {"", "STATE payload is empty"},
    {"ONLINE", "STATE payload is not JSON"}, /* of Sparkplug 2 */
    {"{\"online\":true,\"timestamp\":1", "STATE payload is not JSON"},
    {"{\"online\":true,\"timestamp\":1} x", "STATE payload is not JSON"},
    {"{\"online\":true,\"timestamp\":1}{}", "STATE payload is not JSON"},
    {"{'online':true,'timestamp':1}", "STATE payload is not JSON"},
    {"{\"online\":true,\"timestamp\":1,\"n\":\"\xff\"}", "STATE payload is not JSON"},
    {"{\"online\":true,\"timestamp\":01}", "STATE payload is not JSON"},
    {"[true,1]", "STATE payload is not a JSON object"},
    {"{\"timestamp\":1}", "STATE payload without \"online\""},
    {"{\"Online\":true,\"timestamp\":1}", "STATE payload without \"online\""},
    {"{\"a\":{\"online\":true},\"timestamp\":1}", "STATE payload without \"online\""},
    {"{\"online\":1,\"timestamp\":1}", "\"online\" of the STATE payload is not a boolean"},
    {"{\"online\":\"true\",\"timestamp\":1}", "\"online\" of the STATE payload is not a boolean"},
    {"{\"online\":null,\"timestamp\":1}", "\"online\" of the STATE payload is not a boolean"},
    {"{\"online\":true}", "STATE payload without \"timestamp\""},
    {"{\"online\":true,\"timestamp\":\"1\"}", "\"timestamp\" of the STATE payload is not an integer"},
    {"{\"online\":true,\"timestamp\":1.0}", "\"timestamp\" of the STATE payload is not an integer"},
    {"{\"online\":true,\"timestamp\":1e3}", "\"timestamp\" of the STATE payload is not an integer"},
    {"{\"online\":true,\"timestamp\":-1}", "\"timestamp\" of the STATE payload is not 0 or more"},
    {"{\"online\":true,\"timestamp\":9223372036854775808}", "STATE payload has a number that is too large"},
    /* a key that stands twice says two things: neither is believed */
    {"{\"online\":true,\"timestamp\":1,\"online\":false}", "STATE payload has the same key twice"},
    {"{\"online\":true,\"timestamp\":1,\"timestamp\":1}", "STATE payload has the same key twice"},
};

START_TEST(what_is_no_state_is_refused_with_reason) {
    const refusal *r = &refusals[_i];
    spb_host_state state = {true, 42};
    spb_error err;
    ck_assert_int_eq(spb_host_state_parse(&state, bytes_of(r->json), &err), SPB_ERR_MALFORMED);
    ck_assert_str_eq(err.text, r->reason);
    ck_assert(state.online && state.timestamp_ms == 42); /* untouched */
    ck_assert_int_eq(spb_host_state_parse(&state, bytes_of(r->json), NULL), SPB_ERR_MALFORMED);
}
END_TEST

START_TEST(broken_json_is_named_by_its_place) {
    spb_host_state state;
    spb_error err;
    ck_assert_int_eq(spb_host_state_parse(&state, bytes_of("{\"online\":maybe}"), &err), SPB_ERR_MALFORMED);
    ck_assert_uint_ge(err.offset, 10);
    ck_assert_uint_le(err.offset, 15);
}
END_TEST

/* A valid state, made longer with blanks. */
static spb_status parse_of_size(size_t size) {
    static char json[5000];
    memset(json, ' ', sizeof json);
    memcpy(json, "{\"online\":true,\"timestamp\":1}", 29);
    spb_host_state state;
    return spb_host_state_parse(&state, (spb_bytes){(const uint8_t *)json, size}, NULL);
}

START_TEST(four_kib_are_read_and_no_byte_more) {
    ck_assert_int_eq(parse_of_size(4096), SPB_OK);
    ck_assert_int_eq(parse_of_size(4097), SPB_ERR_LIMIT);
}
END_TEST

/* A valid state with `depth` levels, the outer object included. */
static spb_status parse_of_depth(size_t depth) {
    char json[4096] = "{\"online\":true,\"timestamp\":1,\"x\":";
    size_t len = strlen(json);
    memset(json + len, '[', depth - 1);
    memset(json + len + depth - 1, ']', depth - 1);
    strcpy(json + len + 2 * (depth - 1), "}");
    spb_host_state state;
    return spb_host_state_parse(&state, bytes_of(json), NULL);
}

START_TEST(nesting_is_bounded) {
    ck_assert_int_eq(parse_of_depth(32), SPB_OK);
    ck_assert_int_eq(parse_of_depth(33), SPB_ERR_LIMIT);
    ck_assert_int_eq(parse_of_depth(2000), SPB_ERR_LIMIT);
}
END_TEST

START_TEST(brackets_side_by_side_or_in_texts_are_no_nesting) {
    char json[4096] = "{\"online\":true,\"timestamp\":1,\"x\":\"\\\"";
    memset(json + strlen(json), '[', 100);
    strcat(json, "\",\"y\":[");
    for (int i = 0; i < 100; i++) {
        strcat(json, "[],");
    }
    strcat(json, "[]]}");
    spb_host_state state;
    ck_assert_int_eq(spb_host_state_parse(&state, bytes_of(json), NULL), SPB_OK);
}
END_TEST

START_TEST(a_state_is_written_and_read_again) {
    spb_host_state states[] = {{true, 1668114759262}, {false, 0}, {false, INT64_MAX}};
    for (int i = 0; i < COUNT_OF(states); i++) {
        char buffer[64];
        size_t len = 0;
        ck_assert_int_eq(spb_host_state_format(&states[i], buffer, sizeof buffer, &len, NULL), SPB_OK);
        ck_assert_uint_eq(len, strlen(buffer));
        spb_host_state again;
        ck_assert_int_eq(spb_host_state_parse(&again, bytes_of(buffer), NULL), SPB_OK);
        ck_assert(again.online == states[i].online);
        ck_assert_uint_eq(again.timestamp_ms, states[i].timestamp_ms);
    }
}
END_TEST

START_TEST(sixty_four_bytes_always_suffice) {
    char buffer[64];
    spb_host_state longest = {false, UINT64_MAX};
    ck_assert_int_eq(spb_host_state_format(&longest, buffer, sizeof buffer, NULL, NULL), SPB_OK);
    ck_assert_str_eq(buffer, "{\"online\":false,\"timestamp\":18446744073709551615}");
}
END_TEST

START_TEST(a_small_buffer_is_refused_to_the_byte) {
    char buffer[30] = "before"; /* {"online":true,"timestamp":1} and its NUL */
    spb_host_state state = {true, 1};
    ck_assert_int_eq(spb_host_state_format(&state, buffer, 29, NULL, NULL), SPB_ERR_LIMIT);
    ck_assert_str_eq(buffer, "before");
    ck_assert_int_eq(spb_host_state_format(&state, buffer, 30, NULL, NULL), SPB_OK);
    ck_assert_str_eq(buffer, "{\"online\":true,\"timestamp\":1}");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("host_state");
    tcase_add_loop_test(tests, a_state_is_read, 0, COUNT_OF(examples));
    tcase_add_loop_test(tests, what_is_no_state_is_refused_with_reason, 0, COUNT_OF(refusals));
    tcase_add_test(tests, broken_json_is_named_by_its_place);
    tcase_add_test(tests, four_kib_are_read_and_no_byte_more);
    tcase_add_test(tests, nesting_is_bounded);
    tcase_add_test(tests, brackets_side_by_side_or_in_texts_are_no_nesting);
    tcase_add_test(tests, a_state_is_written_and_read_again);
    tcase_add_test(tests, sixty_four_bytes_always_suffice);
    tcase_add_test(tests, a_small_buffer_is_refused_to_the_byte);
    Suite *suite = suite_create("host_state");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
