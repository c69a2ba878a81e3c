/* Checking an encoded payload before anything is built from it. */
#ifndef SPB_CODEC_PREFLIGHT_H
#define SPB_CODEC_PREFLIGHT_H

#include <spb/payload.h>

/* How much there is to build. */
typedef struct spb_preflight_size {
    size_t metric_count; /* the payload's own metrics */
    uint64_t heap_bytes; /* what all structs take in an arena, the views' copy of the input not included */
} spb_preflight_size;

/*
 * True to the encoding and the schema, and within the limits (all set, as spb_limits__effective gives them)? After
 * SPB_OK the payload can be walked without looking at its bounds: each tag, number and length in a known message is
 * whole, known fields have their form, strings are UTF-8, what may stand once stands once, and every metric has a name
 * or an alias. `ends_at_nul`: text with a NUL is refused. Uses a fixed, small amount of stack and no heap.
 */
spb_status spb_preflight__check(spb_bytes wire, const spb_limits *limits, bool ends_at_nul, spb_preflight_size *size,
                                spb_error *err);

#endif
