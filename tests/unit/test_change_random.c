/* Any metric, any samples: seeded walks in which every verdict must follow from the rule as one would tell it, each
 * sample is counted once, and hosts end up with what is true. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "core/change.h"

/* A metric as the session would keep it: the state, and the newest sample. */
typedef struct subject {
    spb_change *change;
    spb_value value;
    spb_report last;
} subject;

static void take(subject *s, spb_value value, uint64_t at_ms, uint16_t quality) {
    s->value = value;
    s->last = (spb_report){.value = &s->value, .timestamp_ms = at_ms, .quality = quality};
}

#define WALKS 1500
#define STEPS 120

static uint64_t random_state;

/* splitmix64 */
static uint32_t draw(uint32_t bound) {
    uint64_t mixed = random_state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ (mixed >> 31)) % bound);
}

/* The rule, as one would tell it: what hosts know and since when, and what waits. */
typedef struct witness {
    spb_change_options options;
    spb_value known;
    uint64_t known_ms;
    bool is_held, is_change_held;
    uint64_t held_until_ms;
    bool is_deferred;
    uint64_t accepted, sent, suppressed;
} witness;

static spb_value draw_integer(spb_type type) {
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1,          -(INT64_C(1) << 53) - 1,
                                   0,         (INT64_C(1) << 53) + 1, INT64_MAX};
    int64_t number = (draw(8) == 0 ? ends[draw(6)] : 0);
    uint64_t near = (uint64_t)number + draw(12);
    return type == SPB_INT64    ? (spb_value){.type = type, .as.i64 = (int64_t)near}
           : type == SPB_UINT64 ? spb_uint64(near)
           : type == SPB_INT16  ? spb_int16((int16_t)draw(20))
                                : spb_boolean(draw(2));
}

static spb_value draw_real(spb_type type) {
    static const double odd[] = {NAN, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_TRUE_MIN, -0.0};
    double number = draw(8) == 0 ? odd[draw(7)] : draw(48) * 0.25;
    return type == SPB_FLOAT ? spb_float((float)number) : spb_double(number);
}

/* Equal ones stand at different places. */
static spb_value draw_content(spb_type type) {
    static const char *const texts[] = {"on", "off", "", "on and off"};
    static char copies[2][4][16];
    size_t which = draw(4);
    char *copy = copies[draw(2)][which];
    strcpy(copy, texts[which]);
    return type == SPB_STRING ? spb_string(copy) : spb_bytes_value(copy, strlen(copy));
}

static spb_value draw_value(spb_type type) {
    if (draw(15) == 0) {
        return spb_null(type);
    }
    if (type == SPB_STRING || type == SPB_BYTES) {
        return draw_content(type);
    }
    return type == SPB_FLOAT || type == SPB_DOUBLE ? draw_real(type) : draw_integer(type);
}

static spb_type draw_type(void) {
    static const spb_type types[] = {SPB_INT16, SPB_INT64,  SPB_UINT64, SPB_BOOLEAN,
                                     SPB_FLOAT, SPB_DOUBLE, SPB_STRING, SPB_BYTES};
    return types[draw(8)];
}

static spb_change_options draw_options(spb_type type) {
    spb_change_options o = {.min_interval_ms = draw(2) * draw(100), .max_interval_ms = draw(2) * (100 + draw(400))};
    bool is_number =
        type == SPB_INT16 || type == SPB_INT64 || type == SPB_UINT64 || type == SPB_FLOAT || type == SPB_DOUBLE;
    if (is_number && draw(2)) {
        o.deadband = draw(20) * 0.25;
    } else if (is_number && draw(3) == 0) {
        o.deadband_percent = draw(10);
        o.max = 50;
    } else {
        o.sends_unchanged = draw(8) == 0;
    }
    o.keeps_all = o.min_interval_ms > 0 && draw(2);
    return o;
}

/* In numbers wide enough for all of them. */
static bool is_near(const spb_value *a, const spb_value *b, long double band) {
    if (spb_value_equal(a, b)) {
        return true;
    }
    switch (a->type) {
    case SPB_INT16:
    case SPB_INT64: return fabsl((long double)a->as.i64 - (long double)b->as.i64) <= band;
    case SPB_UINT64: return fabsl((long double)a->as.u64 - (long double)b->as.u64) <= band;
    case SPB_FLOAT: return fabsl((long double)a->as.f32 - (long double)b->as.f32) <= band;
    case SPB_DOUBLE: return fabsl((long double)a->as.f64 - (long double)b->as.f64) <= band;
    default: return false;
    }
}

static bool says_nothing_new(const witness *w, const spb_value *value) {
    const spb_change_options *o = &w->options;
    long double band = o->deadband > 0 ? o->deadband : (o->max - o->min) * o->deadband_percent / 100;
    bool is_unknown = w->is_change_held && (value->type == SPB_STRING || value->type == SPB_BYTES);
    return !o->sends_unchanged && !is_unknown && is_near(&w->known, value, band);
}

static void tell(witness *w, const spb_value *value, uint64_t at_ms) {
    w->known = *value;
    w->known_ms = at_ms;
    w->is_held = w->is_change_held = w->is_deferred = false;
    w->sent++;
}

/* What should have happened before this time, had the timer run. */
static bool should_release(witness *w, const subject *s, uint64_t at_ms) {
    bool is_due = w->is_change_held && at_ms > w->held_until_ms && at_ms >= w->known_ms;
    if (is_due) {
        tell(w, &s->value, w->held_until_ms);
    }
    if (w->is_deferred && at_ms >= w->known_ms + w->options.min_interval_ms) {
        w->known_ms += w->options.min_interval_ms;
        w->is_deferred = false;
    }
    if (at_ms < w->known_ms) { /* the clock went back: begin anew */
        w->known_ms = at_ms;
    }
    return is_due;
}

static void check_verdict(witness *w, const subject *s, const spb_report *sample, spb_verdict verdict) {
    const spb_change_options *o = &w->options;
    bool was_held = w->is_held;
    uint64_t at_ms = sample->timestamp_ms;
    bool is_released = should_release(w, s, at_ms);
    ck_assert_int_eq(verdict.releases_held, is_released);
    ck_assert_int_eq(verdict.replaces_held, was_held && !is_released);
    w->suppressed += verdict.replaces_held;
    w->is_held = w->is_held && is_released;

    bool passes = sample->is_forced || sample->quality != s->last.quality || sample->value->is_null != s->value.is_null;
    bool is_same = says_nothing_new(w, sample->value);
    bool is_early = at_ms < w->known_ms + o->min_interval_ms;
    uint64_t interval_ms = is_same && !w->is_deferred ? o->max_interval_ms : o->min_interval_ms;
    bool is_overdue = o->max_interval_ms > 0 && at_ms >= w->known_ms + interval_ms;
    w->is_change_held = false;
    switch (verdict.kind) {
    case SPB_VERDICT_SEND:
        ck_assert(passes || (!is_same && !is_early) || (is_same && is_overdue));
        tell(w, sample->value, at_ms);
        break;
    case SPB_VERDICT_DROP:
        ck_assert(!passes && is_same && o->max_interval_ms == 0);
        w->suppressed++;
        break;
    case SPB_VERDICT_DEFER:
        ck_assert(!passes && !is_same && is_early && o->keeps_all);
        ck_assert_uint_eq(verdict.until_ms, w->known_ms + o->min_interval_ms);
        tell(w, sample->value, w->known_ms);
        w->is_deferred = true;
        break;
    case SPB_VERDICT_HOLD:
        ck_assert(!passes && (is_same ? o->max_interval_ms > 0 && !is_overdue : is_early && !o->keeps_all));
        ck_assert_uint_eq(verdict.until_ms, w->known_ms + interval_ms);
        w->is_held = true;
        w->is_change_held = !is_same;
        w->held_until_ms = verdict.until_ms;
        break;
    }
}

/* The timer runs in time, or late, or not before the next sample. */
static void maybe_fire(witness *w, subject *s, uint64_t at_ms) {
    if (w->is_held && at_ms >= w->held_until_ms && draw(2)) {
        uint64_t due_ms = w->held_until_ms;
        ck_assert(spb_change__on_due(s->change, &s->last));
        tell(w, &s->value, due_ms);
    } else if (w->is_deferred && !w->is_held && at_ms >= w->known_ms + w->options.min_interval_ms && draw(2)) {
        ck_assert(!spb_change__on_due(s->change, &s->last));
        w->known_ms += w->options.min_interval_ms;
        w->is_deferred = false;
    }
}

static void step(witness *w, subject *s, uint64_t *clock_ms) {
    *clock_ms = draw(40) == 0 ? *clock_ms - draw(2000) : *clock_ms + draw(50);
    maybe_fire(w, s, *clock_ms);
    if (draw(60) == 0) { /* a birth: what was held is in it */
        w->sent += w->is_held;
        spb_change__reported(s->change, &s->last);
        w->known = s->value;
        w->known_ms = s->last.timestamp_ms;
        w->is_held = w->is_change_held = w->is_deferred = false;
    }
    spb_value value = draw_value(s->value.type);
    spb_report sample = {.value = &value,
                         .timestamp_ms = *clock_ms,
                         .quality = draw(30) == 0 ? SPB_QUALITY_STALE : SPB_QUALITY_GOOD,
                         .is_forced = draw(50) == 0};
    spb_verdict verdict = spb_change__judge(s->change, &s->last, &sample);
    w->accepted++;
    check_verdict(w, s, &sample, verdict);
    take(s, value, sample.timestamp_ms, sample.quality);
    ck_assert_uint_eq(w->accepted, w->sent + w->suppressed + w->is_held);
}

static void walk(uint64_t seed) {
    random_state = seed;
    spb_type type = draw_type();
    witness w = {.options = draw_options(type)};
    subject s;
    uint64_t clock_ms = UINT64_C(1700000000000);
    spb_value first = draw_value(type);
    ck_assert_int_eq(spb_change__new(&s.change, &w.options, type, NULL), SPB_OK);
    take(&s, first, clock_ms, SPB_QUALITY_GOOD);
    spb_change__reported(s.change, &s.last);
    w.known = first;
    w.known_ms = clock_ms;
    for (int i = 0; i < STEPS; i++) {
        step(&w, &s, &clock_ms);
    }
    if (w.is_held) {
        ck_assert(spb_change__on_due(s.change, &s.last));
        tell(&w, &s.value, w.held_until_ms);
    }
    /* Hosts know the truth, as far as the deadband lets them. */
    w.options.sends_unchanged = false;
    ck_assert(says_nothing_new(&w, &s.value));
    free(s.change);
}

START_TEST(every_verdict_follows_from_the_rule) {
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        walk(seed);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("change_random");
    TCase *tests = tcase_create("change_random");
    tcase_add_test(tests, every_verdict_follows_from_the_rule);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
