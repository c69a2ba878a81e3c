/* Arrays, DataSets and Templates taken apart: each part becomes a metric of its own, Levels[3], Recipe[0].Step, M1/RPM.
 */
#ifndef SPB_CLI_UNFOLD_H
#define SPB_CLI_UNFOLD_H

#include "cli/births.h"
#include "cli/pool.h"

/* So much may come of one message: a few bytes can stand for millions of Booleans. */
enum { UNFOLD_MAX_PARTS = 100000 };

typedef struct unfold {
    metric_view *views; /* the parts of the last message */
    spb_payload_metric *metrics;
    size_t count, capacity;
    pool names;       /* where names are made */
    bool has_failed;  /* no memory */
    bool is_too_much; /* more than UNFOLD_MAX_PARTS */
} unfold;

/* Fills u->views with what these metrics consist of; what has no parts stands for itself. Everything is borrowed until
 * the next call, also from `views`. SPB_ERR_LIMIT, SPB_ERR_NO_MEMORY. */
spb_status unfold_metrics(unfold *u, const metric_view *views, size_t count, spb_error *err);
void unfold_clear(unfold *u);

#endif
