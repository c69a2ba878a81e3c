/* Decides how the messages of a story are made: with protobuf-c, as an edge node would send them. */
#include "chaos/story.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct story story;

static void open_with(const verdict_options *options) {
    story.account = calloc(1, sizeof *story.account);
    ck_assert_ptr_nonnull(story.account);
    story.account->metrics = STORY_METRICS;
    story.account->per_holder = STORY_PER_HOLDER;
    chaos_account_begin(story.account);
    story.judge = verdict_new(story.account, options, NULL);
    story.seq = 0;
    story.life = 0;
}

void story_open(void) {
    open_with(&(verdict_options){.max_resent_bytes = 1000});
}

void story_reopen(const verdict_options *options) {
    story_close();
    open_with(options);
}

void story_close(void) {
    verdict_free(story.judge);
    free(story.account);
}

void story_accept(uint64_t count) {
    for (unsigned metric = 0; metric < STORY_METRICS; metric++) {
        story.account->life[story.life].slots[metric].attempted = count;
        story.account->life[story.life].slots[metric].accepted = count;
    }
}

void story_begin(void) {
    spb__pb__payload__init(&story.payload);
    story.payload.has_timestamp = true;
    story.payload.timestamp = STORY_NOW_MS;
    story.payload.metrics = story.pointers;
}

static Spb__Pb__Payload__Metric *add_item(void) {
    ck_assert_uint_lt(story.payload.n_metrics, STORY_MAX_ITEMS);
    Spb__Pb__Payload__Metric *item = &story.items[story.payload.n_metrics];
    story.pointers[story.payload.n_metrics++] = item;
    spb__pb__payload__metric__init(item);
    return item;
}

static Spb__Pb__Payload__Metric *add_long(const char *name, uint64_t value) {
    Spb__Pb__Payload__Metric *item = add_item();
    item->name = (char *)name;
    item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_LONG_VALUE;
    item->long_value = value;
    return item;
}

Spb__Pb__Payload__Metric *story_add_sample(unsigned metric, uint64_t number) {
    Spb__Pb__Payload__Metric *item = add_item();
    chaos_sample sample = {metric, number, STORY_NOW_MS - 21, STORY_NOW_MS - 21, STORY_NOW_MS - 21};
    char *text = story.texts[story.payload.n_metrics - 1];
    item->has_alias = item->has_timestamp = true;
    item->alias = metric + 10;
    item->timestamp = sample.own_ms;
    switch (chaos_form_of(metric)) {
    case CHAOS_INTEGER:
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_LONG_VALUE;
        item->long_value = chaos_encode(&sample);
        break;
    case CHAOS_REAL:
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_DOUBLE_VALUE;
        item->double_value = (double)chaos_encode(&sample);
        break;
    case CHAOS_CLOCKED:
        item->timestamp = STORY_NOW_MS - 20;
        chaos_write_text(&sample, text);
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_STRING_VALUE;
        item->string_value = text;
        break;
    }
    return item;
}

/* As a birth has it; `number` VERDICT_NONE: null. */
static Spb__Pb__Payload__Metric *add_born(unsigned metric, int64_t number) {
    Spb__Pb__Payload__Metric *item = story_add_sample(metric, (uint64_t)number);
    char *name = story.names[story.payload.n_metrics - 1];
    chaos_metric_name(metric, name);
    item->name = name;
    if (number == VERDICT_NONE) {
        item->has_is_null = item->is_null = true;
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE__NOT_SET;
    }
    return item;
}

static void hear(const char *kind, unsigned holder) {
    static uint8_t bytes[8192];
    char topic[256], device[CHAOS_TEXT];
    chaos_device_name(holder, device);
    snprintf(topic, sizeof topic, "spBv1.0/" CHAOS_GROUP "/%s/" CHAOS_NODE "%s%s", kind, holder > 0 ? "/" : "",
             holder > 0 ? device : "");
    size_t len = spb__pb__payload__pack(&story.payload, bytes);
    verdict_hear(story.judge,
                 &(chaos_record){.time_ms = STORY_NOW_MS, .topic = topic, .payload = bytes, .payload_len = len});
}

void story_mark(const char *text) {
    verdict_hear(story.judge, &(chaos_record){.time_ms = STORY_NOW_MS, .is_mark = true, .topic = text});
}

void story_hear(const char *kind, unsigned holder) {
    story.payload.has_seq = true;
    story.payload.seq = story.seq;
    story.seq = (story.seq + 1) & 255;
    hear(kind, holder);
}

void story_begin_birth(unsigned holder, int64_t number) {
    story_begin();
    for (unsigned i = 0; i < STORY_PER_HOLDER; i++) {
        add_born(holder * STORY_PER_HOLDER + i, number);
    }
}

void story_nbirth(uint64_t bdseq, int64_t number) {
    story_begin_birth(0, number);
    add_long("bdSeq", bdseq);
    add_long(CHAOS_LIFE, story.life);
    story.seq = 0;
    story_hear("NBIRTH", 0);
}

void story_dbirth(int64_t number) {
    story_begin_birth(1, number);
    story_hear("DBIRTH", 1);
}

void story_births(uint64_t bdseq, int64_t number) {
    story_nbirth(bdseq, number);
    story_dbirth(number);
}

void story_ndeath(uint64_t bdseq) {
    story_begin();
    add_long("bdSeq", bdseq);
    hear("NDEATH", 0);
}

static void begin_data(unsigned holder, uint64_t number, bool is_historical) {
    story_begin();
    for (unsigned i = 0; i < STORY_PER_HOLDER; i++) {
        Spb__Pb__Payload__Metric *item = story_add_sample(holder * STORY_PER_HOLDER + i, number);
        item->has_is_historical = item->is_historical = is_historical;
    }
}

void story_data_of(unsigned holder, uint64_t number, bool is_historical) {
    begin_data(holder, number, is_historical);
    story_hear(holder > 0 ? "DDATA" : "NDATA", holder);
}

void story_data(uint64_t number, bool is_historical) {
    story_data_of(0, number, is_historical);
    story_data_of(1, number, is_historical);
}

void story_expect(verdict_rule rule) {
    ck_assert(!verdict_finish(story.judge));
    for (int other = 0; other < VERDICT_RULES; other++) {
        ck_assert_msg((verdict_get(story.judge)->broken[other] > 0) == (other == (int)rule), "%s: %" PRIu64 " times",
                      verdict_rule_name((verdict_rule)other), verdict_get(story.judge)->broken[other]);
    }
}

void story_first_session(void) {
    story_accept(6);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_data(1, false);
    story_data(2, false);
    story_ndeath(7);
}

void story_sound(void) {
    story_first_session();
    story_births(8, 4);
    story_data(2, true);
    story_data(5, false);
    story_data(3, true);
    story_data(4, true);
    story_ndeath(8);
}
