/* The outbox by itself: a sample is in one block, in one state, from its encoding to the proof of its arrival. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "codec/encode.h"
#include "outbox/outbox.h"
#include "support/suite.h"

static spb_outbox outbox;
static spb_session_options options;
static spb_stats stats;
static spb_notices notices;
static spb_entity *press, *oven;
static int owners[2];
static spb_time now;
static spb_action action;
static spb_outbox_block *sent[8];
static size_t sent_count;
static const spb_block_limits limits = {.full_bytes = 65536, .full_samples = 10000};

static spb_metric_known known(void *context, const spb_entity *entity, uint64_t alias, spb_str name) {
    (void)context, (void)name;
    return alias < 100 && entity->owner ? SPB_METRIC_BORN : SPB_METRIC_GONE;
}

static bool is_kept(void *context, const spb_entity *entity, uint64_t alias, spb_str name) {
    (void)context, (void)entity, (void)alias, (void)name;
    return true;
}

static spb_entity *attach(const char *id, void *owner) {
    spb_entity *entity = spb_outbox__stranger(&outbox, spb_str_from(id));
    ck_assert_ptr_nonnull(entity);
    spb_outbox__attach(entity, owner);
    return entity;
}

static void open_at(spb_delivery level) {
    const spb_outbox_metrics metrics = {.known = known, .is_kept = is_kept};
    options = (spb_session_options)SPB_SESSION_OPTIONS_INIT;
    options.has_journal = level != SPB_DELIVERY_LIVE;
    options.replay_samples_per_s = 0;
    stats = (spb_stats){0};
    notices = (spb_notices){.count = 0};
    now = (spb_time){.mono_ms = 1000, .wall_ms = 1700000000000};
    sent_count = 0;
    spb_outbox__init(&outbox, &options, level, &stats, &notices, &metrics);
    press = attach("Press", &owners[0]);
    oven = attach("Oven", &owners[1]);
}

static void go_online(void) {
    spb_fences__begin(&outbox.fences, 30000, true, true);
    spb_fences__start(&outbox.fences, now.mono_ms);
    spb_outbox__before_births(&outbox, now);
    spb_outbox__born(press);
    spb_outbox__born(oven);
    outbox.may_replay = outbox.may_release = true;
}

static void add(spb_entity *entity, bool is_live, int32_t value) {
    spb_buffer metric = {0};
    const spb_value v = spb_int32(value);
    ck_assert(spb_encode__sample(&metric, 1, now.wall_ms, false, &v));
    ck_assert(spb_outbox__reserve(&outbox, entity, metric.len));
    spb_bytes bytes = {metric.data, metric.len};
    if (is_live) {
        spb_outbox__add_live(entity, bytes, now.wall_ms, false, &limits, now);
    } else {
        spb_outbox__add_history(entity, bytes, now.wall_ms, now);
    }
    spb_buffer__clear(&metric);
}

/* One block of one sample. */
static void add_block(spb_entity *entity, int32_t value) {
    add(entity, true, value);
    spb_outbox__close_live(entity);
}

static bool send_next(void) {
    spb_outbox_block *block = spb_outbox__next_live(&outbox, NULL);
    if (block) {
        ck_assert_ptr_nonnull(spb_block__frame(block, now.wall_ms, 0).data);
        sent[sent_count++] = block;
        spb_outbox__sent(&outbox, block, 100, now);
    }
    return block != NULL;
}

static void fence(void) {
    spb_fence_form form = spb_fences__sent(&outbox.fences, now.mono_ms);
    spb_outbox__fenced(&outbox, form, now);
}

static void wait(uint64_t ms) {
    now.mono_ms += ms;
    now.wall_ms += ms;
    spb_outbox__advance(&outbox, now);
}

/* The next call of the store, as a word with its ids. */
static const char *store_next(void) {
    static char text[64];
    uint64_t due_ms = SPB_NEVER;
    spb_outbox__unpin(&outbox);
    if (!spb_outbox__next_store(&outbox, true, true, now, &action, &due_ms)) {
        return "";
    }
    switch (action.kind) {
    case SPB_ACTION_APPEND:
        snprintf(text, sizeof text, "append %u of %.*s", (unsigned)action.as.block.id,
                 (int)action.as.block.device_id.len, action.as.block.device_id.data);
        spb_outbox__appended(&outbox, action.as.block.id, SPB_OK, NULL, true, now);
        break;
    case SPB_ACTION_COMMIT:
        snprintf(text, sizeof text, "commit");
        spb_outbox__committed(&outbox, SPB_OK, NULL, NULL, now);
        break;
    case SPB_ACTION_CONFIRM:
        snprintf(text, sizeof text, "confirm %u to %u", (unsigned)action.as.confirm.first_id,
                 (unsigned)action.as.confirm.last_id);
        break;
    case SPB_ACTION_KEEP:
        snprintf(text, sizeof text, "keep %u to %u", (unsigned)action.as.keep.first_id,
                 (unsigned)action.as.keep.last_id);
        break;
    default: return "another";
    }
    return text;
}

static void close_it(void) {
    spb_outbox__clear(&outbox);
}

START_TEST(samples_of_a_window_are_one_block_which_becomes_due) {
    open_at(SPB_DELIVERY_LIVE);
    go_online();
    add(press, true, 1);
    add(press, true, 2);
    ck_assert(!send_next());
    ck_assert_uint_eq(spb_outbox__advance_ms(&outbox, true), now.mono_ms + options.batch_window_ms);
    wait(options.batch_window_ms);
    add(press, true, 3); /* it takes more until it leaves */
    ck_assert(send_next());
    ck_assert_uint_eq(stats.samples_published, 3);
    ck_assert(!send_next());
}
END_TEST

START_TEST(entities_take_turns) {
    open_at(SPB_DELIVERY_LIVE);
    go_online();
    add_block(press, 1);
    add_block(press, 2);
    add_block(oven, 3);
    while (send_next()) {
    }
    ck_assert_uint_eq(sent_count, 3);
    ck_assert(sent[0]->entity == press && sent[1]->entity == oven && sent[2]->entity == press);
}
END_TEST

START_TEST(what_was_sent_and_not_confirmed_is_stored_in_its_place_when_the_connection_is_lost) {
    open_at(SPB_DELIVERY_OUTAGE);
    go_online();
    add_block(press, 1);
    ck_assert(send_next());
    add_block(press, 2);
    ck_assert_str_eq(store_next(), "");
    spb_outbox__lost(&outbox, false, now);
    spb_outbox__shelve(press);
    add(press, false, 3);
    spb_outbox__close_history(press);
    ck_assert_ptr_eq(SPB_LINKED(press->unstored.first, spb_outbox_block, of_entity), sent[0]); /* it has not moved */
    ck_assert(sent[0]->kind == SPB_BLOCK_HISTORY && sent[0]->is_doubtful);
    ck_assert_str_eq(store_next(), "append 1 of Press");
    ck_assert_str_eq(store_next(), "append 2 of Press");
    ck_assert_str_eq(store_next(), "append 3 of Press");
    ck_assert_ptr_null(press->unstored.first);
    ck_assert_uint_eq(stats.samples_in_journal, 3);
    ck_assert_uint_eq(outbox.history_bytes, 0);
}
END_TEST

START_TEST(nothing_is_stored_ahead_of_older_samples_that_may_yet_be_lost) {
    open_at(SPB_DELIVERY_OUTAGE);
    go_online();
    add_block(press, 1);
    ck_assert(send_next());
    add(press, false, 2);
    spb_outbox__close_history(press);
    add(oven, false, 3);
    spb_outbox__close_history(oven);
    ck_assert_str_eq(store_next(), "append 1 of Oven"); /* which waits for nobody */
    ck_assert_str_eq(store_next(), "");
    fence();
    ck_assert_str_eq(store_next(), ""); /* it settles */
    wait(options.settle_ms);
    ck_assert_str_eq(store_next(), "append 2 of Press");
}
END_TEST

START_TEST(what_was_confirmed_a_moment_ago_is_stored_when_the_connection_is_lost) {
    open_at(SPB_DELIVERY_OUTAGE);
    go_online();
    add_block(press, 1);
    ck_assert(send_next());
    fence();
    ck_assert_uint_eq(stats.samples_confirmed, 1);
    wait(options.settle_ms - 1);
    spb_outbox__lost(&outbox, false, now);
    ck_assert_str_eq(store_next(), "append 1 of Press");
    ck_assert_uint_eq(stats.samples_reopened, 1);
}
END_TEST

START_TEST(what_has_settled_is_not) {
    open_at(SPB_DELIVERY_OUTAGE);
    go_online();
    add_block(press, 1);
    ck_assert(send_next());
    fence();
    wait(options.settle_ms);
    spb_outbox__lost(&outbox, false, now);
    ck_assert_str_eq(store_next(), "");
    ck_assert_uint_eq(press->blocks, 0);
}
END_TEST

START_TEST(a_connection_that_ends_in_good_order_leaves_nothing_to_settle) {
    open_at(SPB_DELIVERY_OUTAGE);
    go_online();
    add_block(press, 1);
    ck_assert(send_next());
    fence();
    spb_outbox__lost(&outbox, true, now);
    ck_assert_str_eq(store_next(), "");
}
END_TEST

START_TEST(at_the_level_durable_a_block_leaves_when_it_is_committed) {
    open_at(SPB_DELIVERY_DURABLE);
    go_online();
    add_block(press, 1);
    ck_assert(!send_next());
    ck_assert_str_eq(store_next(), "append 1 of Press");
    ck_assert(!send_next());
    ck_assert_str_eq(store_next(), "commit");
    ck_assert(send_next());
    fence();
    wait(options.settle_ms);
    wait(1000);
    ck_assert_str_eq(store_next(), "confirm 1 to 1");
}
END_TEST

START_TEST(what_is_stored_is_read_and_sent_as_historical_when_its_entity_is_born) {
    open_at(SPB_DELIVERY_OUTAGE);
    add(press, false, 1);
    add(oven, false, 2);
    spb_outbox__close_all_history(&outbox);
    ck_assert_str_eq(store_next(), "append 1 of Press");
    spb_outbox__unpin(&outbox);
    const spb_outbox_block *of_oven = SPB_LINKED(oven->unstored.first, spb_outbox_block, of_entity);
    uint8_t bytes[64];
    spb_bytes metrics = spb_block__metrics(of_oven);
    memcpy(bytes, metrics.data, metrics.len);
    spb_block stored = {.id = 2,
                        .device_id = spb_str_from("Oven"),
                        .samples = 1,
                        .first_ms = now.wall_ms,
                        .last_ms = now.wall_ms,
                        .metrics = {bytes, metrics.len}};
    ck_assert_str_eq(store_next(), "append 2 of Oven");
    go_online();
    spb_outbox__died(press);
    uint64_t due_ms = SPB_NEVER;
    ck_assert(spb_outbox__next_read(&outbox, now, &action, &due_ms));
    ck_assert_uint_eq(action.as.read_from_id, 1);
    spb_block other = stored;
    other.id = 1;
    ck_assert(spb_outbox__on_block(&outbox, press, &other, now)); /* put aside */
    ck_assert(spb_outbox__on_block(&outbox, oven, &stored, now));
    spb_outbox__read_done(&outbox, SPB_OK, NULL, now);
    spb_entity *entity = spb_outbox__next_replay(&outbox, false, now, &due_ms);
    ck_assert_ptr_eq(entity, oven);
    spb_replay_message message = {.entity = entity, .most_bytes = 1000};
    spb_buffer payload = {0};
    ck_assert_int_eq(spb_outbox__fill(&outbox, &message, &payload, now), SPB_OK);
    ck_assert_uint_eq(message.samples, 1);
    ck_assert_int_eq(spb_outbox__replayed(&outbox, &message, payload.len, payload.len, now), SPB_OK);
    spb_buffer__clear(&payload);
    ck_assert_ptr_null(spb_outbox__next_replay(&outbox, false, now, &due_ms));
    ck_assert(!spb_outbox__next_read(&outbox, now, &action, &due_ms)); /* nothing is wanted */
    spb_outbox__born(press);
    ck_assert(spb_outbox__next_read(&outbox, now, &action, &due_ms)); /* but now it is */
    ck_assert_uint_eq(action.as.read_from_id, 1);
}
END_TEST

START_TEST(an_entity_outlives_its_owner_for_as_long_as_it_has_blocks) {
    open_at(SPB_DELIVERY_OUTAGE);
    add(press, false, 1);
    spb_outbox__detach(press, &owners[0]);
    int owner;
    ck_assert_ptr_eq(spb_outbox__stranger(&outbox, spb_str_from("Press")), press);
    spb_outbox__attach(press, &owner); /* the next device of that ID goes on behind it */
    add(press, false, 2);
    spb_outbox__close_history(press);
    ck_assert_str_eq(store_next(), "append 1 of Press");
    ck_assert_str_eq(store_next(), "append 2 of Press");
    spb_outbox__unpin(&outbox);
    size_t count = outbox.entity_count;
    spb_outbox__detach(press, &owner);
    ck_assert_uint_eq(outbox.entity_count, count - 1);
}
END_TEST

START_TEST(the_bytes_of_an_action_stay_until_the_next_is_asked_for) {
    open_at(SPB_DELIVERY_LIVE);
    go_online();
    add_block(press, 1);
    spb_outbox_block *block = spb_outbox__next_live(&outbox, NULL);
    spb_bytes payload = spb_block__frame(block, now.wall_ms, 9);
    uint8_t copy[64];
    memcpy(copy, payload.data, payload.len);
    spb_outbox__sent(&outbox, block, payload.len, now);
    fence(); /* it has arrived, and nobody else needs it */
    for (int32_t i = 0; i < 100; i++) {
        add_block(press, i);
    }
    ck_assert_int_eq(memcmp(copy, payload.data, payload.len), 0);
    ck_assert_ptr_eq(outbox.pinned, block);
    spb_outbox__unpin(&outbox);
    ck_assert_ptr_null(outbox.pinned);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("outbox");
    tcase_add_checked_fixture(all, NULL, close_it);
    tcase_add_test(all, samples_of_a_window_are_one_block_which_becomes_due);
    tcase_add_test(all, entities_take_turns);
    tcase_add_test(all, what_was_sent_and_not_confirmed_is_stored_in_its_place_when_the_connection_is_lost);
    tcase_add_test(all, nothing_is_stored_ahead_of_older_samples_that_may_yet_be_lost);
    tcase_add_test(all, what_was_confirmed_a_moment_ago_is_stored_when_the_connection_is_lost);
    tcase_add_test(all, what_has_settled_is_not);
    tcase_add_test(all, a_connection_that_ends_in_good_order_leaves_nothing_to_settle);
    tcase_add_test(all, at_the_level_durable_a_block_leaves_when_it_is_committed);
    tcase_add_test(all, what_is_stored_is_read_and_sent_as_historical_when_its_entity_is_born);
    tcase_add_test(all, an_entity_outlives_its_owner_for_as_long_as_it_has_blocks);
    tcase_add_test(all, the_bytes_of_an_action_stay_until_the_next_is_asked_for);
    Suite *suite = suite_create("outbox");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
