/* How the bytes of a store are shared out: the file, its log, and what waits. */
#ifndef SPB_STORE_ROOM_H
#define SPB_STORE_ROOM_H

#include <stdbool.h>

#include "store/database.h"

typedef struct spb_room {
    uint64_t page_bytes;
    uint64_t file_pages;    /* the most that the file may have */
    uint64_t block_pages;   /* of those, for blocks; the others are kept for the identity, and for dropping blocks */
    uint64_t log_frames;    /* the most that the log may have; a frame is a page and its head */
    uint64_t segment_bytes; /* a segment that has so many is complete */
    uint64_t frames;        /* in the log now */
    uint64_t used_pages;    /* of the file, without those that are free; after the last transaction */
    uint64_t disk_pages;    /* of the file that the disk has given us */
    uint64_t written_bytes; /* since it was opened */
    uint64_t growth_tried;  /* used_pages when the disk did not give more */
} spb_room;

/* Shares out max_bytes, tells SQLite the cap, and takes the disk's room for all of it, as far as there is any. */
spb_status spb_room__open(spb_room *room, spb_database *database, uint64_t max_bytes, spb_error *err);
/* Pages that may be used for blocks now. If the disk has not given all of the file, it is asked again. */
uint64_t spb_room__for_blocks(spb_room *room, spb_database *database);
/* What a row of so many bytes costs, at most, in bytes of pages. */
uint64_t spb_room__row_bytes(const spb_room *room, uint64_t payload_bytes);
/* Pages that one transaction may change when the log is empty, and as it is. */
uint64_t spb_room__transaction_pages(const spb_room *room);
uint64_t spb_room__log_pages(const spb_room *room);
/* Before a transaction that changes up to so many pages: the log has room for them. */
spb_status spb_room__clear_log(spb_room *room, spb_database *database, uint64_t pages, spb_error *err);
/* After each transaction, and in one, after pages came free: counts again. */
spb_status spb_room__measure(spb_room *room, spb_database *database, spb_error *err);
/* Of the file and its log, on the disk. */
uint64_t spb_room__disk_bytes(spb_database *database);

/* The disk has given less than the file may have: *warning, whose status stays as it is, says so, too. */
void spb_room__warn(const spb_room *room, const spb_database *database, spb_error *warning);

#endif
