/* So many of a thing in each second, and how many there were beyond that. */
#ifndef SPB_BASE_QUOTA_H
#define SPB_BASE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: nothing was taken. */
typedef struct spb_quota {
    uint64_t end_ms;   /* of the present second, monotonic */
    uint32_t taken;    /* in it */
    uint64_t left_out; /* and not told yet */
} spb_quota;

/* True: this one is within the `most` of a second, which begins with the first. Else it is counted as left out. */
bool spb_quota__take(spb_quota *quota, uint32_t most, uint64_t now_ms);
/* How many were left out, if there are any and their second is over; they count as told then. Else 0. */
uint64_t spb_quota__tell(spb_quota *quota, uint64_t now_ms);
/* When there will be something to tell; UINT64_MAX: nothing. */
uint64_t spb_quota__due_ms(const spb_quota *quota);

#endif
