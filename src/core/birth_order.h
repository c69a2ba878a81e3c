/* The metrics of a birth in the order of their time (tck-id-operational-behavior-data-publish-nbirth-order). */
#ifndef SPB_CORE_BIRTH_ORDER_H
#define SPB_CORE_BIRTH_ORDER_H

#include "core/table.h"

typedef struct spb_dated_metric spb_dated_metric;

typedef struct spb_birth_order {
    uint64_t oldest_ms;       /* of all metrics; UINT64_MAX: there are none */
    const spb_metric *next;   /* in the order in which they were defined, if that is the order of time */
    spb_dated_metric *sorted; /* NULL: it is */
    size_t count, at;         /* in `sorted` */
} spb_birth_order;

/* SPB_ERR_NO_MEMORY: nothing is to be cleared. The metrics must not change before spb_birth_order__clear. */
spb_status spb_birth_order__init(spb_birth_order *order, const spb_device *holder);
/* The definitions of templates, whose time says nothing, and which instances refer to; then all others, the oldest
 * first, and as they were defined where the time is the same. NULL: that was all. */
const spb_metric *spb_birth_order__next(spb_birth_order *order);
void spb_birth_order__clear(spb_birth_order *order);

#endif
