/* Capture files as a whole: the real one, damaged ones, and what the caller may ask for. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "support/suite.h"

static const char path[] = TEST_DATA_DIR "/js-edge.pcap";

typedef struct sums {
    size_t kinds[CAPTURE_CLOSED + 1];
    size_t forwarded, wanted;
    uint64_t last_us;
    char will[64];
    char filters[128];
} sums;

static void keep_filters(sums *s, const capture_subscribe *subscribe) {
    size_t cursor = 0;
    capture_filter filter;
    while (capture_next_filter(subscribe, &cursor, &filter)) {
        size_t used = strlen(s->filters);
        snprintf(s->filters + used, sizeof s->filters - used, "%.*s ", (int)filter.topic.len, filter.topic.data);
    }
}

static bool on_event(const capture_event *e, void *user) {
    sums *s = user;
    s->kinds[e->kind]++;
    s->forwarded += e->kind == CAPTURE_PUBLISH && e->as.publish.is_forwarded;
    ck_assert(e->kind == CAPTURE_GAP || e->time_us >= s->last_us); /* a gap at the end has the time of the last bytes */
    s->last_us = e->time_us > s->last_us ? e->time_us : s->last_us;
    if (e->kind == CAPTURE_CONNECT && e->as.connect.has_will) {
        snprintf(s->will, sizeof s->will, "%.*s qos %d", (int)e->as.connect.will_topic.len,
                 e->as.connect.will_topic.data, e->as.connect.will_qos);
    }
    if (e->kind == CAPTURE_SUBSCRIBE) {
        keep_filters(s, &e->as.subscribe);
    }
    return --s->wanted > 0;
}

static capture_status read_all(int fd, spb_bytes head, const capture_options *options, sums *s, capture_counts *counts,
                               spb_error *err) {
    capture *c;
    size_t wanted = s->wanted > 0 ? s->wanted : SIZE_MAX;
    *s = (sums){.wanted = wanted};
    ck_assert_int_eq(capture_new(&c, fd, head, options, err), SPB_OK);
    capture_status status;
    while ((status = capture_next(c, on_event, s, err)) == CAPTURE_MORE) {
    }
    *counts = *capture_seen(c);
    capture_free(c);
    return status;
}

START_TEST(the_real_capture) {
    int fd = open(path, O_RDONLY);
    sums s = {.wanted = 0};
    capture_counts counts;
    spb_error err;
    ck_assert_int_eq(read_all(fd, (spb_bytes){NULL, 0}, NULL, &s, &counts, &err), CAPTURE_END);
    ck_assert_uint_eq(s.kinds[CAPTURE_CONNECT], 2);
    ck_assert_uint_eq(s.kinds[CAPTURE_CONNACK], 2);
    ck_assert_uint_eq(s.kinds[CAPTURE_SUBSCRIBE], 2);
    ck_assert_uint_eq(s.kinds[CAPTURE_SUBACK], 2);
    ck_assert_uint_eq(s.kinds[CAPTURE_PUBLISH], 109);
    ck_assert_uint_eq(s.forwarded, 55);
    ck_assert_uint_eq(s.kinds[CAPTURE_GAP], 1); /* the subscriber was there before */
    ck_assert_str_eq(s.will, "spBv1.0/Plant1/NDEATH/Press Line 4 qos 0");
    ck_assert_str_eq(s.filters, "spBv1.0/Plant1/NCMD/Press Line 4/# spBv1.0/Plant1/DCMD/Press Line 4/# ");
    ck_assert_uint_eq(counts.packets, 223);
    ck_assert_uint_eq(counts.bytes, 29893);
    ck_assert_uint_eq(counts.mqtt_connections, 3);
    close(fd);
}
END_TEST

START_TEST(what_was_read_before_may_be_handed_in) {
    for (size_t len = 0; len < 3000; len += 37) {
        uint8_t head[3000];
        int fd = open(path, O_RDONLY);
        ck_assert_int_eq(read(fd, head, len), (ssize_t)len);
        sums s = {.wanted = 0};
        capture_counts counts;
        spb_error err;
        ck_assert_int_eq(read_all(fd, (spb_bytes){head, len}, NULL, &s, &counts, &err), CAPTURE_END);
        ck_assert_uint_eq(s.kinds[CAPTURE_PUBLISH], 109);
        close(fd);
    }
}
END_TEST

START_TEST(who_wants_no_more_stops_it) {
    int fd = open(path, O_RDONLY);
    sums s = {.wanted = 5};
    capture_counts counts;
    spb_error err;
    ck_assert_int_eq(read_all(fd, (spb_bytes){NULL, 0}, NULL, &s, &counts, &err), CAPTURE_STOPPED);
    size_t events = 0;
    for (size_t i = 0; i <= CAPTURE_CLOSED; i++) {
        events += s.kinds[i];
    }
    ck_assert_uint_eq(events, 5);
    close(fd);
}
END_TEST

START_TEST(ports_may_be_chosen) {
    for (int is_right = 0; is_right < 2; is_right++) {
        int fd = open(path, O_RDONLY);
        capture_options options = {.ports = {7, is_right ? 1899 : 1883}, .port_count = 2};
        sums s = {.wanted = 0};
        capture_counts counts;
        spb_error err;
        ck_assert_int_eq(read_all(fd, (spb_bytes){NULL, 0}, &options, &s, &counts, &err), CAPTURE_END);
        ck_assert_uint_eq(s.kinds[CAPTURE_PUBLISH], is_right ? 109 : 0);
        close(fd);
    }
}
END_TEST

START_TEST(small_limits_give_up_connections_and_say_so) {
    int fd = open(path, O_RDONLY);
    capture_options options = {.max_connections = 1};
    sums s = {.wanted = 0};
    capture_counts counts;
    spb_error err;
    ck_assert_int_eq(read_all(fd, (spb_bytes){NULL, 0}, &options, &s, &counts, &err), CAPTURE_END);
    ck_assert_uint_gt(counts.given_up, 10);
    close(fd);
}
END_TEST

START_TEST(a_damaged_file_ends_with_a_text) {
    int ends[2];
    uint8_t bytes[4000];
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes, sizeof bytes), (ssize_t)sizeof bytes);
    close(ends[1]);
    sums s = {.wanted = 0};
    capture_counts counts;
    spb_error err = {.status = SPB_OK};
    ck_assert_int_eq(read_all(ends[0], (spb_bytes){NULL, 0}, NULL, &s, &counts, &err), CAPTURE_FAILED);
    ck_assert_int_eq(err.status, SPB_ERR_MALFORMED);
    ck_assert_uint_gt(strlen(err.text), 10);
    ck_assert_uint_gt(s.kinds[CAPTURE_PUBLISH], 0); /* what came before is told */
    close(ends[0]);
    close(fd);
}
END_TEST

START_TEST(what_is_no_capture) {
    int ends[2];
    capture *c = (capture *)&ends;
    spb_error err = {.status = SPB_OK};
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "not a capture at all, but text", 30), 30);
    close(ends[1]);
    ck_assert_int_eq(capture_new(&c, ends[0], (spb_bytes){NULL, 0}, NULL, &err), SPB_ERR_MALFORMED);
    ck_assert_ptr_null(c);
    ck_assert_uint_gt(strlen(err.text), 10);
    close(ends[0]);
}
END_TEST

START_TEST(magic_numbers) {
    static const char *const known[] = {"\xA1\xB2\xC3\xD4", "\xD4\xC3\xB2\xA1", "\xA1\xB2\x3C\x4D", "\x4D\x3C\xB2\xA1",
                                        "\x0A\x0D\x0D\x0A"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        for (size_t len = 0; len <= 4; len++) {
            ck_assert(capture_is_capture((spb_bytes){(const uint8_t *)known[i], len}));
        }
    }
    ck_assert(!capture_is_capture((spb_bytes){(const uint8_t *)"1795", 4}));
    ck_assert(!capture_is_capture((spb_bytes){(const uint8_t *)"\x08\xEF", 2}));
    ck_assert(!capture_is_capture((spb_bytes){(const uint8_t *)"\x0A\x0A", 2}));
}
END_TEST

START_TEST(addresses_as_text) {
    char text[CAPTURE_ADDRESS_SIZE];
    capture_address four = {.family = 4, .bytes = {10, 0, 0, 7}, .port = 1883};
    capture_address six = {.family = 6, .bytes = {0xFE, 0x80, [15] = 1}, .port = 65535};
    ck_assert_uint_eq(capture_address_text(&four, text), strlen("10.0.0.7:1883"));
    ck_assert_str_eq(text, "10.0.0.7:1883");
    ck_assert_uint_eq(capture_address_text(&six, text), strlen("[fe80::1]:65535"));
    ck_assert_str_eq(text, "[fe80::1]:65535");
}
END_TEST

int main(void) {
    TCase *files = tcase_create("files");
    tcase_add_test(files, the_real_capture);
    tcase_add_test(files, what_was_read_before_may_be_handed_in);
    tcase_add_test(files, who_wants_no_more_stops_it);
    tcase_add_test(files, ports_may_be_chosen);
    tcase_add_test(files, small_limits_give_up_connections_and_say_so);
    tcase_add_test(files, a_damaged_file_ends_with_a_text);
    tcase_add_test(files, what_is_no_capture);
    tcase_add_test(files, magic_numbers);
    tcase_add_test(files, addresses_as_text);
    Suite *suite = suite_create("capture");
    suite_add_tcase(suite, files);
    return suite_run(suite);
}
