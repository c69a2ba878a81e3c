/*
 * Deadlines, the next one found at once: a heap of moments, each of a thing that keeps its place in the heap. A thing
 * has one deadline at most for each place. Every step is O(log n).
 */
#ifndef SPB_BASE_DEADLINES_H
#define SPB_BASE_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The moment may be earlier than was thought. */
static inline void spb_due__by(uint64_t *due_ms, uint64_t at_ms) {
    *due_ms = at_ms < *due_ms ? at_ms : *due_ms;
}

/* The index in the heap, from 1, which the heap keeps right. 0: no deadline is set. */
typedef uint32_t spb_deadline;

typedef struct spb_deadline_item {
    uint64_t at_ms;
    spb_deadline *place;
} spb_deadline_item;

/* Zeroed: empty. */
typedef struct spb_deadlines {
    spb_deadline_item *items;
    size_t count;
    size_t capacity;
} spb_deadlines;

/* The thing of that type whose `member` the place is; NULL for NULL. */
#define SPB_DEADLINE_OF(place, type, member) ((type *)spb_deadlines__thing((place), offsetof(type, member)))

void *spb_deadlines__thing(spb_deadline *place, size_t offset);
void spb_deadlines__clear(spb_deadlines *heap);
/* Room for `count` deadlines in all, so that they can be set without fail. False: no memory. */
bool spb_deadlines__reserve(spb_deadlines *heap, size_t count);
/* The deadline is at_ms, and at no other time. False: no memory, and nothing has changed. */
bool spb_deadlines__set(spb_deadlines *heap, spb_deadline *place, uint64_t at_ms);
/* There is none any more. */
void spb_deadlines__cancel(spb_deadlines *heap, spb_deadline *place);
/* When it is; UINT64_MAX: none is set. */
uint64_t spb_deadlines__at_ms(const spb_deadlines *heap, const spb_deadline *place);
/* When the next one is; UINT64_MAX: there is none. */
uint64_t spb_deadlines__next_ms(const spb_deadlines *heap);
/* Takes out the next one if it is not after now_ms; else NULL. */
spb_deadline *spb_deadlines__ring(spb_deadlines *heap, uint64_t now_ms);

#endif
