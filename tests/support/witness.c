/* The rule in words, one sentence after the other. */
#include "support/witness.h"

#include <math.h>
#include <stdlib.h>

#include "support/exact.h"

static void keep(spb_value *place, const spb_value *value) {
    spb_value copy;
    if (spb_value_copy(&copy, value, NULL) != SPB_OK) {
        abort();
    }
    spb_value_clear(place);
    *place = copy;
}

void witness_begin(witness *w, const witness_rule *rule, const spb_value *first, uint64_t at_ms, uint16_t quality) {
    *w = (witness){.rule = *rule, .newest_ms = at_ms, .known_ms = at_ms, .quality = quality};
    keep(&w->newest, first);
    keep(&w->known, first);
}

void witness_end(witness *w) {
    spb_value_clear(&w->newest);
    spb_value_clear(&w->known);
}

/* ---- values ---- */

/* False: it has no number that could be near another one. */
static bool number_of(const spb_value *value, exact *out) {
    double real = value->type == SPB_FLOAT ? (double)value->as.f32 : value->as.f64;
    switch (value->type) {
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: *out = exact_signed(value->as.i64); return true;
    case SPB_UINT8:
    case SPB_UINT16:
    case SPB_UINT32:
    case SPB_UINT64: *out = exact_unsigned(value->as.u64); return true;
    case SPB_FLOAT:
    case SPB_DOUBLE: *out = isfinite(real) ? exact_real(real) : (exact){0}; return isfinite(real);
    default: return false;
    }
}

/* A hundred times the distance against so many percent of the range: nothing is divided, so nothing is rounded. */
static bool is_within(const witness_rule *rule, const exact *a, const exact *b) {
    bool is_absolute = rule->deadband > 0;
    exact distance = exact_distance(a, b);
    exact hundredfold = exact_times(&distance, 100);
    exact whole = exact_real(is_absolute ? rule->deadband : rule->range);
    exact band = exact_times(&whole, is_absolute ? 100 : rule->deadband_percent);
    return exact_compare(&hundredfold, &band) <= 0;
}

bool witness_is_near(const witness_rule *rule, const spb_value *a, const spb_value *b) {
    exact here, there;
    return spb_value_equal(a, b) || (!a->is_null && !b->is_null && number_of(a, &here) && number_of(b, &there) &&
                                     is_within(rule, &here, &there));
}

/* Text and the like: while a change is held, what was sent before it is not at hand. */
static bool has_size(spb_type type) {
    return (type >= SPB_INT8 && type <= SPB_BOOLEAN) || type == SPB_DATETIME;
}

static bool says_nothing_new(const witness *w, const spb_value *value) {
    bool is_unknown = w->is_change_held && !has_size(value->type);
    return !w->rule.sends_unchanged && !is_unknown && witness_is_near(&w->rule, &w->known, value);
}

/* ---- what hosts know ---- */

static void tell(witness *w, const spb_value *value, uint64_t at_ms) {
    keep(&w->known, value);
    w->known_ms = at_ms;
    w->is_held = w->is_change_held = w->is_deferred = w->is_doubtful = false;
}

void witness_born(witness *w) {
    tell(w, &w->newest, w->newest_ms);
}

bool witness_ring(witness *w) {
    bool was_held = w->is_held;
    if (was_held) {
        tell(w, &w->newest, w->held_until_ms);
    } else if (w->is_deferred) {
        w->known_ms += w->rule.min_interval_ms;
        w->is_deferred = false;
    }
    return was_held;
}

/* What should have happened before this time, had the timer run. True: what was held is sent. */
static bool make_up(witness *w, uint64_t at_ms) {
    bool is_due = w->is_change_held && at_ms > w->held_until_ms && at_ms >= w->known_ms;
    if (is_due) {
        tell(w, &w->newest, w->held_until_ms);
    }
    if (w->is_deferred && at_ms >= w->known_ms + w->rule.min_interval_ms) {
        w->known_ms += w->rule.min_interval_ms;
        w->is_deferred = false;
    }
    w->known_ms = at_ms < w->known_ms ? at_ms : w->known_ms; /* the clock went back: begin anew */
    return is_due;
}

/* ---- a sample ---- */

static witness_verdict send(witness *w, const spb_value *value, uint64_t at_ms) {
    tell(w, value, at_ms);
    return (witness_verdict){.kind = WITNESS_SEND};
}

static witness_verdict wait(witness *w, bool is_change, uint64_t until_ms) {
    w->is_held = true;
    w->is_change_held = is_change;
    w->held_until_ms = until_ms;
    return (witness_verdict){.kind = WITNESS_HOLD, .until_ms = until_ms};
}

static witness_verdict judge(witness *w, const spb_value *value, uint64_t at_ms, bool is_same) {
    const witness_rule *rule = &w->rule;
    uint64_t early_ms = w->known_ms + rule->min_interval_ms;
    w->is_held = w->is_change_held = false;
    if (is_same && rule->max_interval_ms == 0) {
        return (witness_verdict){.kind = WITNESS_DROP};
    }
    if (is_same) {
        uint64_t late_ms = w->is_deferred ? early_ms : w->known_ms + rule->max_interval_ms;
        return at_ms >= late_ms ? send(w, value, at_ms) : wait(w, false, late_ms);
    }
    if (at_ms >= early_ms) {
        return send(w, value, at_ms);
    }
    if (!rule->keeps_all) {
        return wait(w, true, early_ms);
    }
    tell(w, value, w->known_ms);
    w->is_deferred = true;
    return (witness_verdict){.kind = WITNESS_DEFER, .until_ms = early_ms};
}

witness_verdict witness_take(witness *w, const spb_value *value, uint64_t at_ms, uint16_t quality, bool is_forced) {
    bool passes = is_forced || quality != w->quality || value->is_null != w->newest.is_null || w->is_doubtful;
    bool was_held = w->is_held, had_deferred = w->is_deferred;
    uint64_t before_ms = was_held ? w->held_until_ms : w->known_ms + w->rule.min_interval_ms;
    bool is_released = make_up(w, at_ms);
    bool is_same = says_nothing_new(w, value);
    witness_verdict verdict = passes ? send(w, value, at_ms) : judge(w, value, at_ms, is_same);
    verdict.releases_held = is_released;
    verdict.replaces_held = was_held && !is_released;
    verdict.is_running = (was_held || had_deferred) && verdict.until_ms == before_ms;
    keep(&w->newest, value);
    w->newest_ms = at_ms;
    w->quality = quality;
    return verdict;
}
