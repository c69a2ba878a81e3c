/* Checking an encoded payload before anything is built from it. */
#ifndef SPB_CODEC_PREFLIGHT_H
#define SPB_CODEC_PREFLIGHT_H

#include <spb/payload.h>

/*
 * True to the encoding and the schema, and within the limits (all set, as spb_limits__effective gives them)? After
 * SPB_OK the payload can be walked without looking at its bounds: each tag, number and length in a known message is
 * whole, known fields have their form, strings are UTF-8, what may stand once stands once, and every metric has a name
 * or an alias. Uses a fixed, small amount of stack and no heap. *metric_count: the payload's own metrics.
 */
spb_status spb_preflight__check(spb_bytes wire, const spb_limits *limits, size_t *metric_count, spb_error *err);

#endif
