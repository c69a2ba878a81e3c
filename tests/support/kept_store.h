/*
 * A store in memory that outlives the nodes it is given to, one at a time; counts, fails and holds up commits as the
 * test says. It belongs to the test: `free` only notes that it was called.
 */
#ifndef SPB_TEST_KEPT_STORE_H
#define SPB_TEST_KEPT_STORE_H

#include <pthread.h>

#include <spb/store.h>

typedef struct kept_store {
    spb_store store; /* what a node is given */
    spb_store *inner;
    const char *damage; /* what `info` tells; NULL: the file was sound */
    unsigned freed;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool fails;        /* appends and commits do */
    bool holds_commit; /* commits stay inside until this is set back */
    unsigned held;     /* commits that were held up */
    unsigned failed;   /* calls that failed */
} kept_store;

void kept_store_init(kept_store *self);
/* After the nodes. */
void kept_store_clear(kept_store *self);
void kept_store_fail(kept_store *self, bool fails);
void kept_store_hold_commit(kept_store *self, bool hold);
/* Wait until so many commits were held up, until so many calls have failed; else the test fails. */
void kept_store_await_held(kept_store *self, unsigned count);
void kept_store_await_failed(kept_store *self, unsigned count);

#endif
