/* Any metric, any samples: seeded walks in which every verdict must follow from the rule as one would tell it, each
 * sample is counted once, and hosts end up with what is true. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "core/change.h"
#include "support/suite.h"
#include "support/witness.h"

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

static uint64_t random_state, walk_seed;
static int walk_step;

/* For what holds a million times: a check of the framework notes each. */
static void require(bool holds, const char *what) {
    if (!holds) {
        ck_abort_msg("seed %llu, step %d: %s is not what it should be", (unsigned long long)walk_seed, walk_step, what);
    }
}

/* splitmix64 */
static uint32_t draw(uint32_t bound) {
    uint64_t mixed = random_state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ (mixed >> 31)) % bound);
}

/* The counters of a walk, besides the second opinion. */
typedef struct walker {
    witness rule;
    uint64_t accepted, sent, suppressed;
} walker;

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

static void check_verdict(walker *w, const spb_report *sample, spb_verdict verdict) {
    static const spb_verdict_kind kinds[] = {[WITNESS_DROP] = SPB_VERDICT_DROP,
                                             [WITNESS_HOLD] = SPB_VERDICT_HOLD,
                                             [WITNESS_DEFER] = SPB_VERDICT_DEFER,
                                             [WITNESS_SEND] = SPB_VERDICT_SEND};
    witness_verdict expected =
        witness_take(&w->rule, sample->value, sample->timestamp_ms, sample->quality, sample->is_forced);
    bool waits = expected.kind == WITNESS_HOLD || expected.kind == WITNESS_DEFER;
    require(verdict.kind == kinds[expected.kind], "the kind");
    require(verdict.releases_held == expected.releases_held, "releases_held");
    require(verdict.replaces_held == expected.replaces_held, "replaces_held");
    require(!waits || verdict.until_ms == expected.until_ms, "until_ms");
    require(!waits || verdict.is_running == expected.is_running, "is_running");
    w->suppressed += expected.replaces_held + (expected.kind == WITNESS_DROP);
    w->sent += expected.releases_held + (expected.kind == WITNESS_SEND || expected.kind == WITNESS_DEFER);
}

/* The timer runs in time, or late, or not before the next sample. */
static void maybe_fire(walker *w, subject *s, uint64_t at_ms) {
    const witness *rule = &w->rule;
    uint64_t due_ms = rule->is_held ? rule->held_until_ms : rule->known_ms + rule->rule.min_interval_ms;
    if ((rule->is_held || rule->is_deferred) && at_ms >= due_ms && draw(2)) {
        bool is_sent = witness_ring(&w->rule);
        require(spb_change__on_due(s->change, &s->last) == is_sent, "what is due");
        w->sent += is_sent;
    }
}

static void step(walker *w, subject *s, uint64_t *clock_ms) {
    *clock_ms = draw(40) == 0 ? *clock_ms - draw(2000) : *clock_ms + draw(50);
    maybe_fire(w, s, *clock_ms);
    if (draw(60) == 0) { /* a birth: what was held is in it */
        w->sent += w->rule.is_held;
        spb_change__reported(s->change, &s->last);
        witness_born(&w->rule);
    }
    if (draw(60) == 0) {
        spb_change__doubt(s->change);
        w->rule.is_doubtful = s->change != NULL;
    }
    spb_value value = draw_value(s->value.type);
    spb_report sample = {.value = &value,
                         .timestamp_ms = *clock_ms,
                         .quality = draw(30) == 0 ? SPB_QUALITY_STALE : SPB_QUALITY_GOOD,
                         .is_forced = draw(50) == 0};
    spb_verdict verdict = spb_change__judge(s->change, &s->last, &sample);
    w->accepted++;
    check_verdict(w, &sample, verdict);
    take(s, value, sample.timestamp_ms, sample.quality);
    require(w->accepted == w->sent + w->suppressed + w->rule.is_held, "the sum of the samples");
}

static void begin(walker *w, subject *s, spb_type type, uint64_t at_ms) {
    spb_change_options o = draw_options(type);
    witness_rule rule = {.deadband = o.deadband,
                         .deadband_percent = (uint32_t)o.deadband_percent,
                         .range = o.max - o.min,
                         .min_interval_ms = o.min_interval_ms,
                         .max_interval_ms = o.max_interval_ms,
                         .keeps_all = o.keeps_all,
                         .sends_unchanged = o.sends_unchanged};
    spb_value first = draw_value(type);
    ck_assert_int_eq(spb_change__new(&s->change, &o, type, NULL), SPB_OK);
    take(s, first, at_ms, SPB_QUALITY_GOOD);
    spb_change__reported(s->change, &s->last);
    witness_begin(&w->rule, &rule, &first, at_ms, SPB_QUALITY_GOOD);
}

static void walk(uint64_t seed) {
    random_state = walk_seed = seed;
    walker w = {0};
    subject s;
    uint64_t clock_ms = UINT64_C(1700000000000);
    begin(&w, &s, draw_type(), clock_ms);
    for (walk_step = 0; walk_step < STEPS; walk_step++) {
        step(&w, &s, &clock_ms);
    }
    if (w.rule.is_held) {
        ck_assert(spb_change__on_due(s.change, &s.last));
        witness_ring(&w.rule);
    }
    /* Hosts know the truth, as far as the deadband lets them. */
    ck_assert(witness_is_near(&w.rule.rule, &w.rule.known, &s.value));
    witness_end(&w.rule);
    free(s.change);
}

START_TEST(every_verdict_follows_from_the_rule) {
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        walk(seed);
    }
}
END_TEST

static bool is_near(double deadband, spb_value a, spb_value b) {
    witness_rule rule = {.deadband = deadband};
    bool is_near = witness_is_near(&rule, &a, &b);
    ck_assert_int_eq(witness_is_near(&rule, &b, &a), is_near);
    return is_near;
}

/* Where narrower arithmetic would round. */
START_TEST(the_second_opinion_is_exact) {
    ck_assert(is_near(0x1p64, spb_int64(INT64_MIN), spb_int64(INT64_MAX)));
    ck_assert(!is_near(0x1p64 - 2048, spb_int64(INT64_MIN), spb_int64(INT64_MAX)));
    ck_assert(is_near(1, spb_uint64(UINT64_MAX), spb_uint64(UINT64_MAX - 1)));
    ck_assert(!is_near(1, spb_uint64(UINT64_MAX), spb_uint64(UINT64_MAX - 2)));
    ck_assert(!is_near(DBL_MAX, spb_double(DBL_MAX), spb_double(-DBL_TRUE_MIN)));
    ck_assert(is_near(DBL_MAX, spb_double(DBL_MAX), spb_double(DBL_TRUE_MIN)));
    ck_assert(is_near(DBL_TRUE_MIN, spb_double(DBL_MIN), spb_double(DBL_MIN - DBL_TRUE_MIN)));
    ck_assert(!is_near(DBL_TRUE_MIN, spb_double(DBL_TRUE_MIN), spb_double(-DBL_TRUE_MIN)));
    ck_assert(is_near(0, spb_double(0.0), spb_double(-0.0)));
    ck_assert(!is_near(DBL_MAX, spb_double(INFINITY), spb_double(1)));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("change_random");
    TCase *tests = tcase_create("change_random");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_second_opinion_is_exact);
    tcase_add_test(tests, every_verdict_follows_from_the_rule);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
