/* Which run of the machine it is. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/boot.h"
#include "support/suite.h"

/* The number for a file with this text. */
static uint64_t id_of(const char *content) {
    char path[] = "/tmp/spb-boot-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
    uint64_t id = spb_boot__id(path);
    unlink(path);
    return id;
}

START_TEST(each_run_has_a_number_of_its_own) {
    uint64_t one = id_of("6b1a5c0e-3f64-4f0a-8d58-000000000001\n");
    ck_assert_uint_ne(one, 0);
    ck_assert_uint_eq(id_of("6b1a5c0e-3f64-4f0a-8d58-000000000001\n"), one);
    ck_assert_uint_ne(id_of("6b1a5c0e-3f64-4f0a-8d58-000000000002\n"), one);
}
END_TEST

START_TEST(what_the_system_does_not_say_is_not_known) {
    ck_assert_uint_eq(spb_boot__id("/nonexistent/boot_id"), 0);
    ck_assert_uint_eq(id_of(""), 0);
}
END_TEST

START_TEST(this_machine_says_it) {
    const char *path = "/proc/sys/kernel/random/boot_id";
    ck_assert_uint_ne(spb_boot__id(path), 0);
    ck_assert_uint_eq(spb_boot__id(path), spb_boot__id(path));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("boot");
    TCase *tests = tcase_create("boot");
    tcase_add_test(tests, each_run_has_a_number_of_its_own);
    tcase_add_test(tests, what_the_system_does_not_say_is_not_known);
    tcase_add_test(tests, this_machine_says_it);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
