/* Reading captures: formats, records that end in odd places, damage, pipes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/input.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

static int ends[2]; /* of a pipe: to read from, to write to */
static input in;
static input_record record;
static spb_error err;
static int waits;

static void count_wait(void *user) {
    waits++;
    (void)user;
}

static void open_pipe(void) {
    ck_assert_int_eq(pipe(ends), 0);
    waits = 0;
}

static void close_pipe(void) {
    input_clear(&in);
    close(ends[0]);
}

static void feed(const char *text) {
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
}

/* The whole input; short enough for the pipe. */
static void begin(input_format format, const char *text) {
    feed(text);
    close(ends[1]);
    input_init(&in, ends[0], format, NULL, NULL);
}

static input_status next(void) {
    return input_next(&in, &record, &err);
}

static void assert_payload(const char *hex) {
    ck_assert_uint_eq(record.payload.len, strlen(hex) / 2);
    for (size_t i = 0; i < record.payload.len; i++) {
        char pair[3];
        snprintf(pair, sizeof pair, "%02x", record.payload.data[i]);
        ck_assert_mem_eq(pair, hex + 2 * i, 2);
    }
}

typedef struct detection {
    const char *text;
    input_format format;
} detection;

static const detection detections[] = {
    {"1.5\tt\t08\n", INPUT_TSV},   {"\n1.5\tt\t08\n", INPUT_TSV}, {"damaged line\n1.5\tt\t08\n", INPUT_TSV},
    {"0801\n", INPUT_HEX},         {"08 01", INPUT_HEX},          {"080\n", INPUT_HEX},
    {"CAE=\n", INPUT_BASE64},      {"CAH_-w", INPUT_BASE64},      {"\x08\x01", INPUT_RAW},
    {"\x12\x02\n\x01", INPUT_RAW},
};

START_TEST(the_format_is_found) {
    begin(INPUT_AUTO, detections[_i].text);
    (void)next();
    ck_assert_int_eq(in.format, detections[_i].format);
}
END_TEST

START_TEST(lines_of_tsv_have_time_topic_and_payload) {
    begin(INPUT_AUTO, "1795350953.969692589\tspBv1.0/G/NDATA/N\t0801\r\n\n7\ta\tb\t\n");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 1);
    ck_assert(record.has_time);
    ck_assert_uint_eq(record.time_ms, UINT64_C(1795350953969));
    ck_assert(spb_str_equal(record.topic, spb_str_from("spBv1.0/G/NDATA/N")));
    assert_payload("0801");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 3);
    ck_assert_uint_eq(record.time_ms, 7000);
    ck_assert(spb_str_equal(record.topic, spb_str_from("a\tb")));
    ck_assert_uint_eq(record.payload.len, 0);
    ck_assert_int_eq(next(), INPUT_END);
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

typedef struct damage {
    const char *line;
    const char *reason;
    size_t offset;
} damage;

static const damage damages[] = {
    {"1.5\ttopic\t08g1", "not a hex digit", 12},
    {"1.5\ttopic\t0g", "not a hex digit", 11},
    {"1.5\ttopic\t080", "odd number of hex digits", 12},
    {"1.5\ttopic", "not time, topic and payload, with tabs between", SPB_NO_OFFSET},
    {"no tab", "not time, topic and payload, with tabs between", SPB_NO_OFFSET},
    {"x\ttopic\t08", "the time is not a number of seconds", 0},
    {"1.5s\ttopic\t08", "the time is not a number of seconds", 0},
    {"123456789012345\ttopic\t08", "the time is not a number of seconds", 0},
};

START_TEST(a_damaged_line_is_reported_and_the_next_is_read) {
    char text[256];
    snprintf(text, sizeof text, "1\tt\t01\n%s\n3\tt\t03", damages[_i].line);
    begin(INPUT_TSV, text);
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_int_eq(next(), INPUT_BAD);
    ck_assert_uint_eq(record.line, 2);
    ck_assert_str_eq(err.text, damages[_i].reason);
    ck_assert_uint_eq(err.offset, damages[_i].offset);
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 3);
    assert_payload("03");
}
END_TEST

START_TEST(hex_may_have_blanks_and_colons) {
    begin(INPUT_HEX, "08 01\t18:02\n");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert(!record.has_time);
    ck_assert_ptr_null(record.topic.data);
    assert_payload("08011802");
}
END_TEST

START_TEST(each_line_of_hex_is_a_payload) {
    begin(INPUT_HEX, "0801\n\n0802\nxy\n0803");
    ck_assert_int_eq(next(), INPUT_RECORD);
    assert_payload("0801");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 3);
    assert_payload("0802");
    ck_assert_int_eq(next(), INPUT_BAD);
    ck_assert_uint_eq(record.line, 4);
    ck_assert_int_eq(next(), INPUT_RECORD);
    assert_payload("0803");
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

/* 32 bytes: timestamp, a metric of 23 bytes that ends with the first line of xxd -p, seq. */
static const char wrapped[] = "08d280869aa034121510e90718d280869aa034200a699a99999999993540";

START_TEST(a_payload_may_be_broken_into_lines) {
    char text[256];
    snprintf(text, sizeof text, "%s\n1802\n0801\n", wrapped);
    begin(INPUT_AUTO, text);
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 1);
    ck_assert_uint_eq(record.payload.len, 32);
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 3);
    assert_payload("0801");
}
END_TEST

START_TEST(an_empty_line_or_the_end_ends_a_broken_payload) {
    char text[256];
    snprintf(text, sizeof text, "%s\n\n%s", wrapped, wrapped);
    begin(INPUT_HEX, text);
    ck_assert_int_eq(next(), INPUT_RECORD);
    assert_payload(wrapped);
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 3);
    assert_payload(wrapped);
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

START_TEST(payloads_of_just_that_width_stay_apart) {
    char text[256];
    snprintf(text, sizeof text, "%s\n%s\n0803\n", wrapped, wrapped);
    begin(INPUT_HEX, text);
    for (size_t line = 1; line <= 2; line++) {
        ck_assert_int_eq(next(), INPUT_RECORD);
        ck_assert_uint_eq(record.line, line);
        assert_payload(wrapped);
    }
    ck_assert_int_eq(next(), INPUT_RECORD);
    assert_payload("0803");
}
END_TEST

typedef struct base64_example {
    const char *text;
    const char *hex; /* NULL: damaged */
    size_t offset;
} base64_example;

static const base64_example base64_examples[] = {
    {"CAE=", "0801", 0},       {"CAE", "0801", 0}, {"CAH_-w==", "0801fffb", 0},
    {"CAH/+w", "0801fffb", 0}, {"CA==", "08", 0},  {"CAEC ", "080102", 0},
    {"CA*E", NULL, 2},         {"CAECA", NULL, 5}, {"CA=", NULL, 2},
};

START_TEST(base64_is_read_in_its_usual_spellings) {
    const base64_example *e = &base64_examples[_i];
    begin(INPUT_BASE64, e->text);
    ck_assert_int_eq(next(), e->hex ? INPUT_RECORD : INPUT_BAD);
    if (e->hex) {
        assert_payload(e->hex);
    } else {
        ck_assert_uint_eq(err.offset, e->offset);
    }
}
END_TEST

START_TEST(raw_input_is_one_payload) {
    begin(INPUT_AUTO, "\x08\x01\n\x18\x02\n");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_uint_eq(record.line, 0);
    assert_payload("08010a18020a");
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

START_TEST(an_empty_input_holds_nothing_but_raw_an_empty_payload) {
    begin(_i ? INPUT_RAW : INPUT_AUTO, "");
    ck_assert_int_eq(next(), _i ? INPUT_RECORD : INPUT_END);
    ck_assert_uint_eq(record.payload.len, 0);
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

START_TEST(a_line_on_a_pipe_is_read_when_it_is_complete) {
    input_init(&in, ends[0], INPUT_AUTO, count_wait, NULL);
    feed("1\tt\t01\n2\tt\t0");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_int_eq(waits, 0); /* the bytes were there */
    feed("2\n");
    ck_assert_int_eq(next(), INPUT_RECORD);
    assert_payload("02");
    ck_assert_int_eq(waits, 0);
    close(ends[1]);
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

static void feed_and_close(void *user) {
    waits++;
    feed("2\tt\t02\n");
    close(ends[1]);
    (void)user;
}

START_TEST(a_wait_is_announced_before_it_begins) {
    input_init(&in, ends[0], INPUT_TSV, feed_and_close, NULL);
    feed("1\tt\t01\n");
    ck_assert_int_eq(next(), INPUT_RECORD);
    ck_assert_int_eq(waits, 0);
    ck_assert_int_eq(next(), INPUT_RECORD); /* would wait for ever, were it not for the callback */
    ck_assert_int_eq(waits, 1);
    assert_payload("02");
    ck_assert_int_eq(next(), INPUT_END);
}
END_TEST

START_TEST(an_overlong_line_is_skipped_to_its_end) {
    static const char text[] = "short\nlonger than eight bytes\nlast";
    feed(text);
    close(ends[1]);
    reader r;
    spb_str line;
    reader_init(&r, ends[0], NULL, NULL);
    ck_assert_int_eq(reader_line(&r, 8, &line, &err), READER_OK);
    ck_assert_int_eq(reader_line(&r, 8, &line, &err), READER_TOO_LONG);
    ck_assert_uint_eq(r.line, 2);
    ck_assert_int_eq(reader_line(&r, 8, &line, &err), READER_OK);
    ck_assert_uint_eq(r.line, 3);
    ck_assert(spb_str_equal(line, spb_str_from("last")));
    ck_assert_int_eq(reader_line(&r, 8, &line, &err), READER_END);
    reader_clear(&r);
}
END_TEST

START_TEST(an_overlong_last_line_ends_the_input) {
    feed("longer than eight bytes");
    close(ends[1]);
    reader r;
    spb_str line;
    reader_init(&r, ends[0], NULL, NULL);
    ck_assert_int_eq(reader_line(&r, 8, &line, &err), READER_TOO_LONG);
    ck_assert_int_eq(reader_line(&r, 8, &line, &err), READER_END);
    reader_clear(&r);
}
END_TEST

START_TEST(a_failing_read_says_why) {
    close(ends[1]);
    input_init(&in, -1, INPUT_AUTO, NULL, NULL);
    ck_assert_int_eq(next(), INPUT_FAILED);
    ck_assert_int_eq(err.status, SPB_ERR_SYSTEM);
    ck_assert_str_eq(err.text, "Bad file descriptor");
}
END_TEST

START_TEST(formats_have_names) {
    input_format format = INPUT_AUTO;
    close(ends[1]);
    ck_assert(input_format_from_name("base64", &format));
    ck_assert_int_eq(format, INPUT_BASE64);
    ck_assert(!input_format_from_name("json", &format));
}
END_TEST

int main(void) {
    TCase *reading = tcase_create("reading");
    tcase_add_checked_fixture(reading, open_pipe, close_pipe);
    tcase_add_loop_test(reading, the_format_is_found, 0, COUNT_OF(detections));
    tcase_add_test(reading, lines_of_tsv_have_time_topic_and_payload);
    tcase_add_loop_test(reading, a_damaged_line_is_reported_and_the_next_is_read, 0, COUNT_OF(damages));
    tcase_add_test(reading, hex_may_have_blanks_and_colons);
    tcase_add_test(reading, each_line_of_hex_is_a_payload);
    tcase_add_test(reading, a_payload_may_be_broken_into_lines);
    tcase_add_test(reading, an_empty_line_or_the_end_ends_a_broken_payload);
    tcase_add_test(reading, payloads_of_just_that_width_stay_apart);
    tcase_add_loop_test(reading, base64_is_read_in_its_usual_spellings, 0, COUNT_OF(base64_examples));
    tcase_add_test(reading, raw_input_is_one_payload);
    tcase_add_loop_test(reading, an_empty_input_holds_nothing_but_raw_an_empty_payload, 0, 2);
    tcase_add_test(reading, a_line_on_a_pipe_is_read_when_it_is_complete);
    tcase_add_test(reading, a_wait_is_announced_before_it_begins);
    tcase_add_test(reading, an_overlong_line_is_skipped_to_its_end);
    tcase_add_test(reading, an_overlong_last_line_ends_the_input);
    tcase_add_test(reading, a_failing_read_says_why);
    tcase_add_test(reading, formats_have_names);
    Suite *suite = suite_create("input");
    suite_add_tcase(suite, reading);
    return suite_run(suite);
}
