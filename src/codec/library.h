/* libprotobuf-c on an arena: its allocator, and the texts that it unpacks. */
#ifndef SPB_CODEC_LIBRARY_H
#define SPB_CODEC_LIBRARY_H

#include <spb/payload.h>

#include "base/arena.h"
#include "codec/schema.h"

/* What an allocation takes in the arena beside its own bytes: its size stands before it. */
#define LIBRARY_HEAD_BYTES 16

/* Unpacks a message. SPB_ERR_MALFORMED: it is none, which what spb_preflight__check has found to be whole never gives.
 * SPB_ERR_NO_MEMORY: as a NULL of spb_arena__alloc. On failure *out is NULL. */
spb_status spb_library__unpack(void **out, spb_arena *arena, spb_message message, spb_bytes wire);

/* A text in an unpacked message, with all its bytes: a NUL does not end it. NULL: absent. */
spb_str spb_library__text(const char *text);

/* An undecoded message, such as a vendor's extension, as its bytes. *out is unchanged after a failure. */
bool spb_library__pack_to(spb_arena *arena, const ProtobufCMessage *message, spb_bytes *out);

#endif
