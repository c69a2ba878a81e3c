/* A store that is there to be altered behind its back, and the ordeal of what came of that. */
#ifndef TESTS_SUPPORT_ALTERED_STORE_H
#define TESTS_SUPPORT_ALTERED_STORE_H

#include "support/store_files.h"
#include "support/store_ordeal.h"

extern const spb_store_options small_store;

/* A store with an identity, blocks 1 … 40 of 300 samples, of which 5 … 9 are confirmed, and no log: two segments. */
void make_store(void);
/* The file opens in the end, with little memory; else the test has failed. */
store_ordeal_result pass(const char *name);

#endif
