/* All that a gateway and a tool do with a store, on a file in which anything may stand. */
#ifndef SPB_TEST_STORE_ORDEAL_H
#define SPB_TEST_STORE_ORDEAL_H

#include <stdbool.h>

#include <spb/store.h>

/* What was found. */
typedef struct store_ordeal_result {
    bool is_refused;        /* to the gateway: it is not a store of Plant1/Edge1 */
    bool was_damaged;       /* by the word of the store that was opened first */
    uint64_t blocks;        /* that could be read then, */
    uint64_t looked_blocks; /* and by the one that only looked */
    int bdseq;              /* -1: none */
    int aliases;
} store_ordeal_result;

/*
 * Looks into the file, opens it as the store of Plant1/Edge1, reads all, adds, confirms and expires blocks, saves a
 * bdSeq and aliases, and opens it again. NULL: all went as it should; else what did not. Whatever is in the file, a
 * store that opens takes what it is given and has it after the next opening.
 */
const char *store_ordeal(const char *path, store_ordeal_result *out);

#endif
