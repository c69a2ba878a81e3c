/* Each rule of the checker has a stream that breaks it, and a twin that breaks none; the rules are those of the
 * specification. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_stream.h"
#include "support/suite.h"

static size_t case_count(void) {
    return check_cases_client_count + check_cases_session_count + check_cases_payload_count;
}

static const check_case *find_case(size_t i) {
    if (i < check_cases_client_count) {
        return &check_cases_client[i];
    }
    i -= check_cases_client_count;
    return i < check_cases_session_count ? &check_cases_session[i]
                                         : &check_cases_payload[i - check_cases_session_count];
}

static const char *id_of(check_rule_number rule) {
    size_t count;
    return check_rules(&count)[rule].id;
}

START_TEST(what_breaks_a_rule_is_found) {
    const check_case *one = find_case((size_t)_i);
    stream_begin();
    one->play(false);
    stream_end();
    ck_assert_msg(stream_found(one->rule) > 0, "case %d: nothing found of %s", _i, id_of(one->rule));
    size_t expected = stream_found(one->rule) + (one->also != one->rule ? stream_found(one->also) : 0);
    ck_assert_msg(stream_found_all() == expected, "case %d, %s: more was found, at last: %s", _i, id_of(one->rule),
                  stream_last_wrong());
}
END_TEST

START_TEST(its_right_twin_breaks_none) {
    const check_case *one = find_case((size_t)_i);
    stream_begin();
    one->play(true);
    stream_end();
    ck_assert_msg(stream_found_all() == 0, "case %d, %s: %s", _i, id_of(one->rule), stream_last_wrong());
}
END_TEST

START_TEST(each_rule_has_a_case) {
    bool has_case[RULE_COUNT] = {false};
    for (size_t i = 0; i < case_count(); i++) {
        has_case[find_case(i)->rule] = true;
    }
    for (size_t i = 0; i < RULE_COUNT; i++) {
        ck_assert_msg(has_case[i], "no case for %s", id_of((check_rule_number)i));
    }
}
END_TEST

/* ---- what is no finding ---- */

START_TEST(what_was_before_the_stream_is_not_judged) {
    stream_begin();
    stream_add(stream_received("DDATA", MESSAGE(77, DATA(5, 1))));
    stream_add(stream_received("NDATA", MESSAGE(78, DATA(6, 1))));
    stream_add(stream_received("DDEATH", MESSAGE(79, "")));
    stream_add(stream_received("DBIRTH", MESSAGE(80, "")));
    stream_add(stream_received("NDEATH", NDEATH));
    stream_end();
    ck_assert_msg(stream_found_all() == 0, "%s", stream_last_wrong());
}
END_TEST

/* In it there may have been births with other aliases, a death, any number of messages. */
START_TEST(what_is_in_a_gap_is_not_judged) {
    for (int from_client = 0; from_client < 2; from_client++) {
        stream_begin();
        if (from_client) {
            stream_born();
        } else {
            stream_add(stream_received("NBIRTH", NBIRTH));
            stream_add(stream_received("DBIRTH", DBIRTH));
        }
        check_event gap = stream_event(CHECK_GAP, 1);
        gap.from_client = from_client;
        stream_add(gap);
        check_event data = stream_message("DDATA", MESSAGE(90, DATA(44, 1)));
        data.from_client = from_client;
        data.connection = (uint64_t)from_client;
        stream_add(data);
        ck_assert_msg(stream_found_all() == 0, "%s", stream_last_wrong());
        data = stream_message("DDATA", MESSAGE(92, DATA(44, 1)));
        data.from_client = from_client;
        data.connection = (uint64_t)from_client;
        stream_add(data); /* the numbers count again */
        ck_assert_uint_eq(stream_found(RULE_DDATA_SEQ), 1);
        stream_end();
    }
}
END_TEST

START_TEST(a_finding_names_its_source_and_how_often) {
    stream_begin();
    stream_born();
    stream_send("DDATA", MESSAGE(2, DATA(8, 1) "," DATA(9, 1) "," DATA(1, 1)));
    ck_assert_str_eq(stream_last_source(), "g/n/d");
    ck_assert_str_eq(stream_last_wrong(), "alias 8 does not stand in the birth (and 1 more)");
    ck_assert_uint_eq(stream_found_all(), 1);
    stream_end();
}
END_TEST

/* ---- the table, and the ids of the specification ---- */

typedef struct ids {
    char text[1 << 16];
    const char *lines[512];
    bool is_named[512];
    size_t count;
} ids;

/* The first word of each line that is not empty and no remark. */
static void read_ids(ids *all, const char *path) {
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    size_t len = fread(all->text, 1, sizeof all->text - 1, file);
    fclose(file);
    all->text[len] = '\0';
    for (char *line = strtok(all->text, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line != '#') {
            line[strcspn(line, " \t")] = '\0';
            ck_assert_uint_lt(all->count, 512);
            all->lines[all->count++] = line;
        }
    }
}

static bool name_id(ids *all, const char *id, size_t len) {
    for (size_t i = 0; i < all->count; i++) {
        if (strlen(all->lines[i]) == len && memcmp(all->lines[i], id, len) == 0) {
            ck_assert_msg(!all->is_named[i], "%s is named twice", all->lines[i]);
            all->is_named[i] = true;
            return true;
        }
    }
    return false;
}

/* tests/data/tck-unseen.txt has the requirements that no rule can judge, and why. */
START_TEST(each_requirement_has_a_rule_or_a_reason) {
    static ids wanted, unseen;
    size_t count;
    const check_rule *rules = check_rules(&count);
    ck_assert_uint_eq(count, RULE_COUNT);
    read_ids(&wanted, TEST_DATA_DIR "/tck-ids.txt");
    read_ids(&unseen, TEST_DATA_DIR "/tck-unseen.txt");
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(rules[i].id && rules[i].also && rules[i].right, "rule %zu has a hole", i);
        if (strncmp(rules[i].id, "spb-", 4) != 0) {
            ck_assert_msg(name_id(&wanted, rules[i].id, strlen(rules[i].id)), "there is no %s", rules[i].id);
        }
        for (const char *also = rules[i].also; *also; also += strspn(also, " ")) {
            size_t len = strcspn(also, " ");
            ck_assert_msg(name_id(&wanted, also, len), "there is no %.*s", (int)len, also);
            also += len;
        }
    }
    for (size_t i = 0; i < unseen.count; i++) {
        ck_assert_msg(name_id(&wanted, unseen.lines[i], strlen(unseen.lines[i])), "there is no %s", unseen.lines[i]);
    }
    for (size_t i = 0; i < wanted.count; i++) {
        ck_assert_msg(wanted.is_named[i], "%s has no rule and no reason", wanted.lines[i]);
    }
    ck_assert_uint_gt(wanted.count, 250);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("check_rules");
    const int count = (int)case_count();
    tcase_add_loop_test(cases, what_breaks_a_rule_is_found, 0, count);
    tcase_add_loop_test(cases, its_right_twin_breaks_none, 0, count);
    tcase_add_test(cases, each_rule_has_a_case);
    tcase_add_test(cases, what_was_before_the_stream_is_not_judged);
    tcase_add_test(cases, what_is_in_a_gap_is_not_judged);
    tcase_add_test(cases, a_finding_names_its_source_and_how_often);
    tcase_add_test(cases, each_requirement_has_a_rule_or_a_reason);
    Suite *suite = suite_create("check_rules");
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
