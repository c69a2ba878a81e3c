/* Decides how much room of the file and its log a change is taken to need: never less than it does. What is done when
 * there is not so much is left to write.c. */
#include "store/cost.h"

#define PAGES_IN_TRUNK 256 /* of the list of free pages, at least, after each of whose pages one is changed */

uint64_t spb_cost__block_bytes(const spb_sqlite *store, const spb_block *block) {
    return spb_room__row_bytes(&store->room, SPB_COST_BLOCK_HEAD_BYTES + block->device_id.len + block->metrics.len);
}

static uint64_t block_pages(const spb_sqlite *store, const spb_block *block) {
    return spb_cost__block_bytes(store, block) / store->room.page_bytes + 1;
}

uint64_t spb_cost__drop_pages(const spb_sqlite *store, const spb_store_segment *segment) {
    uint64_t pages = SPB_COST_BASE_PAGES + (2 * segment->total.bytes + 256 * segment->total.blocks) /
                                               (PAGES_IN_TRUNK * store->room.page_bytes);
    uint64_t most = spb_room__transaction_pages(&store->room) - 2 * SPB_COST_BASE_PAGES;
    return pages < most ? pages : most; /* one of a larger store, or of which the file tells a lie: alone in the log */
}

bool spb_cost__can_hold(const spb_sqlite *store, const spb_block *block) {
    uint64_t pages = block_pages(store, block) + SPB_COST_BASE_PAGES + SPB_COST_TABLE_PAGES;
    return pages <= spb_room__transaction_pages(&store->room) && pages + SPB_COST_BASE_PAGES <= store->room.block_pages;
}

/* An upper bound of the pages that what waits will take. */
static uint64_t waiting_pages(const spb_sqlite *store) {
    const spb_blocks *waiting = &store->waiting;
    return (2 * (uint64_t)waiting->memory + waiting->amount.blocks * SPB_COST_BLOCK_HEAD_BYTES) /
           store->room.page_bytes;
}

bool spb_cost__has_room(spb_sqlite *store, const spb_block *block) {
    uint64_t pages = block_pages(store, block) + waiting_pages(store) + SPB_COST_TABLE_PAGES;
    return store->room.used_pages + pages <= spb_room__for_blocks(&store->room, &store->database);
}

uint64_t spb_cost__wanted_pages(const spb_sqlite *store) {
    uint64_t bytes = 0, from_id = 0;
    for (const spb_block *block; (block = spb_blocks__find(&store->waiting, from_id)); from_id = block->id + 1) {
        bytes += spb_cost__block_bytes(store, block);
    }
    uint64_t pages = SPB_COST_BASE_PAGES + SPB_COST_TABLE_PAGES + bytes / store->room.page_bytes + 1 +
                     store->fresh.count / SPB_COST_ROWS_IN_PAGE;
    for (size_t i = 0; i < store->segments.count; i++) {
        pages += store->segments.items[i].is_dropped ? spb_cost__drop_pages(store, &store->segments.items[i]) : 0;
    }
    if (store->waiting.amount.blocks > 0) {
        pages += store->segments.count > 0 ? spb_cost__drop_pages(store, &store->segments.items[0]) : 0;
    }
    uint64_t most = spb_room__transaction_pages(&store->room);
    return pages < most ? pages : most;
}
