/* TCP streams put together again: any order, repetition, overlap and loss. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/stream.h"
#include "support/suite.h"

enum { FIRST = 1000 }; /* sequence number of the first byte */

static heap memory;
static stream s;
static char got[4096]; /* what came out; a hole of n bytes is "(n)" */
static size_t got_len;
static uint64_t now_us;
static uint64_t packet;

static void on_bytes(void *user, spb_bytes bytes, stamp at) {
    (void)user;
    (void)at;
    ck_assert_uint_lt(got_len + bytes.len, sizeof got);
    memcpy(got + got_len, bytes.data, bytes.len);
    got_len += bytes.len;
    got[got_len] = '\0';
}

static void on_hole(void *user, uint64_t lost_bytes, stamp at) {
    (void)user;
    (void)at;
    got_len += (size_t)snprintf(got + got_len, sizeof got - got_len, "(%u)", (unsigned)lost_bytes);
}

static const stream_sink sink = {on_bytes, on_hole, NULL};

static void begin(void) {
    memory = (heap){0};
    s = (stream){.has_begun = false};
    got_len = 0;
    got[0] = '\0';
    now_us = 1000000;
    packet = 0;
}

static void end(void) {
    stream_clear(&s, &memory);
    ck_assert_uint_eq(memory.used, 0);
}

static stream_result push_flags(uint32_t seq, const char *data, uint8_t flags) {
    stamp at = {now_us, ++packet};
    segment g = {.seq = seq, .flags = flags, .data = {(const uint8_t *)data, strlen(data)}, .data_bytes = strlen(data)};
    stream_result result = stream_push(&s, &memory, &g, at, &sink);
    stream_pass(&s, &memory, at, &sink);
    return result;
}

/* `place` in the stream. */
static stream_result push(int place, const char *data) {
    return push_flags((uint32_t)(FIRST + place), data, SEGMENT_ACK);
}

static void pass(int count) {
    for (int i = 0; i < count; i++) {
        stream_pass(&s, &memory, (stamp){now_us, ++packet}, &sink);
    }
}

START_TEST(in_order) {
    stream_begin(&s, FIRST - 1);
    ck_assert(push(0, "abc") == STREAM_NEW);
    ck_assert(push(3, "def") == STREAM_NEW);
    ck_assert_str_eq(got, "abcdef");
}
END_TEST

START_TEST(early_segments_wait) {
    stream_begin(&s, FIRST - 1);
    ck_assert(push(6, "ghi") == STREAM_EARLY);
    ck_assert(push(3, "def") == STREAM_EARLY);
    ck_assert(push(9, "jkl") == STREAM_EARLY);
    ck_assert_str_eq(got, "");
    ck_assert(push(0, "abc") == STREAM_NEW);
    ck_assert_str_eq(got, "abcdefghijkl");
}
END_TEST

START_TEST(what_was_there_before_does_not_come_again) {
    stream_begin(&s, FIRST - 1);
    push(0, "abc");
    ck_assert(push(0, "abc") == STREAM_REPEATED);
    ck_assert(push(2, "c") == STREAM_REPEATED); /* as a keep-alive probe */
    ck_assert(push(1, "bcde") == STREAM_NEW);
    ck_assert_str_eq(got, "abcde");
}
END_TEST

START_TEST(waiting_segments_may_overlap) {
    stream_begin(&s, FIRST - 1);
    push(4, "efgh");
    push(2, "cdefg");
    push(5, "fghijk");
    push(4, "ef");
    push(0, "abc");
    ck_assert_str_eq(got, "abcdefghijk");
}
END_TEST

START_TEST(numbers_wrap_around) {
    stream_begin(&s, UINT32_MAX - 3);
    push_flags(1, "efg", SEGMENT_ACK);
    push_flags(UINT32_MAX - 2, "abcd", SEGMENT_ACK);
    ck_assert_str_eq(got, "abcdefg");
}
END_TEST

START_TEST(an_acknowledged_hole_is_lost_after_some_packets) {
    stream_begin(&s, FIRST - 1);
    push(0, "abc");
    push(5, "fgh");
    pass(100);
    ck_assert_str_eq(got, "abc"); /* the other side does not have it either: it will come again */
    stream_acknowledge(&s, FIRST + 8);
    pass(20);
    ck_assert_str_eq(got, "abc"); /* the capture may have mixed up the order */
    push(3, "d");
    ck_assert_str_eq(got, "abcd");
    pass(40);
    ck_assert_str_eq(got, "abcd(1)fgh");
}
END_TEST

START_TEST(without_acknowledgements_the_time_decides) {
    stream_begin(&s, FIRST - 1);
    push(0, "abc");
    push(5, "fgh");
    now_us += 9000000;
    pass(100);
    ck_assert_str_eq(got, "abc");
    now_us += 2000000;
    pass(1);
    ck_assert_str_eq(got, "abc(2)fgh");
}
END_TEST

START_TEST(several_holes_are_given_up_one_after_the_other) {
    stream_begin(&s, FIRST - 1);
    push(2, "c");
    push(4, "e");
    push(6, "g");
    stream_acknowledge(&s, FIRST + 7);
    pass(200);
    ck_assert_str_eq(got, "(2)c(1)e(1)g");
}
END_TEST

START_TEST(the_end_gives_up_all_holes) {
    stream_begin(&s, FIRST - 1);
    push(2, "c");
    push(4, "e");
    stream_end(&s, &memory, &sink);
    ck_assert_str_eq(got, "(2)c(1)e");
}
END_TEST

START_TEST(in_the_middle_the_first_segment_is_the_beginning) {
    push(700, "abc");
    push(703, "d");
    ck_assert(!s.is_from_start);
    ck_assert_str_eq(got, "abcd");
}
END_TEST

START_TEST(in_the_middle_an_acknowledgement_may_tell_of_an_earlier_one) {
    stream_acknowledge(&s, FIRST + 700);
    push(703, "def");
    push(700, "abc");
    ck_assert_str_eq(got, "abcdef");
}
END_TEST

START_TEST(the_end_is_reached_in_order) {
    stream_begin(&s, FIRST - 1);
    push_flags(FIRST + 3, "d", SEGMENT_ACK | SEGMENT_FIN);
    ck_assert(!s.is_finished);
    push(0, "abc");
    ck_assert(s.is_finished);
    ck_assert_str_eq(got, "abcd");
    ck_assert(push(4, "e") == STREAM_REPEATED); /* there is nothing behind it */
    ck_assert_str_eq(got, "abcd");
}
END_TEST

START_TEST(what_the_capture_cut_off_is_a_hole) {
    stream_begin(&s, FIRST - 1);
    segment g = {.seq = FIRST, .data = {(const uint8_t *)"abc", 3}, .data_bytes = 10};
    ck_assert(stream_push(&s, &memory, &g, (stamp){1, 1}, &sink) == STREAM_NEW);
    push(10, "k");
    ck_assert_str_eq(got, "abc(7)k");
    g.seq = FIRST + 15;
    ck_assert(stream_push(&s, &memory, &g, (stamp){1, 2}, &sink) == STREAM_EARLY);
    push(11, "lmno");
    ck_assert_str_eq(got, "abc(7)klmnoabc(7)");
}
END_TEST

static void ignore_bytes(void *user, spb_bytes bytes, stamp at) {
    (void)user;
    (void)bytes;
    (void)at;
}

static void count_hole(void *user, uint64_t lost_bytes, stamp at) {
    (void)at;
    *(uint64_t *)user += lost_bytes;
}

/* Segments of `len` bytes behind a hole of one byte each; the holes that were given up. */
static uint64_t fill(size_t len, int count) {
    static uint8_t large[60000];
    uint64_t lost = 0;
    stream_sink counting = {ignore_bytes, count_hole, &lost};
    stream_begin(&s, FIRST - 1);
    for (int i = 0; i < count; i++) {
        segment g = {.seq = (uint32_t)(FIRST + 1 + i * (int)(len + 1)), .data = {large, len}, .data_bytes = len};
        (void)stream_push(&s, &memory, &g, (stamp){now_us, ++packet}, &counting);
    }
    return lost;
}

START_TEST(the_bytes_that_wait_are_bounded) {
    uint64_t lost = fill(60000, 300); /* 18 MB */
    ck_assert_uint_le(memory.used, (4u << 20) + 70000);
    ck_assert_uint_gt(lost, 200);
}
END_TEST

START_TEST(the_segments_that_wait_are_bounded) {
    uint64_t lost = fill(1, 10000);
    ck_assert_uint_le(s.waiting_count, 4096);
    ck_assert_uint_gt(lost, 5000);
}
END_TEST

int main(void) {
    TCase *streams = tcase_create("streams");
    tcase_add_checked_fixture(streams, begin, end);
    tcase_add_test(streams, in_order);
    tcase_add_test(streams, early_segments_wait);
    tcase_add_test(streams, what_was_there_before_does_not_come_again);
    tcase_add_test(streams, waiting_segments_may_overlap);
    tcase_add_test(streams, numbers_wrap_around);
    tcase_add_test(streams, an_acknowledged_hole_is_lost_after_some_packets);
    tcase_add_test(streams, without_acknowledgements_the_time_decides);
    tcase_add_test(streams, several_holes_are_given_up_one_after_the_other);
    tcase_add_test(streams, the_end_gives_up_all_holes);
    tcase_add_test(streams, in_the_middle_the_first_segment_is_the_beginning);
    tcase_add_test(streams, in_the_middle_an_acknowledgement_may_tell_of_an_earlier_one);
    tcase_add_test(streams, the_end_is_reached_in_order);
    tcase_add_test(streams, what_the_capture_cut_off_is_a_hole);
    tcase_add_test(streams, the_bytes_that_wait_are_bounded);
    tcase_add_test(streams, the_segments_that_wait_are_bounded);
    Suite *suite = suite_create("stream");
    suite_add_tcase(suite, streams);
    return suite_run(suite);
}
