/* Decides which options of a store are good. What is done with them is left to the stores. */
#include "store/options.h"

#include "base/error.h"

#define DEFAULT_BYTES (UINT64_C(64) << 20)
#define LEAST_BYTES (UINT64_C(1) << 20)
#define MOST_BYTES (UINT64_C(1) << 40) /* SQLite has fewer than 2^32 pages */

spb_status spb_store__options(spb_store_options *out, const spb_store_options *options, spb_error *err) {
    *out = options ? *options : (spb_store_options){0};
    if (out->max_bytes == 0) {
        out->max_bytes = DEFAULT_BYTES;
    }
    if (out->max_bytes < LEAST_BYTES || out->max_bytes > MOST_BYTES) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "store: max_bytes is %llu, it must be from 1 MiB to 1 TiB",
                              (unsigned long long)out->max_bytes);
    }
    if (out->policy != SPB_STORE_DROP_OLDEST && out->policy != SPB_STORE_DROP_NEWEST) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "store: there is no policy %d", (int)out->policy);
    }
    if (out->sync != SPB_STORE_SYNC_FULL && out->sync != SPB_STORE_SYNC_NORMAL) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "store: there is no sync %d", (int)out->sync);
    }
    return SPB_OK;
}
