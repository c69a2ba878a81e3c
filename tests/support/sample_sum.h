/* The sum that the counters of a session promise (<spb/session.h>): in = now + ended. */
#ifndef TESTS_SUPPORT_SAMPLE_SUM_H
#define TESTS_SUPPORT_SAMPLE_SUM_H

#include <spb/session.h>

typedef struct sample_sum {
    uint64_t in;    /* all that there are to account for */
    uint64_t now;   /* waiting, under way, or in the journal */
    uint64_t ended; /* confirmed, suppressed or dropped */
} sample_sum;

static inline sample_sum sample_sum_of(const spb_stats *s) {
    return (sample_sum){
        .in = s->samples_accepted + s->samples_found + s->samples_repeated + s->samples_reopened,
        .now = s->samples_waiting + s->samples_unconfirmed + s->samples_in_journal,
        .ended = s->samples_confirmed + s->samples_suppressed + s->samples_dropped_offline +
                 s->samples_dropped_overflow + s->samples_dropped_lost + s->samples_dropped_choice +
                 s->samples_dropped_gone + s->samples_dropped_age + s->samples_dropped_disk +
                 s->samples_dropped_journal,
    };
}

#endif
