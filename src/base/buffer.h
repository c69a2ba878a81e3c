/* A growing byte buffer. All memory comes from malloc; a failed append leaves the buffer as it was. */
#ifndef SPB_BASE_BUFFER_H
#define SPB_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spb_buffer {
    uint8_t *data; /* NULL while capacity is 0 */
    size_t len;
    size_t capacity;
} spb_buffer;

void spb_buffer__init(spb_buffer *buffer);
void spb_buffer__clear(spb_buffer *buffer);
/* Room for `more` bytes behind len; false when there is no memory. Grows at least by half, so appending is O(1). */
bool spb_buffer__reserve(spb_buffer *buffer, size_t more);
bool spb_buffer__append(spb_buffer *buffer, const void *data, size_t len);

#endif
