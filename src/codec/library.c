/*
 * Decides where libprotobuf-c puts what it unpacks. It allocates text with its length and one byte, and forgets the
 * length: so the size of each allocation is kept before it.
 */
#include "codec/library.h"

#include <stdalign.h>
#include <string.h>

_Static_assert(LIBRARY_HEAD_BYTES % alignof(max_align_t) == 0 && LIBRARY_HEAD_BYTES >= sizeof(size_t),
               "what stands behind it has to be aligned");

typedef struct source {
    spb_arena *arena;
    bool has_failed;
} source;

static void *allocate(void *context, size_t size) {
    source *from = context;
    char *memory =
        size <= SIZE_MAX - LIBRARY_HEAD_BYTES ? spb_arena__alloc(from->arena, LIBRARY_HEAD_BYTES + size) : NULL;
    if (!memory) {
        from->has_failed = true;
        return NULL;
    }
    memcpy(memory, &size, sizeof size);
    return memory + LIBRARY_HEAD_BYTES;
}

/* All of it goes with the arena. */
static void keep(void *context, void *memory) {
    (void)context;
    (void)memory;
}

spb_status spb_library__unpack(void **out, spb_arena *arena, spb_message message, spb_bytes wire) {
    source from = {.arena = arena};
    ProtobufCAllocator allocator = {allocate, keep, &from};
    *out = protobuf_c_message_unpack(spb_schema__messages[message], &allocator, wire.len, wire.data);
    if (*out) {
        return SPB_OK;
    }
    return from.has_failed ? SPB_ERR_NO_MEMORY : SPB_ERR_MALFORMED;
}

spb_str spb_library__text(const char *text) {
    size_t size;
    if (!text) {
        return (spb_str){NULL, 0};
    }
    memcpy(&size, text - LIBRARY_HEAD_BYTES, sizeof size);
    return (spb_str){text, size - 1};
}

bool spb_library__pack_to(spb_arena *arena, const ProtobufCMessage *message, spb_bytes *out) {
    uint8_t *bytes = spb_arena__alloc(arena, protobuf_c_message_get_packed_size(message));
    if (bytes) {
        *out = (spb_bytes){bytes, protobuf_c_message_pack(message, bytes)};
    }
    return bytes != NULL;
}
