/* Which messages were seen before: of a publisher, one or many subscribers, in any combination. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/forward.h"
#include "support/suite.h"

static forward *table;
static uint64_t now_us;

static void begin(void) {
    table = forward_new();
    ck_assert_ptr_nonnull(table);
    now_us = UINT64_C(1700000000000000);
}

static void end(void) {
    forward_free(table);
}

static bool see(uint64_t connection, capture_direction direction, uint16_t server_port, const char *topic,
                const char *text, bool is_duplicate) {
    capture_address server = {.family = 4, .bytes = {10, 0, 0, 9}, .port = server_port};
    capture_event e = {.kind = CAPTURE_PUBLISH,
                       .direction = direction,
                       .time_us = now_us,
                       .connection = connection,
                       .server = &server};
    e.as.publish.topic = spb_str_from(topic);
    e.as.publish.payload = (spb_bytes){(const uint8_t *)text, strlen(text)};
    e.as.publish.is_duplicate = is_duplicate;
    return forward_is_known(table, &e);
}

static bool published(uint64_t connection, const char *text) {
    return see(connection, CAPTURE_FROM_CLIENT, 1883, "a/b", text, false);
}

static bool delivered(uint64_t connection, const char *text) {
    return see(connection, CAPTURE_TO_CLIENT, 1883, "a/b", text, false);
}

START_TEST(a_published_message_is_new_and_its_copies_are_not) {
    ck_assert(!published(1, "x"));
    for (uint64_t subscriber = 2; subscriber < 50; subscriber++) {
        ck_assert(delivered(subscriber, "x"));
    }
}
END_TEST

START_TEST(without_the_publisher_the_first_subscriber_has_the_new_one) {
    ck_assert(!delivered(2, "x"));
    ck_assert(delivered(3, "x"));
    ck_assert(delivered(4, "x"));
}
END_TEST

START_TEST(a_copy_that_was_captured_first_is_the_one_that_counts) {
    ck_assert(!delivered(2, "x"));
    ck_assert(published(1, "x"));
}
END_TEST

START_TEST(the_same_content_again_is_a_further_message) {
    for (int i = 0; i < 5; i++) {
        ck_assert(!published(1, "x"));
        ck_assert(delivered(2, "x"));
        ck_assert(delivered(3, "x"));
    }
    ck_assert(!delivered(3, "x")); /* of a publisher that was not captured */
    ck_assert(delivered(2, "x"));
}
END_TEST

START_TEST(several_publishers_are_counted_together) {
    ck_assert(!published(1, "x"));
    ck_assert(!published(2, "x"));
    ck_assert(delivered(3, "x"));
    ck_assert(delivered(3, "x"));
    ck_assert(!delivered(3, "x"));
}
END_TEST

START_TEST(a_subscriber_may_lag_behind) {
    for (int i = 0; i < 4; i++) {
        ck_assert(!published(1, "x"));
    }
    for (int i = 0; i < 4; i++) {
        now_us += 1000000;
        ck_assert(delivered(2, "x"));
    }
}
END_TEST

START_TEST(after_a_while_it_is_another_message) {
    ck_assert(!published(1, "x"));
    now_us += 31 * 1000000;
    ck_assert(!delivered(2, "x"));
    ck_assert(delivered(3, "x"));
}
END_TEST

START_TEST(other_topics_payloads_and_servers_are_other_messages) {
    ck_assert(!published(1, "x"));
    ck_assert(!delivered(2, "y"));
    ck_assert(!see(2, CAPTURE_TO_CLIENT, 1883, "a/c", "x", false));
    ck_assert(!see(2, CAPTURE_TO_CLIENT, 1884, "a/b", "x", false));
    ck_assert(!see(2, CAPTURE_TO_CLIENT, 1883, "a/bx", "", false));
}
END_TEST

START_TEST(a_message_that_was_sent_again) {
    ck_assert(!published(1, "x"));
    ck_assert(see(1, CAPTURE_FROM_CLIENT, 1883, "a/b", "x", true));
    ck_assert(delivered(2, "x"));
    ck_assert(!see(1, CAPTURE_FROM_CLIENT, 1883, "a/b", "never seen", true));
}
END_TEST

START_TEST(many_messages_push_out_the_oldest_and_nothing_else) {
    char text[32];
    int wrong = 0; /* counted, as a check of each would take far more time */
    for (int i = 0; i < 500000; i++) {
        snprintf(text, sizeof text, "%d", i);
        wrong += published(1, text);
        wrong += !delivered(2, text);
        wrong += !delivered(3, text);
        now_us += 100;
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(void) {
    TCase *messages = tcase_create("messages");
    tcase_add_checked_fixture(messages, begin, end);
    tcase_add_test(messages, a_published_message_is_new_and_its_copies_are_not);
    tcase_add_test(messages, without_the_publisher_the_first_subscriber_has_the_new_one);
    tcase_add_test(messages, a_copy_that_was_captured_first_is_the_one_that_counts);
    tcase_add_test(messages, the_same_content_again_is_a_further_message);
    tcase_add_test(messages, several_publishers_are_counted_together);
    tcase_add_test(messages, a_subscriber_may_lag_behind);
    tcase_add_test(messages, after_a_while_it_is_another_message);
    tcase_add_test(messages, other_topics_payloads_and_servers_are_other_messages);
    tcase_add_test(messages, a_message_that_was_sent_again);
    tcase_add_test(messages, many_messages_push_out_the_oldest_and_nothing_else);
    Suite *suite = suite_create("forward");
    suite_add_tcase(suite, messages);
    return suite_run(suite);
}
