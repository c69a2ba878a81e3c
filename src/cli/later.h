/*
 * The second pass: births that come later in a file than data of their node or device. Aliases and datatypes of that
 * data are then known after all, if the node did not change them in between.
 */
#ifndef SPB_CLI_LATER_H
#define SPB_CLI_LATER_H

#include <sys/types.h>

#include "cli/births.h"
#include "cli/feed.h"
#include "cli/filter.h"

typedef struct later {
    int fd;      /* the input; −1: it cannot be read twice, or was already */
    off_t start; /* where reading it began */
    const feed_options *options;
    const filter *wanted;
} later;

/* To be called before fd is read. */
void later_init(later *l, int fd, const feed_options *options, const filter *wanted);
/* At the first call, if fd is a file: reads it from the start, on a descriptor of its own, and teaches `all` the first
 * birth of each node and device (births_learn_later). Damage is not reported: the first pass does that. */
void later_find(later *l, births *all);

#endif
