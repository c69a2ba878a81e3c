/* The simulated press: it follows its setpoint, presses when warm, and is the same for the same seed. */
#include <check.h>
#include <stdlib.h>

#include "cli/press.h"
#include "support/suite.h"

static const uint32_t long_ms = 120000; /* twenty times its lag */

START_TEST(starts_cold_and_heats) {
    press p;
    press_init(&p, 1);
    ck_assert_double_eq(p.temperature_c, PRESS_AMBIENT_C);
    double before = p.temperature_c;
    for (int i = 0; i < 10; i++) {
        press_step(&p, 1000);
        ck_assert_double_gt(p.temperature_c, before);
        ck_assert_str_eq(press_state_name(p.state), "Heating");
        before = p.temperature_c;
    }
    ck_assert_uint_eq(p.strokes, 0);
    ck_assert_double_eq(p.pressure_bar, 0);
}
END_TEST

START_TEST(covers_63_percent_in_one_lag) {
    press p;
    press_init(&p, 1);
    press_step(&p, 6000);
    double share = (p.temperature_c - PRESS_AMBIENT_C) / (PRESS_SETPOINT_DEFAULT_C - PRESS_AMBIENT_C);
    ck_assert_double_eq_tol(share, 0.632, 0.01);
}
END_TEST

START_TEST(presses_when_warm) {
    press p;
    press_init(&p, 1);
    press_step(&p, long_ms);
    ck_assert_str_eq(press_state_name(p.state), "Pressing");
    ck_assert_double_eq_tol(p.temperature_c, PRESS_SETPOINT_DEFAULT_C, 0.11);
    uint32_t strokes = p.strokes;
    ck_assert_uint_gt(strokes, 0);
    double highest = 0;
    for (int i = 0; i < 250; i++) {
        press_step(&p, 100);
        highest = p.pressure_bar > highest ? p.pressure_bar : highest;
        ck_assert_double_ge(p.pressure_bar, 0);
    }
    ck_assert_uint_eq(p.strokes - strokes, 10);
    ck_assert_double_eq_tol(highest, 160, 1);
}
END_TEST

START_TEST(follows_a_lower_setpoint) {
    press p;
    press_init(&p, 1);
    press_step(&p, long_ms);
    uint32_t strokes = p.strokes;
    p.setpoint_c = 60;
    press_step(&p, 1000);
    ck_assert_str_eq(press_state_name(p.state), "Cooling");
    ck_assert_double_lt(p.temperature_c, PRESS_SETPOINT_DEFAULT_C - PRESS_BAND_C);
    ck_assert_double_eq(p.pressure_bar, 0);
    ck_assert_uint_eq(p.strokes, strokes);
    press_step(&p, long_ms);
    ck_assert_str_eq(press_state_name(p.state), "Pressing");
    ck_assert_double_eq_tol(p.temperature_c, 60, 0.11);
    ck_assert_uint_gt(p.strokes, strokes);
}
END_TEST

START_TEST(stops_and_cools_to_the_room) {
    press p;
    press_init(&p, 1);
    press_step(&p, long_ms);
    p.running = false;
    press_step(&p, 100);
    uint32_t strokes = p.strokes;
    ck_assert_str_eq(press_state_name(p.state), "Stopped");
    press_step(&p, long_ms);
    ck_assert_str_eq(press_state_name(p.state), "Stopped");
    ck_assert_double_eq_tol(p.temperature_c, PRESS_AMBIENT_C, 0.11);
    ck_assert_uint_eq(p.strokes, strokes);
    p.running = true;
    press_step(&p, 100);
    ck_assert_str_eq(press_state_name(p.state), "Heating");
}
END_TEST

START_TEST(noise_is_small_and_there) {
    press p;
    press_init(&p, 7);
    press_step(&p, long_ms);
    int changes = 0;
    for (int i = 0; i < 1000; i++) {
        double before = p.temperature_c;
        press_step(&p, 100);
        ck_assert_double_eq_tol(p.temperature_c, PRESS_SETPOINT_DEFAULT_C, 0.11);
        changes += p.temperature_c != before;
    }
    ck_assert_int_gt(changes, 500);
}
END_TEST

static bool same(const press *a, const press *b) {
    return a->temperature_c == b->temperature_c && a->pressure_bar == b->pressure_bar && a->strokes == b->strokes &&
           a->state == b->state;
}

START_TEST(same_seed_same_course_whatever_the_steps) {
    press fine, coarse;
    press_init(&fine, 42);
    press_init(&coarse, 42);
    for (int i = 0; i < 1000; i++) {
        press_step(&fine, 30);
    }
    press_step(&coarse, 30000);
    ck_assert(same(&fine, &coarse));
}
END_TEST

START_TEST(other_seed_other_noise) {
    press one, other;
    press_init(&one, 42);
    press_init(&other, 43);
    int differences = 0;
    for (int i = 0; i < 100; i++) {
        press_step(&one, 100);
        press_step(&other, 100);
        differences += one.temperature_c != other.temperature_c;
    }
    ck_assert_int_gt(differences, 50);
}
END_TEST

START_TEST(no_time_no_change) {
    press p;
    press_init(&p, 1);
    press before = p;
    press_step(&p, 0);
    press_step(&p, 99);
    ck_assert(same(&p, &before));
    press_step(&p, 1);
    ck_assert(!same(&p, &before));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("press");
    TCase *tests = tcase_create("press");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, starts_cold_and_heats);
    tcase_add_test(tests, covers_63_percent_in_one_lag);
    tcase_add_test(tests, presses_when_warm);
    tcase_add_test(tests, follows_a_lower_setpoint);
    tcase_add_test(tests, stops_and_cools_to_the_room);
    tcase_add_test(tests, noise_is_small_and_there);
    tcase_add_test(tests, same_seed_same_course_whatever_the_steps);
    tcase_add_test(tests, other_seed_other_noise);
    tcase_add_test(tests, no_time_no_change);
    return suite_run(suite);
}
