/* The table of `spb watch`: what messages change in it, how it is drawn, what keys do. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_record.h"
#include "cli/watch_screen.h"
#include "support/suite.h"

static watch_table *table;
static filter wanted;
static watch_screen screen;
static out to;
static json_tree tree;
static pool memory;
static size_t values, lives, unknowns, bads;
static char last_life[128];

static void on_value(const watch_row *row, void *user) {
    (void)row;
    (void)user;
    values++;
}

static void on_life(const char *source, bool is_online, uint64_t time_ms, void *user) {
    (void)time_ms;
    (void)user;
    lives++;
    snprintf(last_life, sizeof last_life, "%s %s", source, is_online ? "online" : "offline");
}

static void on_unknown(const spb_topic *node, void *user) {
    (void)node;
    (void)user;
    unknowns++;
}

static void on_bad(const char *text, void *user) {
    (void)text;
    (void)user;
    bads++;
}

static void begin(void) {
    const watch_listener listener = {on_value, on_life, on_unknown, on_bad, NULL};
    wanted = (filter){.group = NULL};
    screen = (watch_screen){.rows = 10, .columns = 80};
    values = lives = unknowns = bads = 0;
    table = watch_table_new(&wanted, &listener);
    ck_assert_ptr_nonnull(table);
    out_init(&to, -1);
}

static void end(void) {
    watch_table_free(table);
    watch_screen_clear(&screen);
    json_tree_clear(&tree);
    pool_clear(&memory);
}

/* A message as JSON, with ' for ", that comes at time_ms. */
static void send_at(uint64_t time_ms, const char *json) {
    char text[2048];
    json_record record;
    spb_bytes payload;
    spb_error err;
    snprintf(text, sizeof text, "%s", json);
    for (char *c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    spb_status status = json_tree_parse(&tree, spb_str_from(text), &err);
    status = status == SPB_OK ? json_record_read(&record, &tree, &memory, &err) : status;
    status = status == SPB_OK ? json_record_encode(&record, &memory, &payload, &err) : status;
    ck_assert_msg(status == SPB_OK, "%s", err.text);
    ck_assert(watch_table_message(table, record.topic, payload, time_ms));
}

#define MESSAGE(kind, rest) "{'kind':'" kind "','group':'g','node':'n'," rest "}"
#define NBIRTH                                                                                                         \
    MESSAGE("NBIRTH", "'seq':0,'metrics':[{'name':'bdSeq','type':'Int64','value':0},{'name':'a','alias':1,"            \
                      "'type':'Int8','value':1,'properties':{'engUnit':{'type':'String','value':'m'},"                 \
                      "'Quality':{'type':'Int32','value':192}}},{'name':'b','type':'String','is_null':true}]")
#define DBIRTH MESSAGE("DBIRTH", "'device':'d','seq':1,'metrics':[{'name':'c','alias':2,'type':'Double','value':1.5}]")

static const watch_row *row_of(const char *source, const char *metric) {
    for (size_t i = 0; i < watch_table_count(table); i++) {
        const watch_row *row = watch_table_row(table, i);
        if (strcmp(row->source, source) == 0 && strcmp(row->metric, metric) == 0) {
            return row;
        }
    }
    ck_abort_msg("no row %s %s", source, metric);
    return NULL;
}

START_TEST(births_fill_the_table_and_data_changes_it) {
    send_at(1000, NBIRTH);
    send_at(1001, DBIRTH);
    ck_assert_uint_eq(watch_table_count(table), 4);
    ck_assert_str_eq(row_of("g/n", "a")->value, "1 m");
    ck_assert_str_eq(row_of("g/n", "a")->quality, "GOOD");
    ck_assert_str_eq(row_of("g/n", "b")->value, "null");
    ck_assert_str_eq(row_of("g/n/d", "c")->value, "1.5");
    send_at(2000, MESSAGE("NDATA", "'seq':2,'metrics':[{'alias':1,'type':'Int8','from_birth':['type'],'value':2}]"));
    ck_assert_str_eq(row_of("g/n", "a")->value, "2 m");
    ck_assert_uint_eq(row_of("g/n", "a")->time_ms, 2000);
    ck_assert_uint_eq(watch_table_count(table), 4);
    ck_assert_uint_eq(values, 5);
    ck_assert_uint_eq(lives, 2);
    size_t known, online;
    watch_table_nodes(table, &known, &online);
    ck_assert(known == 1 && online == 1);
}
END_TEST

START_TEST(what_is_historical_is_not_the_newest) {
    send_at(1000, NBIRTH);
    send_at(2000, MESSAGE("NDATA", "'seq':1,'metrics':[{'alias':1,'type':'Int8','from_birth':['type'],"
                                   "'is_historical':true,'value':7}]"));
    ck_assert_str_eq(row_of("g/n", "a")->value, "1 m");
}
END_TEST

START_TEST(deaths_make_values_stale) {
    send_at(1000, NBIRTH);
    send_at(1001, DBIRTH);
    send_at(1002, MESSAGE("DDEATH", "'device':'d','seq':2"));
    ck_assert(row_of("g/n/d", "c")->is_stale);
    ck_assert(!row_of("g/n", "a")->is_stale);
    ck_assert_str_eq(last_life, "g/n/d offline");
    send_at(1003, MESSAGE("NDEATH", "'metrics':[{'name':'bdSeq','type':'Int64','value':0}]"));
    ck_assert(row_of("g/n", "a")->is_stale);
    ck_assert_str_eq(last_life, "g/n offline");
    send_at(1004, NBIRTH);
    ck_assert(!row_of("g/n", "a")->is_stale);
    ck_assert(row_of("g/n/d", "c")->is_stale);
}
END_TEST

START_TEST(a_late_will_of_an_earlier_session_changes_nothing) {
    send_at(1000, NBIRTH);
    send_at(1003, MESSAGE("NDEATH", "'metrics':[{'name':'bdSeq','type':'Int64','value':255}]"));
    ck_assert(!row_of("g/n", "a")->is_stale);
}
END_TEST

START_TEST(a_birth_without_a_metric_removes_it) {
    send_at(1000, NBIRTH);
    send_at(1001, DBIRTH);
    send_at(1002, MESSAGE("NBIRTH", "'seq':0,'metrics':[{'name':'a','type':'Int8','value':3},"
                                    "{'name':'new','type':'Int8','value':4}]"));
    ck_assert_uint_eq(watch_table_count(table), 3);
    ck_assert_str_eq(row_of("g/n", "new")->value, "4");
    ck_assert_str_eq(row_of("g/n/d", "c")->value, "1.5");
}
END_TEST

START_TEST(a_node_without_a_birth_is_told_once) {
    static const char data[] = MESSAGE("NDATA", "'seq':5,'metrics':[{'alias':1,'type':'Int8','from_birth':['type'],"
                                                "'value':2}]");
    send_at(1000, data);
    send_at(1000, data);
    ck_assert_uint_eq(unknowns, 1);
    ck_assert_uint_eq(watch_table_count(table), 0);
    spb_topic topic;
    ck_assert_int_eq(spb_topic_parse(&topic, spb_str_from("spBv1.0/g/NCMD/n"), NULL), SPB_OK);
    ck_assert(watch_table_is_unknown(table, &topic));
    send_at(1000, NBIRTH);
    ck_assert(!watch_table_is_unknown(table, &topic));
}
END_TEST

START_TEST(after_a_gap_a_seq_that_does_not_go_on_makes_a_node_unknown) {
    send_at(1000, NBIRTH);
    watch_table_gap(table);
    send_at(1001, MESSAGE("NDATA", "'seq':1,'metrics':[{'alias':1,'type':'Int8','from_birth':['type'],'value':2}]"));
    ck_assert_str_eq(row_of("g/n", "a")->value, "2 m");
    watch_table_gap(table);
    send_at(1001, MESSAGE("NDATA", "'seq':9,'metrics':[{'alias':1,'type':'Int8','from_birth':['type'],'value':3}]"));
    ck_assert_str_eq(row_of("g/n", "a")->value, "2 m");
    ck_assert(row_of("g/n", "a")->is_stale);
    ck_assert_uint_eq(unknowns, 1);
}
END_TEST

START_TEST(only_what_is_wanted_is_shown) {
    wanted.metric = "c*";
    send_at(1000, NBIRTH);
    send_at(1001, DBIRTH);
    ck_assert_uint_eq(watch_table_count(table), 1);
    ck_assert_str_eq(watch_table_row(table, 0)->metric, "c");
}
END_TEST

START_TEST(what_cannot_be_read_is_told) {
    ck_assert(
        watch_table_message(table, spb_str_from("spBv1.0/g/NDATA/n"), (spb_bytes){(const uint8_t *)"\xff", 1}, 1));
    ck_assert(watch_table_message(table, spb_str_from("spBv1.0/g/X/n"), (spb_bytes){NULL, 0}, 1));
    ck_assert_uint_eq(bads, 2);
}
END_TEST

START_TEST(long_and_dangerous_text_is_cut_and_escaped) {
    send_at(1000, MESSAGE("NBIRTH", "'seq':0,'metrics':[{'name':'x\\u001b[2J','type':'String','value':'"
                                    "0123456789012345678901234567890123456789012345678901234567890123456789"
                                    "012345678901234567890123456789€€€€'}]"));
    const watch_row *row = watch_table_row(table, 0);
    ck_assert_str_eq(row->metric, "x\\x1b[2J");
    ck_assert_uint_lt(strlen(row->value), WATCH_VALUE_SIZE);
    ck_assert_str_eq(row->value + strlen(row->value) - 3, "…");
}
END_TEST

/* ---- the screen ---- */

/* The lines of the screen without sequences, up to `size` bytes. */
static void draw(char *plain, size_t size, uint64_t now_ms) {
    const watch_status status = {"mqtt://x", true, ""};
    to.len = 0;
    ck_assert(watch_screen_draw(&screen, table, &status, now_ms, &to));
    size_t len = 0;
    for (size_t i = 0; i < to.len; i++) {
        if (to.data[i] == '\033') {
            for (i += 2; to.data[i] < '@' || to.data[i] > '~'; i++) {
            }
        } else if (to.data[i] != '\r') {
            ck_assert_uint_lt(len, size - 1);
            plain[len++] = to.data[i];
        }
    }
    plain[len] = '\0';
}

static size_t count_lines(const char *plain) {
    size_t lines = 1;
    for (; *plain; plain++) {
        lines += *plain == '\n';
    }
    return lines;
}

/* Characters up to the end of the line. */
static size_t count_columns(const char *line) {
    size_t columns = 0;
    for (; *line && *line != '\n'; line++) {
        columns += (*line & 0xC0) != 0x80;
    }
    return columns;
}

START_TEST(a_screen_has_head_rows_and_foot) {
    char plain[4096];
    send_at(1000, NBIRTH);
    send_at(1001, DBIRTH);
    draw(plain, sizeof plain, 66000);
    ck_assert_uint_eq(count_lines(plain), 10);
    ck_assert_ptr_nonnull(strstr(plain, "mqtt://x  online   1 of 1 nodes online   4 metrics   by name"));
    ck_assert_ptr_nonnull(strstr(plain, "\ng/n          a       1 m "));
    ck_assert_ptr_nonnull(strstr(plain, "GOOD        1m\n"));
    ck_assert(strstr(plain, "g/n/d        c") > strstr(plain, "g/n          bdSeq"));
}
END_TEST

START_TEST(keys_filter_sort_and_scroll) {
    char plain[4096];
    screen.rows = 5;
    send_at(1000, NBIRTH);
    send_at(2000, DBIRTH);
    draw(plain, sizeof plain, 3000);
    ck_assert_uint_eq(count_lines(plain), 5);
    ck_assert_ptr_null(strstr(plain, "g/n/d"));
    ck_assert(watch_screen_key(&screen, KEY_END, 0));
    draw(plain, sizeof plain, 3000);
    ck_assert_ptr_nonnull(strstr(plain, "g/n/d"));
    ck_assert_ptr_null(strstr(plain, " a  "));
    ck_assert(watch_screen_key(&screen, KEY_HOME, 0));
    ck_assert(watch_screen_key(&screen, KEY_TEXT, 's')); /* the newest first */
    draw(plain, sizeof plain, 3000);
    ck_assert_ptr_nonnull(strstr(plain, "by age"));
    ck_assert_ptr_nonnull(strstr(plain, "g/n/d"));
    ck_assert(watch_screen_key(&screen, KEY_TEXT, '/'));
    for (const char *c = "BdS"; *c; c++) {
        ck_assert(watch_screen_key(&screen, KEY_TEXT, *c));
    }
    draw(plain, sizeof plain, 3000);
    ck_assert_ptr_nonnull(strstr(plain, "bdSeq"));
    ck_assert_ptr_null(strstr(plain, "g/n/d"));
    ck_assert(watch_screen_key(&screen, KEY_BACKSPACE, 0));
    ck_assert_str_eq(screen.filter, "Bd");
    ck_assert(watch_screen_key(&screen, KEY_ENTER, 0));
    ck_assert(!watch_screen_key(&screen, KEY_TEXT, 'q'));
    ck_assert(!watch_screen_key(&screen, KEY_INTERRUPT, 0));
}
END_TEST

START_TEST(tiny_screens_are_fine) {
    char plain[4096];
    send_at(1000, NBIRTH);
    for (size_t rows = 1; rows < 6; rows++) {
        for (size_t columns = 1; columns < 30; columns++) {
            screen.rows = rows;
            screen.columns = columns;
            draw(plain, sizeof plain, 3000);
            ck_assert_uint_le(count_lines(plain), rows);
            /* The status and the foot are cut to fit; the terminal itself cuts the table. */
            const char *foot = strrchr(plain, '\n');
            ck_assert_uint_le(count_columns(plain), columns);
            ck_assert_uint_le(count_columns(foot ? foot + 1 : plain), columns);
        }
    }
}
END_TEST

START_TEST(keys_are_told_apart) {
    static const struct {
        const char *bytes;
        terminal_key key;
        size_t used;
    } keys[] = {{"q", KEY_TEXT, 1},
                {"\r", KEY_ENTER, 1},
                {"\003", KEY_INTERRUPT, 1},
                {"\033[A", KEY_UP, 3},
                {"\033OB", KEY_DOWN, 3},
                {"\033[5~", KEY_PAGE_UP, 4},
                {"\033[6~x", KEY_PAGE_DOWN, 4},
                {"\033[H", KEY_HOME, 3},
                {"\033[4~", KEY_END, 4},
                {"\033", KEY_ESCAPE, 1},
                {"\x7f", KEY_BACKSPACE, 1},
                {"\033[1;5A", KEY_NONE, 6},
                {"\001", KEY_NONE, 1},
                {"\033[", KEY_NONE, 2}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t used;
        ck_assert_int_eq(terminal_read_key(keys[i].bytes, strlen(keys[i].bytes), &used), keys[i].key);
        ck_assert_uint_eq(used, keys[i].used);
    }
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("watch");
    tcase_add_checked_fixture(cases, begin, end);
    tcase_add_test(cases, births_fill_the_table_and_data_changes_it);
    tcase_add_test(cases, what_is_historical_is_not_the_newest);
    tcase_add_test(cases, deaths_make_values_stale);
    tcase_add_test(cases, a_late_will_of_an_earlier_session_changes_nothing);
    tcase_add_test(cases, a_birth_without_a_metric_removes_it);
    tcase_add_test(cases, a_node_without_a_birth_is_told_once);
    tcase_add_test(cases, after_a_gap_a_seq_that_does_not_go_on_makes_a_node_unknown);
    tcase_add_test(cases, only_what_is_wanted_is_shown);
    tcase_add_test(cases, what_cannot_be_read_is_told);
    tcase_add_test(cases, long_and_dangerous_text_is_cut_and_escaped);
    tcase_add_test(cases, a_screen_has_head_rows_and_foot);
    tcase_add_test(cases, keys_filter_sort_and_scroll);
    tcase_add_test(cases, tiny_screens_are_fine);
    tcase_add_test(cases, keys_are_told_apart);
    Suite *suite = suite_create("watch");
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
