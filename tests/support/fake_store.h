/* A store in memory that fails when the test says so. It belongs to the test; `free` only notes that it was called. */
#ifndef SPB_TEST_FAKE_STORE_H
#define SPB_TEST_FAKE_STORE_H

#include <spb/store.h>

typedef struct fake_store {
    spb_store store;
    uint8_t bdseq;
    bool has_bdseq;
    bool fails_load, fails_save;
    unsigned freed;
} fake_store;

void fake_store_init(fake_store *self);

#endif
