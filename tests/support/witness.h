/*
 * Report by exception as one would tell it: what hosts know of a metric and since when, and what waits. A second
 * opinion for the tests, in exact arithmetic; it knows nothing of how the library does it.
 */
#ifndef SPB_TEST_WITNESS_H
#define SPB_TEST_WITNESS_H

#include <spb/value.h>

typedef struct witness_rule {
    double deadband; /* of numbers, in their own unit; 0: none */
    double range;
    uint32_t deadband_percent; /* the same, in percent of `range` */
    uint32_t min_interval_ms, max_interval_ms;
    bool keeps_all;
    bool sends_unchanged;
} witness_rule;

typedef enum witness_kind { WITNESS_DROP, WITNESS_HOLD, WITNESS_DEFER, WITNESS_SEND } witness_kind;

/* What becomes of a sample, and of the one before it, if that was held. */
typedef struct witness_verdict {
    witness_kind kind;
    bool releases_held, replaces_held;
    uint64_t until_ms; /* of HOLD and DEFER, in the time of the samples; */
    bool is_running;   /* what waited before did so until the same time */
} witness_verdict;

typedef struct witness {
    witness_rule rule;
    spb_value newest, known; /* copies: the newest sample, and what hosts know */
    uint64_t newest_ms, known_ms;
    uint16_t quality;
    bool is_held;           /* the newest one waits, */
    bool is_change_held;    /* as it came too early, */
    uint64_t held_until_ms; /* until then */
    bool is_deferred;       /* some were sent, and wait for the end of the shortest interval */
    bool is_doubtful;       /* something that was to be sent was not: the next sample is, in any case */
} witness;

void witness_begin(witness *w, const witness_rule *rule, const spb_value *first, uint64_t at_ms, uint16_t quality);
void witness_end(witness *w);
/* What becomes of it, and then what hosts know is noted. */
witness_verdict witness_take(witness *w, const spb_value *value, uint64_t at_ms, uint16_t quality, bool is_forced);
/* A timer rings. True: the newest sample was held, and is sent. */
bool witness_ring(witness *w);
/* A birth: hosts know the newest sample. */
void witness_born(witness *w);
/* Who knows the one knows the other well enough, as far as values go. */
bool witness_is_near(const witness_rule *rule, const spb_value *a, const spb_value *b);

#endif
