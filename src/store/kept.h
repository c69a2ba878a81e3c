/* Which blocks have arrived and are kept for hosts, as text in the file: "<kept for> <first>-<last> <first>-<last> …".
 */
#ifndef SPB_STORE_KEPT_H
#define SPB_STORE_KEPT_H

#include "base/error.h"
#include "base/ranges.h"

/* More ranges than this are not written: those that are left out are sent again. */
#define SPB_KEPT_MOST_RANGES 32
#define SPB_KEPT_TEXT_BYTES (24 + SPB_KEPT_MOST_RANGES * 42)

/* Zeroed: none. */
typedef struct spb_kept {
    uint64_t kept_for; /* 0: nothing is kept */
    spb_ranges ids;
    bool is_saved; /* for the store in a file: the file has it as it is */
} spb_kept;

void spb_kept__clear(spb_kept *kept);
/* See spb_store.keep. SPB_ERR_NO_MEMORY. */
spb_status spb_kept__add(spb_kept *kept, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err);
/* What a block of that id is kept for; 0: it is not. */
uint64_t spb_kept__of(const spb_kept *kept, uint64_t id);
/* The newest ranges, ending in NUL. */
void spb_kept__write(const spb_kept *kept, char text[SPB_KEPT_TEXT_BYTES]);
/* Any program may have written the text: what is none, or has ids above last_id, is left out as a whole. */
void spb_kept__read(spb_kept *kept, const char *text, uint64_t last_id);

#endif
