/*
 * Messages in the order in which they were published, kept until the server has read them; or in which they are to be
 * stored. A FIFO in contiguous memory: in the steady state nothing is allocated.
 */
#ifndef SPB_CORE_WINDOW_H
#define SPB_CORE_WINDOW_H

#include <spb/value.h>

#include "base/buffer.h"

typedef enum spb_record_kind {
    SPB_RECORD_DATA,    /* live data: its bytes are kept, or its block in the journal is known */
    SPB_RECORD_BIRTH,   /* the values that a birth carried; they stand in the metrics, too */
    SPB_RECORD_WAITING, /* not published, but for the journal: when all that is older and was published has arrived */
    SPB_RECORD_DONE,    /* one of these that is there */
    SPB_RECORD_REPLAY   /* a message of a chunk of the journal, which keeps the rest */
} spb_record_kind;

typedef struct spb_record {
    spb_record_kind kind;
    uint64_t ordinal;  /* of the message in its connection */
    uint64_t id;       /* DATA: its block in the journal, or 0; REPLAY: the number of its chunk */
    uint64_t first_ms; /* as in spb_block */
    uint64_t last_ms;
    uint64_t boot;
    uint64_t at_ms; /* monotonic: when it was written, and once it is confirmed, when that was */
    uint32_t samples;
    uint32_t size;       /* bytes of its metrics, whether they are kept or not */
    uint32_t device_len; /* bytes that are kept: the device's ID, */
    uint32_t len;        /* and the metrics */
    uint8_t epoch;       /* that it counts in, for spb_flushes */
    bool is_written;
    bool is_doubtful; /* it was published, and may have arrived */
    bool is_settled;  /* in that epoch */
} spb_record;

typedef struct spb_window {
    spb_record *records;
    size_t first; /* index of the oldest */
    size_t count;
    size_t capacity;
    size_t confirmed;     /* the oldest of them, which are kept for another reason */
    size_t confirmed_end; /* offset behind the bytes of these */
    spb_buffer bytes;
    size_t start; /* offset of the oldest one's bytes */
} spb_window;

void spb_window__clear(spb_window *window);
/* Appends a record with its device ID and metrics; `record` says how much of both. False: no memory. */
bool spb_window__push(spb_window *window, const spb_record *record, const void *device_id, const void *metrics);
/* The record of that index, 0 … count - 1, counted from the oldest; borrowed until the window changes. */
spb_record *spb_window__at(const spb_window *window, size_t index);
/* The bytes of the oldest one, and of the oldest that is not confirmed; borrowed likewise. */
typedef struct spb_record_bytes {
    spb_str device_id; /* absent: none is kept, or it is of the node */
    spb_bytes metrics;
} spb_record_bytes;
spb_record_bytes spb_window__front(const spb_window *window);
spb_record_bytes spb_window__unconfirmed(const spb_window *window);
/* The oldest that is not confirmed counts as confirmed. */
void spb_window__confirm(spb_window *window);
/* Removes the oldest. */
void spb_window__pop(spb_window *window);
/* Removes all that are not confirmed. */
void spb_window__cut(spb_window *window);
/* Of memory: the bytes that are kept, and the records themselves. */
size_t spb_window__size(const spb_window *window);

#endif
