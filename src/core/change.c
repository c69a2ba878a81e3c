/* Decides whether a sample says something new, and whether it is time to say it. Where the newest sample is kept, and
 * how the time of the samples becomes a timer, is left to the session. */
#include "core/change.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

/* How a datatype is compared. */
typedef enum measure {
    MEASURE_CONTENT, /* text, bytes and all that has no size of its own: equal, or not */
    MEASURE_SIGNED,
    MEASURE_UNSIGNED, /* Boolean and DateTime, too */
    MEASURE_REAL
} measure;

typedef union number {
    int64_t i64;
    uint64_t u64;
    double f64;
} number;

/* Whether the newest sample waits. */
typedef enum hold {
    HOLD_NONE,
    HOLD_UNCHANGED, /* for the end of the longest interval */
    HOLD_CHANGED    /* for the end of the shortest one */
} hold;

struct spb_change {
    number band; /* for integers the whole part: their differences have no other */
    number sent; /* the value sent last; not for MEASURE_CONTENT */
    uint64_t sent_ms;
    uint32_t min_interval_ms;
    uint32_t max_interval_ms;
    uint8_t measure;
    uint8_t hold;
    bool keeps_all;
    bool sends_unchanged;
    bool has_deferred; /* some samples leave when the shortest interval is over */
    bool is_doubtful;  /* what was to be sent last was not */
};

/* ---- options ---- */

static measure measure_of(spb_type type) {
    switch (type) {
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: return MEASURE_SIGNED;
    case SPB_UINT8:
    case SPB_UINT16:
    case SPB_UINT32:
    case SPB_UINT64:
    case SPB_DATETIME:
    case SPB_BOOLEAN: return MEASURE_UNSIGNED;
    case SPB_FLOAT:
    case SPB_DOUBLE: return MEASURE_REAL;
    default: return MEASURE_CONTENT;
    }
}

static spb_status check_deadband(const spb_change_options *o, spb_type type, spb_error *err) {
    if (!(o->deadband >= 0 && isfinite(o->deadband))) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "a deadband of %g", o->deadband);
    }
    if (!(o->deadband_percent >= 0 && o->deadband_percent <= 100)) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "a deadband of %g %%", o->deadband_percent);
    }
    if (o->deadband == 0 && o->deadband_percent == 0) {
        return SPB_OK;
    }
    if (type < SPB_INT8 || type > SPB_DOUBLE) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "a deadband, but a %s is no number", spb_type_name(type));
    }
    if (o->deadband > 0 && o->deadband_percent > 0) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "two deadbands: %g and %g %%", o->deadband, o->deadband_percent);
    }
    if (o->deadband_percent > 0 && !(o->max > o->min && isfinite(o->max - o->min))) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "a deadband of %g %% of a range from %g to %g",
                              o->deadband_percent, o->min, o->max);
    }
    if (o->sends_unchanged) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "a deadband, but unchanged values are sent");
    }
    return SPB_OK;
}

static spb_status check_intervals(const spb_change_options *o, spb_error *err) {
    if (o->max_interval_ms > 0 && o->max_interval_ms < o->min_interval_ms) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "at most %lu ms between reports, but at least %lu",
                              (unsigned long)o->max_interval_ms, (unsigned long)o->min_interval_ms);
    }
    if (o->keeps_all && o->min_interval_ms == 0) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "all samples of an interval are kept, but there is no interval");
    }
    return SPB_OK;
}

static number band_of(const spb_change_options *o, measure by) {
    double band = o->deadband > 0 ? o->deadband : (o->max - o->min) * (o->deadband_percent / 100);
    if (o->deadband == 0 && o->deadband_percent == 0) {
        return (number){0};
    }
    return by == MEASURE_REAL ? (number){.f64 = band} : (number){.u64 = band < 0x1p64 ? (uint64_t)band : UINT64_MAX};
}

spb_status spb_change__new(spb_change **out, const spb_change_options *options, spb_type type, spb_error *err) {
    *out = NULL;
    spb_status status = check_deadband(options, type, err);
    if (status == SPB_OK) {
        status = check_intervals(options, err);
    }
    bool is_needed = options->deadband > 0 || options->deadband_percent > 0 || options->min_interval_ms > 0 ||
                     options->max_interval_ms > 0 || options->sends_unchanged;
    if (status != SPB_OK || !is_needed) {
        return status;
    }
    spb_change *change = calloc(1, sizeof *change);
    if (!change) {
        return spb_error__no_memory(err, "the options of a metric");
    }
    measure by = measure_of(type);
    *change = (spb_change){.band = band_of(options, by),
                           .measure = (uint8_t)by,
                           .min_interval_ms = options->min_interval_ms,
                           .max_interval_ms = options->max_interval_ms,
                           .keeps_all = options->keeps_all,
                           .sends_unchanged = options->sends_unchanged};
    *out = change;
    return SPB_OK;
}

/* ---- has it changed? ---- */

static number number_of(const spb_value *value, measure by) {
    if (by == MEASURE_REAL) {
        return (number){.f64 = value->type == SPB_FLOAT ? (double)value->as.f32 : value->as.f64};
    }
    return (number){.u64 = value->type == SPB_BOOLEAN ? value->as.boolean : value->as.u64};
}

static bool is_beyond(const spb_change *change, number now) {
    const number sent = change->sent;
    uint64_t upwards = now.u64 - sent.u64; /* of both kinds of integers: in two's complement the difference is right */
    switch (change->measure) {
    case MEASURE_SIGNED: return (now.i64 >= sent.i64 ? upwards : 0 - upwards) > change->band.u64;
    case MEASURE_UNSIGNED: return (now.u64 >= sent.u64 ? upwards : 0 - upwards) > change->band.u64;
    default:
        /* Infinities first: the difference of two that are equal is NaN. */
        return now.f64 != sent.f64 && !(fabs(now.f64 - sent.f64) <= change->band.f64) &&
               !(isnan(now.f64) && isnan(sent.f64));
    }
}

/* Both are null, or neither is. */
static bool has_changed(const spb_change *change, const spb_report *last, const spb_report *sample) {
    if (!change || change->measure == MEASURE_CONTENT) {
        bool is_apart = change && (change->sends_unchanged || change->hold == HOLD_CHANGED);
        return is_apart || !spb_value_equal(last->value, sample->value);
    }
    return change->sends_unchanged ||
           (!sample->value->is_null && is_beyond(change, number_of(sample->value, change->measure)));
}

static bool is_exempt(const spb_report *last, const spb_report *sample) {
    return sample->is_forced || sample->quality != last->quality || sample->value->is_null != last->value->is_null;
}

/* ---- is it time? ---- */

static uint64_t later(uint64_t at_ms, uint32_t interval_ms) {
    return interval_ms <= UINT64_MAX - at_ms ? at_ms + interval_ms : UINT64_MAX;
}

/* An unchanged one goes along with those that are deferred, if there are any. */
static uint64_t held_until(const spb_change *change, hold why) {
    bool is_long = why == HOLD_UNCHANGED && !change->has_deferred;
    return later(change->sent_ms, is_long ? change->max_interval_ms : change->min_interval_ms);
}

static void note_sent(spb_change *change, const spb_value *value, uint64_t at_ms) {
    if (change->measure != MEASURE_CONTENT && !value->is_null) {
        change->sent = number_of(value, change->measure);
    }
    change->sent_ms = at_ms;
    change->hold = HOLD_NONE;
    change->has_deferred = false;
    change->is_doubtful = false;
}

void spb_change__reported(spb_change *change, const spb_report *sample) {
    if (change) {
        note_sent(change, sample->value, sample->timestamp_ms);
    }
}

/* Until when what waits does; 0: nothing waits. */
static uint64_t waits_until(const spb_change *change) {
    bool waits = change->hold != HOLD_NONE || change->has_deferred;
    return waits ? held_until(change, (hold)change->hold) : 0;
}

/* What has become due between the sample before and this time. True: the held one is sent. One that is as new is the
 * newer one. An unchanged one need not be sent at its time: this one can be as well. */
static bool catch_up(spb_change *change, const spb_report *last, uint64_t now_ms) {
    uint64_t due_ms = later(change->sent_ms, change->min_interval_ms);
    if (now_ms < change->sent_ms) {
        change->sent_ms = now_ms;
    } else if (change->hold == HOLD_CHANGED && now_ms > due_ms) {
        note_sent(change, last->value, due_ms);
        return true;
    } else if (change->has_deferred && now_ms >= due_ms) {
        change->sent_ms = due_ms;
        change->has_deferred = false;
    }
    return false;
}

static spb_verdict send(spb_change *change, const spb_report *sample) {
    note_sent(change, sample->value, sample->timestamp_ms);
    return (spb_verdict){.kind = SPB_VERDICT_SEND};
}

static spb_verdict judge_unchanged(spb_change *change, const spb_report *sample) {
    if (change->max_interval_ms == 0) {
        change->hold = HOLD_NONE;
        return (spb_verdict){.kind = SPB_VERDICT_DROP};
    }
    uint64_t due_ms = held_until(change, HOLD_UNCHANGED);
    if (sample->timestamp_ms >= due_ms) {
        return send(change, sample);
    }
    change->hold = HOLD_UNCHANGED;
    return (spb_verdict){.kind = SPB_VERDICT_HOLD, .until_ms = due_ms};
}

static spb_verdict judge_changed(spb_change *change, const spb_report *sample) {
    uint64_t due_ms = later(change->sent_ms, change->min_interval_ms);
    if (sample->timestamp_ms >= due_ms) {
        return send(change, sample);
    }
    if (!change->keeps_all) {
        change->hold = HOLD_CHANGED;
        return (spb_verdict){.kind = SPB_VERDICT_HOLD, .until_ms = due_ms};
    }
    note_sent(change, sample->value, change->sent_ms);
    change->has_deferred = true;
    return (spb_verdict){.kind = SPB_VERDICT_DEFER, .until_ms = due_ms};
}

spb_verdict spb_change__judge(spb_change *change, const spb_report *last, const spb_report *sample) {
    bool passes = is_exempt(last, sample) || (change && change->is_doubtful);
    if (!change) {
        bool is_news = passes || has_changed(NULL, last, sample);
        return (spb_verdict){.kind = is_news ? SPB_VERDICT_SEND : SPB_VERDICT_DROP};
    }
    bool was_held = change->hold != HOLD_NONE;
    uint64_t before_ms = waits_until(change);
    bool releases_held = catch_up(change, last, sample->timestamp_ms);
    spb_verdict verdict = passes                              ? send(change, sample)
                          : has_changed(change, last, sample) ? judge_changed(change, sample)
                                                              : judge_unchanged(change, sample);
    verdict.releases_held = releases_held;
    verdict.replaces_held = was_held && !releases_held;
    verdict.is_running = verdict.until_ms != 0 && verdict.until_ms == before_ms;
    return verdict;
}

bool spb_change__is_timeless(const spb_change *change) {
    return !change || (!change->is_doubtful && change->min_interval_ms == 0 && change->max_interval_ms == 0);
}

bool spb_change__drops_always(const spb_change *change, const spb_report *last, const spb_report *sample) {
    return spb_change__is_timeless(change) && !is_exempt(last, sample) && !has_changed(change, last, sample);
}

void spb_change__doubt(spb_change *change) {
    if (change) {
        change->is_doubtful = true;
    }
}

bool spb_change__on_due(spb_change *change, const spb_report *last) {
    bool was_held = change->hold != HOLD_NONE;
    uint64_t due_ms = held_until(change, (hold)change->hold);
    if (was_held) {
        note_sent(change, last->value, due_ms);
    } else if (change->has_deferred) {
        change->sent_ms = due_ms;
        change->has_deferred = false;
    }
    return was_held;
}
