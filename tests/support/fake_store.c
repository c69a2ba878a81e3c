/* Decides nothing: keeps one number, or fails. */
#include "support/fake_store.h"

#include <string.h>

static spb_status fail(spb_error *err) {
    if (err) {
        *err = (spb_error){.status = SPB_ERR_STORE, .offset = SPB_NO_OFFSET, .text = "the test's disk is full"};
    }
    return SPB_ERR_STORE;
}

static spb_status load(spb_store *store, uint8_t *bdseq, bool *found, spb_error *err) {
    fake_store *self = (fake_store *)store;
    if (self->fails_load) {
        return fail(err);
    }
    *bdseq = self->bdseq;
    *found = self->has_bdseq;
    return SPB_OK;
}

static spb_status save(spb_store *store, uint8_t bdseq, spb_error *err) {
    fake_store *self = (fake_store *)store;
    if (self->fails_save) {
        return fail(err);
    }
    self->bdseq = bdseq;
    self->has_bdseq = true;
    return SPB_OK;
}

static void close_store(spb_store *store) {
    ((fake_store *)store)->freed++;
}

void fake_store_init(fake_store *self) {
    *self = (fake_store){.store = {.load_bdseq = load, .save_bdseq = save, .free = close_store}};
}
