/* Decides what the store holds, and how much memory opening it may take. */
#include "support/altered_store.h"

#include <check.h>
#include <sqlite3.h>

#include "support/blocks.h"

#define MOST_MEMORY ((sqlite3_int64)24 << 20) /* of SQLite; a page cache of 2 MB, and one row at a time */

const spb_store_options small_store = {.max_bytes = 2 << 20};

void make_store(void) {
    spb_error err;
    static const spb_alias aliases[] = {{.name = {.data = "Temperature", .len = 11}, .type = SPB_DOUBLE, .alias = 1},
                                        {.name = {.data = "Pressure", .len = 8}, .type = SPB_FLOAT, .alias = 2}};
    store_files_remove();
    spb_store *store = store_files_open(&small_store);
    ck_assert_int_eq(store->save_bdseq(store, 123, &err), SPB_OK);
    ck_assert_int_eq(store->save_aliases(store, aliases, 2, &err), SPB_OK);
    ck_assert_int_eq(store->save_clock(store, 9, 1760000000000, &err), SPB_OK);
    for (uint64_t id = 1; id <= 40; id += 10) {
        blocks_append(store, id, id + 9, 300);
        ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    }
    ck_assert_int_eq(store->confirm(store, 5, 9, &err), SPB_OK);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
    /* Free pages, as after a segment was dropped: SQLite lists those that come free next, and leaves them as they are.
     */
    store_files_sql("CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(50000)); DROP TABLE filler;"
                    "PRAGMA wal_checkpoint(TRUNCATE)");
}

store_ordeal_result pass(const char *name) {
    store_ordeal_result result;
    sqlite3_memory_highwater(1);
    const char *wrong = store_ordeal(store_path, &result);
    ck_assert_msg(!wrong, "%s: %s", name, wrong);
    ck_assert_msg(sqlite3_memory_highwater(1) < MOST_MEMORY, "%s: it took too much memory", name);
    return result;
}
