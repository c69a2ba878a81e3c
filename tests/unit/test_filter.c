/* Filters: patterns, kinds, times, and what they take of messages. */
#include <check.h>
#include <stdlib.h>

#include "cli/filter.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

typedef struct pattern_example {
    const char *pattern, *text;
    bool matches;
} pattern_example;

static const pattern_example patterns[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "a", true},
    {"a", "ab", false},
    {"ab", "a", false},
    {"*", "", true},
    {"*", "any/thing", true},
    {"a*", "a", true},
    {"a*c", "abc", true},
    {"a*c", "abcd", false},
    {"*c", "abcabc", true},
    {"*b*", "abc", true},
    {"a**c", "abc", true},
    {"?", "a", true},
    {"?", "ß", true},
    {"?", "", false},
    {"??", "ß", false},
    {"a?c", "aßc", true},
    {"*?", "ß", true},
    {"L*/1?in", "Load/1min", true},
    {"*a*b*c*", "xaybzc", true},
    {"*a*b*c*", "xaybz", false},
    {"[a]", "a", false},
    {"[a]", "[a]", true},
};

START_TEST(patterns_match) {
    const pattern_example *e = &patterns[_i];
    ck_assert_msg(filter_matches(e->pattern, spb_str_from(e->text)) == e->matches, "%s on %s", e->pattern, e->text);
}
END_TEST

START_TEST(hostile_patterns_take_no_time) {
    char text[20001];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = 'a';
    }
    text[sizeof text - 1] = '\0';
    ck_assert(!filter_matches("*a*a*a*a*a*a*a*a*b", spb_str_from(text)));
}
END_TEST

START_TEST(kinds) {
    unsigned wanted;
    ck_assert(filter_read_kinds("NBIRTH", &wanted) && wanted == 1u << SPB_KIND_NBIRTH);
    ck_assert(filter_read_kinds("ddata,State", &wanted) && wanted == (1u << SPB_KIND_DDATA | 1u << SPB_KIND_STATE));
    ck_assert(!filter_read_kinds("", &wanted));
    ck_assert(!filter_read_kinds("NBIRTH,", &wanted));
    ck_assert(!filter_read_kinds("NBIRT", &wanted));
    ck_assert(!filter_read_kinds("NBIRTHS", &wanted));
}
END_TEST

typedef struct time_example {
    const char *text;
    bool is_time_of_day;
    uint64_t ms;
} time_example;

static const time_example times[] = {
    {"1970-01-01", false, 0},
    {"1970-01-01T00:00:00.001Z", false, 1},
    {"2000-02-29", false, UINT64_C(951782400000)},
    {"2000-03-01T00:00", false, UINT64_C(951868800000)},
    {"2024-12-31 23:59:59.999", false, UINT64_C(1735689599999)},
    {"2100-03-01", false, UINT64_C(4107542400000)},
    {"2026-11-22T12:35:54.5", false, UINT64_C(1795350954500)},
    {"1795350954.5", false, UINT64_C(1795350954500)},
    {"1795350954", false, UINT64_C(1795350954000)},
    {"0.0019", false, 1},
    {"12:35", true, 45300000},
    {"12:35:54.25", true, 45354250},
};

START_TEST(times_are_understood) {
    filter_time time;
    ck_assert_msg(filter_read_time(times[_i].text, &time), "%s", times[_i].text);
    ck_assert(time.is_set && time.is_time_of_day == times[_i].is_time_of_day);
    ck_assert_uint_eq(time.ms, times[_i].ms);
}
END_TEST

START_TEST(other_texts_are_no_times) {
    static const char *const texts[] = {
        "",           "now",        "24:00",    "12:60",       "12:3",          "12:35:",  "1969-12-31",  "2026-13-01",
        "2026-00-01", "2026-01-32", "2026-1-1", "2026-01-01T", "2026-01-01T12", "12:35Zx", "1795350954x", "-5"};
    filter_time time;
    for (int i = 0; i < COUNT_OF(texts); i++) {
        ck_assert_msg(!filter_read_time(texts[i], &time), "%s", texts[i]);
    }
}
END_TEST

static message message_of(spb_kind kind, const char *device, uint64_t time_ms) {
    message m = {.has_time = true, .time_ms = time_ms, .topic_text = spb_str_from("x")};
    m.topic = (spb_topic){
        .kind = kind, .group_id = spb_str_from("G"), .node_id = spb_str_from("N"), .device_id = spb_str_from(device)};
    return m;
}

START_TEST(messages_are_taken) {
    message of_node = message_of(SPB_KIND_NDATA, NULL, 5);
    message of_device = message_of(SPB_KIND_DDATA, "D", 5);
    message alone = {.has_time = true, .time_ms = 5};
    filter any = {.group = NULL};
    filter group = {.group = "G*"};
    filter device = {.device = "*"};
    filter kind = {.kinds = 1u << SPB_KIND_DDATA};
    ck_assert(filter_takes_message(&any, &of_node) && filter_takes_message(&any, &alone));
    ck_assert(filter_takes_message(&group, &of_node) && !filter_takes_message(&group, &alone));
    ck_assert(!filter_takes_message(&device, &of_node) && filter_takes_message(&device, &of_device));
    ck_assert(!filter_takes_message(&kind, &of_node) && filter_takes_message(&kind, &of_device));
    ck_assert(!filter_takes_message(&kind, &alone));
    ck_assert(!filter_takes_node(&(filter){.node = "M"}, &of_node.topic));
}
END_TEST

START_TEST(a_time_of_day_is_that_of_the_first_day) {
    const uint64_t day = UINT64_C(1795305600000); /* 2026-11-22 */
    filter f = {.group = NULL};
    ck_assert(filter_read_time("12:00", &f.from) && filter_read_time("13:00", &f.to));
    message early = message_of(SPB_KIND_NDATA, NULL, day + 1000);
    message right = message_of(SPB_KIND_NDATA, NULL, day + 45000000);
    message next_day = message_of(SPB_KIND_NDATA, NULL, day + 86400000 + 45000000);
    message timeless = {.has_time = false};
    ck_assert(!filter_takes_message(&f, &timeless));
    ck_assert(!filter_takes_message(&f, &early));
    ck_assert(filter_takes_message(&f, &right));
    ck_assert(!filter_takes_message(&f, &next_day));
}
END_TEST

START_TEST(metrics_are_kept_in_order) {
    metric_view views[4] = {
        {.name = spb_str_from("A1")}, {.name = {NULL, 0}}, {.name = spb_str_from("B")}, {.name = spb_str_from("A2")}};
    filter f = {.metric = "A*"};
    ck_assert_uint_eq(filter_metrics(&f, views, 4), 2);
    ck_assert(spb_str_equal(views[0].name, spb_str_from("A1")) && spb_str_equal(views[1].name, spb_str_from("A2")));
}
END_TEST

int main(void) {
    TCase *filters = tcase_create("filters");
    tcase_add_loop_test(filters, patterns_match, 0, COUNT_OF(patterns));
    tcase_add_test(filters, hostile_patterns_take_no_time);
    tcase_add_test(filters, kinds);
    tcase_add_loop_test(filters, times_are_understood, 0, COUNT_OF(times));
    tcase_add_test(filters, other_texts_are_no_times);
    tcase_add_test(filters, messages_are_taken);
    tcase_add_test(filters, a_time_of_day_is_that_of_the_first_day);
    tcase_add_test(filters, metrics_are_kept_in_order);
    Suite *suite = suite_create("filter");
    suite_add_tcase(suite, filters);
    return suite_run(suite);
}
