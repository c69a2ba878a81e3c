/* Decides what the store holds. */
#include "support/worn_store.h"

#include <check.h>

#include "support/blocks.h"

const spb_store_options small_store = {.max_bytes = 2 << 20};

void make_store(void) {
    spb_error err;
    spb_store *store = store_files_open(&small_store);
    ck_assert_int_eq(store->save_bdseq(store, 123, &err), SPB_OK);
    static const spb_alias aliases[] = {{.name = {.data = "Temperature", .len = 11}, .type = SPB_DOUBLE, .alias = 1},
                                        {.name = {.data = "Pressure", .len = 8}, .type = SPB_FLOAT, .alias = 2}};
    ck_assert_int_eq(store->save_aliases(store, aliases, 2, &err), SPB_OK);
    blocks_append(store, 1, 30, 300);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    blocks_append(store, 31, 60, 300);
    ck_assert_int_eq(store->confirm(store, 5, 9, &err), SPB_OK);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
}
