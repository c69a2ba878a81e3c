/* A store of a device in use, which the tests of damage spoil. */
#ifndef TESTS_SUPPORT_WORN_STORE_H
#define TESTS_SUPPORT_WORN_STORE_H

#include "support/store_files.h"

extern const spb_store_options small_store;

/* A store with an identity and blocks 1 … 60 of 300 samples, of which 5 … 9 are confirmed; some of it is in the log. */
void make_store(void);

#endif
