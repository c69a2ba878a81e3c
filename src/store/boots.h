/* Runs of the machine whose wall clock was not set at first, and what its samples must be shifted by. */
#ifndef SPB_STORE_BOOTS_H
#define SPB_STORE_BOOTS_H

#include <stddef.h>

#include <spb/store.h>

typedef struct spb_boot {
    uint64_t boot;
    int64_t offset_ms; /* wall clock minus monotonic clock */
    bool is_saved;     /* for the store in a file: the file has it as it is */
} spb_boot;

/* Zeroed: none is known. */
typedef struct spb_boots {
    spb_boot *items;
    size_t count;
    size_t capacity;
} spb_boots;

/* What is known of the times of a block, its clock included. */
typedef struct spb_times {
    uint64_t oldest_ms; /* 0: not known */
    uint64_t newest_ms; /* UINT64_MAX: not known */
} spb_times;

void spb_boots__clear(spb_boots *boots);
/* Takes the place of what was known of that run. False: no memory, and nothing changed. */
bool spb_boots__set(spb_boots *boots, spb_boot boot);
/* What to add to timestamps of that run; 0: not known, or boot is 0. */
int64_t spb_boots__shift(const spb_boots *boots, uint64_t boot);
spb_times spb_boots__times(const spb_boots *boots, uint64_t boot, uint64_t first_ms, uint64_t last_ms);

#endif
