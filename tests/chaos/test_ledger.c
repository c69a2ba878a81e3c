/* The ledger keeps what was written, and goes on behind a record that was cut off. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chaos/ledger.h"
#include "support/suite.h"

static char path[] = "/tmp/spb-ledger-XXXXXX";

static void make_file(void) {
    strcpy(path + sizeof path - 7, "XXXXXX");
    close(mkstemp(path));
}

static void remove_file(void) {
    unlink(path);
}

static int append_to(void) {
    int file = chaos_ledger_append_to(path);
    ck_assert_int_ge(file, 0);
    return file;
}

static void write_one(int file, const char *topic) {
    const uint8_t payload[] = {1, 2, 3};
    ck_assert(
        chaos_ledger_write(file, &(chaos_record){.time_ms = 7, .topic = topic, .payload = payload, .payload_len = 3}));
}

static void expect_next(chaos_ledger *ledger, const char *topic) {
    chaos_record record;
    ck_assert(chaos_ledger_next(ledger, &record));
    ck_assert_str_eq(record.topic, topic);
    ck_assert(!record.is_mark);
    ck_assert_uint_eq(record.time_ms, 7);
    ck_assert_uint_eq(record.payload_len, 3);
    ck_assert_uint_eq(record.payload[2], 3);
}

START_TEST(what_was_written_is_read) {
    int file = append_to();
    write_one(file, "a");
    write_one(file, "b/c");
    close(file);
    chaos_ledger ledger;
    ck_assert(chaos_ledger_read(&ledger, path));
    expect_next(&ledger, "a");
    expect_next(&ledger, "b/c");
    ck_assert(!chaos_ledger_next(&ledger, &(chaos_record){0}));
    chaos_ledger_free(&ledger);
}
END_TEST

START_TEST(a_record_that_was_cut_off_is_removed) {
    int file = append_to();
    write_one(file, "a");
    write_one(file, "cut");
    off_t len = lseek(file, 0, SEEK_END);
    ck_assert_int_eq(ftruncate(file, len - 2), 0);
    close(file);
    file = append_to();
    write_one(file, "b");
    close(file);
    chaos_ledger ledger;
    ck_assert(chaos_ledger_read(&ledger, path));
    expect_next(&ledger, "a");
    expect_next(&ledger, "b");
    ck_assert(!chaos_ledger_next(&ledger, &(chaos_record){0}));
    chaos_ledger_free(&ledger);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("chaos_ledger");
    tcase_add_checked_fixture(all, make_file, remove_file);
    tcase_add_test(all, what_was_written_is_read);
    tcase_add_test(all, a_record_that_was_cut_off_is_removed);
    Suite *suite = suite_create("chaos_ledger");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
