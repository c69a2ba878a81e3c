/* Blocks for the tests of stores: what is in block N follows from N, so that it can be recognised. */
#ifndef SPB_TEST_BLOCKS_H
#define SPB_TEST_BLOCKS_H

#include <spb/store.h>

#define BLOCKS_FIRST_MS UINT64_C(1760000000000)

/* Block `id` with `samples` samples of 21 bytes, of one of four devices or the node itself, one second per block.
 * Borrowed until the next call. */
spb_block blocks_make(uint64_t id, uint32_t samples);
/* Why `block` is not the one that blocks_make made; NULL: it is. */
const char *blocks_differ(const spb_block *block);
/* Appends the blocks first_id … last_id and fails the test if that fails. */
void blocks_append(spb_store *store, uint64_t first_id, uint64_t last_id, uint32_t samples);
/* Reads all there is from from_id on, fails the test if anything is not as it was made, and returns the number of
 * blocks; the ids go to `ids`, at most `capacity` of them (NULL: not wanted). */
size_t blocks_read(spb_store *store, uint64_t from_id, uint64_t *ids, size_t capacity);
/* The block of that id, borrowed as spb_store.read says; fails the test if it is not there. */
spb_block blocks_read_one(spb_store *store, uint64_t id);
/* Fails the test unless of the blocks 1 … 9, those from_id … until_id are kept for that one, and the others are not. */
void blocks_expect_kept(spb_store *store, uint64_t kept_for, uint64_t from_id, uint64_t until_id);
/* Fails the test unless these blocks are there and no others. */
void blocks_expect(spb_store *store, uint64_t first_id, uint64_t last_id);
spb_store_info blocks_info(spb_store *store);

#endif
