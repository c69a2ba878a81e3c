/* The bar: when it comes, what it says, and that it goes. The clock is the test's. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"
#include "support/suite.h"

enum { FILE_BYTES = 1000000, STEPS = 256 }; /* it looks at the clock at each 256th step */

static uint64_t clock_ms;
static FILE *file;
static char *shown;
static size_t shown_len;
static progress p;

static uint64_t now(void) {
    return clock_ms;
}

static void begin(void) {
    clock_ms = 5000;
    file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), FILE_BYTES), 0);
    shown = NULL;
    p = (progress){.fd = fileno(file),
                   .bytes = FILE_BYTES,
                   .to = open_memstream(&shown, &shown_len),
                   .now_ms = now,
                   .started_ms = 5000};
}

static void end(void) {
    fclose(p.to);
    free(shown);
    fclose(file);
}

/* So many ms after the start, so much of the file was read. */
static void step_at(uint64_t ms, off_t place) {
    clock_ms = 5000 + ms;
    ck_assert_int_eq(lseek(p.fd, place, SEEK_SET), place);
    for (int i = 0; i < STEPS; i++) {
        progress_step(&p);
    }
    fflush(p.to);
}

START_TEST(a_fast_file_has_none) {
    step_at(100, 100);    /* too early to tell */
    step_at(400, 900000); /* done in less than a second */
    step_at(900, FILE_BYTES);
    progress_hide(&p);
    ck_assert_uint_eq(shown_len, 0);
}
END_TEST

START_TEST(a_slow_file_has_one) {
    step_at(500, 100000); /* five seconds */
    ck_assert_str_eq(shown, "\r[###                           ]  10 %  0 MB/s  4 s left \033[K");
    step_at(550, 110000); /* not again so soon */
    step_at(3000, 500000);
    ck_assert_ptr_nonnull(strstr(shown, "\r[###############               ]  50 %  0 MB/s  3 s left \033[K"));
    ck_assert_ptr_null(strstr(shown, "11 %"));
}
END_TEST

START_TEST(it_is_wiped_away_for_a_report) {
    step_at(500, 100000);
    progress_hide(&p);
    progress_hide(&p); /* there is nothing any more */
    fflush(p.to);
    const char *wiped = strstr(shown, "\r\033[K");
    ck_assert_ptr_nonnull(wiped);
    ck_assert_uint_eq(strlen(wiped), strlen("\r\033[K"));
    step_at(510, 100000); /* and it comes back at once */
    ck_assert_ptr_nonnull(strstr(wiped + 1, "10 %"));
}
END_TEST

START_TEST(what_is_no_file_has_none) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    progress of_pipe;
    progress_begin(&of_pipe, ends[0]);
    ck_assert_int_eq(of_pipe.fd, -1);
    progress_step(&of_pipe);
    ck_assert_int_eq(of_pipe.fd, -1);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

int main(void) {
    TCase *bar = tcase_create("bar");
    tcase_add_checked_fixture(bar, begin, end);
    tcase_add_test(bar, a_fast_file_has_none);
    tcase_add_test(bar, a_slow_file_has_one);
    tcase_add_test(bar, it_is_wiped_away_for_a_report);
    tcase_add_test(bar, what_is_no_file_has_none);
    Suite *suite = suite_create("progress");
    suite_add_tcase(suite, bar);
    return suite_run(suite);
}
