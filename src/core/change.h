/*
 * Report by exception: which samples of a metric are worth sending. By default those that differ from the one before;
 * with a state of its own, a metric may have a deadband and intervals, too.
 *
 * All times are those of the samples, so the same samples give the same reports, however fast they come. The newest
 * sample is kept by the caller, as the metric's value; the state knows only what was sent last.
 */
#ifndef SPB_CORE_CHANGE_H
#define SPB_CORE_CHANGE_H

#include <spb/value.h>

/* What a metric asks for. Zeroed: each change is sent, at once. */
typedef struct spb_change_options {
    double deadband;         /* numbers: a change of no more than this, from the value sent last, is none */
    double deadband_percent; /* the same, in percent of max − min; one of the two at most */
    double min, max;
    uint32_t min_interval_ms; /* what is sent is so far apart; 0: no matter */
    uint32_t max_interval_ms; /* when nothing was sent for so long, the newest sample is, changed or not; 0: never */
    bool keeps_all;           /* changes that come too early are all sent, together, when min_interval_ms is over; else
                                 the newest of them alone */
    bool sends_unchanged;     /* each sample counts as changed */
} spb_change_options;

typedef struct spb_report {
    const spb_value *value; /* of the metric's datatype */
    uint64_t timestamp_ms;
    uint16_t quality; /* any code: it is compared alone */
    bool is_forced;   /* to be sent, whatever the rules say */
} spb_report;

/* Without rules of its own a metric sends what is not this. */
static inline bool spb_report__is_same(const spb_report *last, const spb_report *sample) {
    return !sample->is_forced && sample->quality == last->quality && spb_value_equal(last->value, sample->value);
}

typedef enum spb_verdict_kind {
    SPB_VERDICT_DROP,  /* says nothing new, and will never be sent */
    SPB_VERDICT_HOLD,  /* is sent at until_ms, unless another sample comes before */
    SPB_VERDICT_DEFER, /* is sent, together with what follows, at until_ms; earlier does no harm */
    SPB_VERDICT_SEND   /* is sent with the next message */
} spb_verdict_kind;

typedef struct spb_verdict {
    spb_verdict_kind kind;
    bool releases_held; /* the sample before was held and its time has come: it is sent ahead of this one */
    bool replaces_held; /* the sample before was held, and will never be sent */
    uint64_t until_ms;  /* of HOLD and DEFER, in the time of the samples; */
    bool is_running;    /* the same as of the sample before: its timer is not put off */
} spb_verdict;

typedef struct spb_change spb_change;

/*
 * A state, if these options need one: else *out is NULL, and SPB_OK. Free it with free().
 * SPB_ERR_ARGUMENT: the options contradict each other, or the datatype has no deadband. SPB_ERR_NO_MEMORY.
 */
spb_status spb_change__new(spb_change **out, const spb_change_options *options, spb_type type, spb_error *err);

/*
 * `sample` became known to hosts by itself: as the first value of the metric, or by a birth. Called once before
 * anything is judged, and for each birth; what was held is held no more. So the first sample after a birth is sent only
 * if it says something else than the birth. `change` may be NULL.
 */
void spb_change__reported(spb_change *change, const spb_report *sample);

/*
 * What becomes of `sample`, which comes after `last`, the newest one so far. `change` NULL: the metric has no options.
 *
 * Always sent: forced ones; another quality; null after a value, and a value after null. Otherwise a sample is
 * - unchanged, when it equals the one sent last, or lies within the deadband around it. Strings, bytes, arrays,
 *   DataSets and Templates are compared by content; NaN equals NaN, and to or from NaN and the infinities is a change
 *   that no deadband hides. Integers are exact to 64 bits;
 * - too early, when less than min_interval_ms have passed since what was sent last.
 * A timestamp before that of the last report does not wait for the clock to come back: intervals begin anew with it.
 * While a change of text, bytes or the like is held, what was sent last is not at hand, and counts as different.
 */
spb_verdict spb_change__judge(spb_change *change, const spb_report *last, const spb_report *sample);

/* A sample is sent or dropped, whatever its time. `change` may be NULL. */
bool spb_change__is_timeless(const spb_change *change);
/* Whatever its time, `sample` would be dropped. Changes nothing. `change` may be NULL. */
bool spb_change__drops_always(const spb_change *change, const spb_report *last, const spb_report *sample);

/* What was to be sent could not be: the next sample is sent in any case. `change` may be NULL. */
void spb_change__doubt(spb_change *change);

/* The time of a HOLD or DEFER has come. True: `last`, the newest sample, was held, and is sent now. */
bool spb_change__on_due(spb_change *change, const spb_report *last);

#endif
