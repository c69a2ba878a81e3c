/* The mailbox: what comes out, in which order, and what happens when too much is posted. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node/clock.h"
#include "node/mailbox.h"
#include "support/deadline.h"
#include "support/suite.h"

static spb_mailbox mailbox;

static void setup(void) {
    ck_assert_int_eq(spb_mailbox__init(&mailbox, NULL), SPB_OK);
}

static void teardown(void) {
    spb_mailbox__clear(&mailbox);
}

static void post(spb_transport_event_kind kind, uint32_t link, uint32_t count) {
    spb_mailbox__post(&mailbox, &(spb_transport_event){.kind = kind, .link = link, .count = count});
}

static void post_message(const char *topic, const void *payload, size_t len) {
    spb_mailbox__post(&mailbox, &(spb_transport_event){.kind = SPB_TRANSPORT_MESSAGE,
                                                       .link = 1,
                                                       .topic = spb_str_from(topic),
                                                       .payload = {.data = payload, .len = len}});
}

/* Waits for a reason to wake up, and fails the test when there is none. */
static void wait_for(uint32_t published_wanted) {
    uint64_t deadline_ms = spb_clock__now().mono_ms + DEADLINE_S * 1000;
    spb_mailbox__wait(&mailbox, published_wanted, deadline_ms);
    ck_assert_msg(spb_clock__now().mono_ms < deadline_ms, "nothing has ended the wait within %d s", DEADLINE_S);
}

START_TEST(empty_mailbox_gives_nothing) {
    spb_transport_event event;
    ck_assert(!spb_mailbox__take(&mailbox, &event));
    ck_assert_uint_eq(spb_mailbox__take_dropped(&mailbox), 0);
}
END_TEST

START_TEST(acknowledgements_are_added_up_and_come_before_the_end_of_the_link) {
    spb_transport_event event;
    post(SPB_TRANSPORT_PUBLISHED, 3, 1);
    post(SPB_TRANSPORT_PUBLISHED, 3, 41);
    post(SPB_TRANSPORT_LOST, 3, 0);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_PUBLISHED);
    ck_assert_uint_eq(event.link, 3);
    ck_assert_uint_eq(event.count, 42);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_LOST);
    ck_assert(!spb_mailbox__take(&mailbox, &event));
}
END_TEST

START_TEST(acknowledgements_of_an_older_link_do_not_count_for_the_next) {
    spb_transport_event event;
    post(SPB_TRANSPORT_PUBLISHED, 3, 7);
    post(SPB_TRANSPORT_PUBLISHED, 4, 1);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_uint_eq(event.link, 4);
    ck_assert_uint_eq(event.count, 1);
}
END_TEST

START_TEST(events_are_copied_and_keep_their_order) {
    spb_transport_event event;
    char topic[] = "a/b", payload[] = "\x01\x00\x02", reason[] = "no route";
    post(SPB_TRANSPORT_CONNECTED, 1, 0);
    post_message(topic, payload, 3);
    spb_mailbox__post(
        &mailbox,
        &(spb_transport_event){.kind = SPB_TRANSPORT_LOST, .link = 1, .status = SPB_ERR_CONNECT, .reason = reason});
    memset(topic, 'x', sizeof topic - 1);
    memset(payload, 'x', sizeof payload - 1);
    memset(reason, 'x', sizeof reason - 1);

    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_CONNECTED);
    ck_assert_ptr_null(event.reason);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_MESSAGE);
    ck_assert(spb_str_equal(event.topic, spb_str_from("a/b")));
    ck_assert_uint_eq(event.payload.len, 3);
    ck_assert_mem_eq(event.payload.data, "\x01\x00\x02", 3);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.status, SPB_ERR_CONNECT);
    ck_assert_str_eq(event.reason, "no route");
}
END_TEST

START_TEST(long_reasons_are_cut) {
    spb_transport_event event;
    char reason[1000];
    memset(reason, 'r', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    spb_mailbox__post(&mailbox, &(spb_transport_event){.kind = SPB_TRANSPORT_LOST, .reason = reason});
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_uint_eq(strlen(event.reason), sizeof((spb_letter *)0)->reason - 1);
}
END_TEST

static size_t take_messages(void) {
    spb_transport_event event;
    size_t count = 0;
    while (spb_mailbox__take(&mailbox, &event)) {
        count += event.kind == SPB_TRANSPORT_MESSAGE;
    }
    return count;
}

START_TEST(a_flood_of_messages_is_bounded_and_counted_and_leaves_room_for_notices) {
    for (int i = 0; i < SPB_MAILBOX_MAX_MESSAGES + 5; i++) {
        post_message("t", "p", 1);
    }
    post(SPB_TRANSPORT_LOST, 1, 0);
    ck_assert_uint_eq(spb_mailbox__take_dropped(&mailbox), 5);
    ck_assert_uint_eq(spb_mailbox__take_dropped(&mailbox), 0);
    ck_assert_uint_eq(take_messages(), SPB_MAILBOX_MAX_MESSAGES);
    /* There is room again. */
    post_message("t", "p", 1);
    ck_assert_uint_eq(take_messages(), 1);
}
END_TEST

START_TEST(bytes_are_bounded_too) {
    size_t half = SPB_MAILBOX_MAX_BYTES / 2;
    char *large = calloc(1, SPB_MAILBOX_MAX_BYTES);
    ck_assert_ptr_nonnull(large);
    post_message("t", large, SPB_MAILBOX_MAX_BYTES); /* alone too large, with its topic */
    post_message("t", large, half - sizeof(spb_letter) - 1);
    post_message("t", large, half - sizeof(spb_letter) - 1);
    post_message("t", large, 1000);
    free(large);
    ck_assert_uint_eq(spb_mailbox__take_dropped(&mailbox), 2);
    ck_assert_uint_eq(take_messages(), 2);
}
END_TEST

START_TEST(notices_are_bounded) {
    spb_transport_event event;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SPB_MAILBOX_NOTICES + 1; i++) {
            post(SPB_TRANSPORT_SUBSCRIBED, 1, 0);
        }
        ck_assert_uint_eq(spb_mailbox__take_dropped(&mailbox), 1);
        for (int i = 0; i < SPB_MAILBOX_NOTICES; i++) {
            ck_assert(spb_mailbox__take(&mailbox, &event));
        }
        ck_assert(!spb_mailbox__take(&mailbox, &event));
    }
}
END_TEST

START_TEST(what_is_left_is_freed) {
    spb_transport_event event;
    post_message("t", "p", 1);
    post_message("t", "p", 1);
    ck_assert(spb_mailbox__take(&mailbox, &event)); /* and teardown clears: leak checkers look */
}
END_TEST

START_TEST(a_wake_before_the_wait_is_not_lost) {
    spb_transport_event event;
    spb_mailbox__wake(&mailbox);
    wait_for(1);
    ck_assert(!spb_mailbox__take(&mailbox, &event));
    post(SPB_TRANSPORT_PUBLISHED, 1, 1);
    wait_for(1);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_PUBLISHED);
    uint64_t deadline_ms = spb_clock__now().mono_ms + 30;
    spb_mailbox__wait(&mailbox, 1, deadline_ms); /* nothing is left to end it before */
    ck_assert_uint_ge(spb_clock__now().mono_ms, deadline_ms);
}
END_TEST

START_TEST(nobody_waits_while_there_is_something_to_take) {
    spb_transport_event event;
    post(SPB_TRANSPORT_CONNECTED, 1, 0);
    post(SPB_TRANSPORT_LOST, 1, 0);
    wait_for(1);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    wait_for(1);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_LOST);
}
END_TEST

START_TEST(a_few_reports_wake_nobody_who_wants_more) {
    post(SPB_TRANSPORT_PUBLISHED, 1, 2);
    uint64_t deadline_ms = spb_clock__now().mono_ms + 30;
    spb_mailbox__wait(&mailbox, 3, deadline_ms);
    ck_assert_uint_ge(spb_clock__now().mono_ms, deadline_ms);
    post(SPB_TRANSPORT_PUBLISHED, 1, 1);
    wait_for(3);
    spb_transport_event event;
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_uint_eq(event.count, 3);
}
END_TEST

/* More of them may be under way than there is room for notices; and a flood of messages does not hold them up. */
START_TEST(answers_to_fences_are_added_up_and_go_ahead_of_messages) {
    spb_transport_event event;
    post(SPB_TRANSPORT_FENCED, 1, 0); /* of a link that is no more */
    post_message("t", "p", 1);
    for (int i = 0; i < 1000; i++) {
        post(SPB_TRANSPORT_FENCED, 2, 0);
    }
    post(SPB_TRANSPORT_LOST, 2, 0);
    for (int i = 0; i < 1000; i++) {
        ck_assert(spb_mailbox__take(&mailbox, &event));
        ck_assert_int_eq(event.kind, SPB_TRANSPORT_FENCED);
        ck_assert_uint_eq(event.link, 2);
    }
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_MESSAGE);
    ck_assert(spb_mailbox__take(&mailbox, &event));
    ck_assert_int_eq(event.kind, SPB_TRANSPORT_LOST);
    ck_assert(!spb_mailbox__take(&mailbox, &event));
    ck_assert_uint_eq(spb_mailbox__take_dropped(&mailbox), 0);
}
END_TEST

static void *post_from_thread(void *context) {
    (void)context;
    for (int i = 0; i < 1000; i++) {
        post(SPB_TRANSPORT_PUBLISHED, 1, 1);
        post_message("t", "p", 1);
    }
    return NULL;
}

START_TEST(each_answer_to_a_fence_has_its_form) {
    spb_transport_event event;
    for (int i = 0; i < 2; i++) {
        for (int form = SPB_FENCE_FORMS; form-- > 0;) {
            spb_mailbox__post(&mailbox, &(spb_transport_event){
                                            .kind = SPB_TRANSPORT_FENCED, .link = 1, .fence = (spb_fence_form)form});
        }
    }
    unsigned seen[SPB_FENCE_FORMS] = {0};
    for (int i = 0; i < 2 * SPB_FENCE_FORMS; i++) {
        ck_assert(spb_mailbox__take(&mailbox, &event));
        ck_assert_int_eq(event.kind, SPB_TRANSPORT_FENCED);
        seen[event.fence]++;
    }
    for (int form = 0; form < SPB_FENCE_FORMS; form++) {
        ck_assert_uint_eq(seen[form], 2);
    }
    ck_assert(!spb_mailbox__take(&mailbox, &event));
    spb_mailbox__post(&mailbox, &(spb_transport_event){
                                    .kind = SPB_TRANSPORT_FENCED, .link = 1, .fence = (spb_fence_form)SPB_FENCE_FORMS});
    ck_assert(!spb_mailbox__take(&mailbox, &event)); /* of a transport that means something else */
}
END_TEST

START_TEST(several_threads_may_post) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_from_thread, NULL), 0);
    }
    uint64_t published = 0, messages = 0;
    while (published < 3000 || messages < 3000) {
        spb_transport_event event;
        wait_for(1);
        while (spb_mailbox__take(&mailbox, &event)) {
            published += event.kind == SPB_TRANSPORT_PUBLISHED ? event.count : 0;
            messages += event.kind == SPB_TRANSPORT_MESSAGE;
        }
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(published, 3000);
    ck_assert_uint_eq(messages, 3000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mailbox");
    TCase *tests = tcase_create("mailbox");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, empty_mailbox_gives_nothing);
    tcase_add_test(tests, acknowledgements_are_added_up_and_come_before_the_end_of_the_link);
    tcase_add_test(tests, acknowledgements_of_an_older_link_do_not_count_for_the_next);
    tcase_add_test(tests, events_are_copied_and_keep_their_order);
    tcase_add_test(tests, long_reasons_are_cut);
    tcase_add_test(tests, a_flood_of_messages_is_bounded_and_counted_and_leaves_room_for_notices);
    tcase_add_test(tests, bytes_are_bounded_too);
    tcase_add_test(tests, notices_are_bounded);
    tcase_add_test(tests, what_is_left_is_freed);
    tcase_add_test(tests, a_wake_before_the_wait_is_not_lost);
    tcase_add_test(tests, nobody_waits_while_there_is_something_to_take);
    tcase_add_test(tests, a_few_reports_wake_nobody_who_wants_more);
    tcase_add_test(tests, answers_to_fences_are_added_up_and_go_ahead_of_messages);
    tcase_add_test(tests, each_answer_to_a_fence_has_its_form);
    tcase_add_test(tests, several_threads_may_post);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
