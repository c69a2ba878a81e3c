/* The window: how much may be under way, by what the answers to fences have shown. */
#include <check.h>
#include <stdlib.h>

#include "outbox/window.h"
#include "support/suite.h"

#define MOST ((size_t)1024 * 1024)

static spb_window window;
static uint64_t now_ms;

static void begin(uint64_t trip_ms) {
    now_ms = 1000;
    spb_window__begin(&window, MOST, trip_ms);
}

/* A link of so many bytes a second, with so long a way there and back, and all that a replay may send under way all the
 * time: one fence of it. */
static uint64_t fill(size_t bytes_per_s, uint64_t trip_ms) {
    size_t bytes = spb_window__replay_bytes(&window);
    uint64_t sent_ms = now_ms, took_ms = bytes * 1000 / bytes_per_s;
    took_ms = took_ms > trip_ms ? took_ms : trip_ms;
    now_ms += took_ms;
    spb_window__answered(&window, bytes, sent_ms, now_ms);
    return took_ms;
}

START_TEST(without_a_ceiling_there_is_no_window) {
    spb_window__begin(&window, 0, 10);
    spb_window__answered(&window, 1000, 0, 100000);
    ck_assert_uint_eq(spb_window__replay_bytes(&window), SIZE_MAX);
    ck_assert_uint_eq(spb_window__live_bytes(&window), SIZE_MAX);
    ck_assert_uint_eq(spb_window__part(&window, 65536), 65536);
    ck_assert_uint_eq(spb_window__time_ms(&window, 65536), 0);
}
END_TEST

/* Wherever it begins, a full window is carried in one to two seconds soon, and the link is never idle. */
START_TEST(a_fence_comes_back_within_two_seconds_on_any_link) {
    static const size_t rates[] = {1200, 8000, 32000, 125000};
    static const uint64_t trips_ms[] = {5, 50, 600};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (size_t k = 0; k < sizeof trips_ms / sizeof *trips_ms; k++) {
            begin(trips_ms[k]);
            for (int round = 0; round < 10; round++) {
                fill(rates[i], trips_ms[k]);
            }
            ck_assert_uint_le(fill(rates[i], trips_ms[k]), 2000);
            ck_assert_uint_ge(spb_window__replay_bytes(&window), rates[i] * (trips_ms[k] + 700) / 1000);
        }
    }
}
END_TEST

START_TEST(on_a_fast_link_it_grows_to_the_ceiling_in_a_few_rounds) {
    begin(0);
    for (int round = 0; round < 8; round++) {
        now_ms += fill(100000000, 0);
    }
    ck_assert_uint_eq(spb_window__replay_bytes(&window), MOST);
    ck_assert_uint_eq(spb_window__part(&window, 65536), 65536);
}
END_TEST

START_TEST(it_doubles_and_halves_once_in_a_round_at_most) {
    begin(0);
    size_t before = spb_window__replay_bytes(&window);
    now_ms += 1;
    spb_window__answered(&window, 100000, now_ms - 1, now_ms);
    ck_assert_uint_eq(spb_window__replay_bytes(&window), 2 * before);
    spb_window__answered(&window, 100000, now_ms - 1, now_ms + 1); /* sent before that was known */
    ck_assert_uint_eq(spb_window__replay_bytes(&window), 2 * before);
    now_ms += 60000;
    spb_window__answered(&window, 100, now_ms - 50000, now_ms);
    ck_assert_uint_eq(spb_window__replay_bytes(&window), before);
}
END_TEST

/* Little data with a quick answer says nothing against a large window. */
START_TEST(a_link_that_is_not_busy_keeps_its_window) {
    begin(50);
    for (int round = 0; round < 10; round++) {
        fill(1000000, 50);
    }
    size_t before = spb_window__replay_bytes(&window);
    for (int i = 0; i < 100; i++) {
        now_ms += 1000;
        spb_window__answered(&window, 10, now_ms - 60, now_ms);
    }
    ck_assert_uint_eq(spb_window__replay_bytes(&window), before);
}
END_TEST

START_TEST(a_link_that_becomes_slow_is_followed) {
    begin(50);
    for (int round = 0; round < 10; round++) {
        fill(1000000, 50);
    }
    for (int round = 0; round < 12; round++) {
        fill(8000, 50);
    }
    ck_assert_uint_le(fill(8000, 50), 2000);
}
END_TEST

/* A birth is sent whatever the window says, and its fence is the first that shows something. */
START_TEST(a_large_birth_shows_what_the_link_carries) {
    begin(50);
    now_ms += 75000;
    spb_window__answered(&window, 600000, now_ms - 75000, now_ms);
    ck_assert_uint_ge(spb_window__replay_bytes(&window), 6000);
    ck_assert_uint_le(spb_window__replay_bytes(&window), 8000);
    ck_assert_uint_ge(spb_window__time_ms(&window, 8000), 900);
    ck_assert_uint_le(spb_window__time_ms(&window, 8000), 1200);
}
END_TEST

START_TEST(live_data_has_half_as_much_on_top_and_messages_are_a_quarter) {
    begin(50);
    ck_assert_uint_eq(spb_window__replay_bytes(&window), 4096);
    ck_assert_uint_eq(spb_window__live_bytes(&window), 6144);
    ck_assert_uint_eq(spb_window__part(&window, 65536), 1024);
    ck_assert_uint_eq(spb_window__part(&window, 100), 100);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("window");
    tcase_add_test(all, without_a_ceiling_there_is_no_window);
    tcase_add_test(all, a_fence_comes_back_within_two_seconds_on_any_link);
    tcase_add_test(all, on_a_fast_link_it_grows_to_the_ceiling_in_a_few_rounds);
    tcase_add_test(all, it_doubles_and_halves_once_in_a_round_at_most);
    tcase_add_test(all, a_link_that_is_not_busy_keeps_its_window);
    tcase_add_test(all, a_link_that_becomes_slow_is_followed);
    tcase_add_test(all, a_large_birth_shows_what_the_link_carries);
    tcase_add_test(all, live_data_has_half_as_much_on_top_and_messages_are_a_quarter);
    Suite *suite = suite_create("window");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
