/*
 * Does a server honour fences? One that does has read all that was published before a fence when it answers it, and
 * passes it on, whatever becomes of the publisher then.
 *
 * There are several forms of fence (spb_fence_form). Each is tried alone, and a node asks in the first one that is
 * answered; so does the rest of the test.
 *
 * A trial publishes numbered messages and fences, and closes the link as soon as an answer is there. What was before
 * that fence must still reach the subscriber. If it does not, the trial is repeated with the link left open: what then
 * gets lost as well is no matter of fences, but of a server that drops messages for a subscriber.
 */
#ifndef SPB_CLI_FENCE_TRIAL_H
#define SPB_CLI_FENCE_TRIAL_H

#include "cli/fence_client.h"

/* What is published in a trial. */
typedef struct fence_shape {
    const char *name;
    uint32_t messages;    /* ≤ FENCE_MAX_MESSAGES */
    uint32_t bytes;       /* of each; fewer if the server takes no such packet */
    uint32_t fences;      /* after equal parts of the messages; ≤ FENCE_MAX_ANSWERS */
    uint32_t close_after; /* so many answers */
} fence_shape;

enum { FENCE_SHAPES = 4 };
extern const fence_shape fence_shapes[FENCE_SHAPES];

/* The worst one last. */
typedef enum fence_verdict {
    FENCE_HONOURED,
    FENCE_UNKNOWN, /* messages got lost also while the link stayed open */
    FENCE_NOT_HONOURED
} fence_verdict;

typedef struct fence_result {
    fence_verdict verdict;
    uint32_t before;   /* messages before the fence whose answer closed the link, */
    uint32_t missing;  /* and how many of them did not arrive, in the trial that decided */
    uint32_t bytes;    /* of each */
    uint64_t later_us; /* how long after an answer the last of them arrived, at most, over all trials */
    spb_error failure; /* FENCE_NOT_HONOURED: the server did not answer at all, if its status is not SPB_OK */
} fence_result;

typedef struct fence_test {
    fence_client publisher, subscriber;
    uint32_t trials;               /* so far */
    uint32_t wait_ms;              /* how long nothing must arrive before what is missing counts as lost */
    bool answers[SPB_FENCE_FORMS]; /* forms that the server answers */
    spb_fence_form form;           /* the one in use */
} fence_test;

/* Connects the subscriber, which all that follows needs. */
spb_status fence_test_subscribe(fence_test *test, spb_error *err);
/* That a message of the publisher reaches the subscriber at all. SPB_ERR_REFUSED if not; else what the transport says.
 */
spb_status fence_test_reach(fence_test *test, spb_error *err);
/* Finds out which forms are answered; then the first of these is in use. SPB_ERR_TIMEOUT: none is. Else what the
 * transport says. */
spb_status fence_test_forms(fence_test *test, spb_error *err);
/* Some trials of one shape, until one fails. Not SPB_OK: the servers could not be reached, and there is no result. */
spb_status fence_test_shape(fence_test *test, const fence_shape *shape, uint32_t rounds, fence_result *out,
                            spb_error *err);

#endif
