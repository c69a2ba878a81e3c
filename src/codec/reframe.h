/*
 * Encoded metrics, as they stand one behind the other in a data message, made into others by framing: samples that are
 * sent again become historical ones, and those that nobody wants are left out. No value is decoded.
 */
#ifndef SPB_CODEC_REFRAME_H
#define SPB_CODEC_REFRAME_H

#include <spb/value.h>

#include "base/buffer.h"

/* Shall this metric stay? `alias` 0: it has none, and `name` is its name, borrowed for the call; else name is absent.
 */
typedef bool (*spb_reframe_fn)(void *context, uint64_t alias, spb_str name);

/*
 * Appends the metrics that `keep` (NULL: all) wants to `out`, with is_historical = true, and with shift_ms added to
 * timestamps before shift_before_ms (0: to none); what would leave the range of a timestamp stays at its end. Fields
 * stay in the order of their numbers. *kept and *dropped are how many metrics there were of each kind.
 * SPB_ERR_MALFORMED: not whole metrics with an alias or a name, or not as our encoder writes them, each field once and
 * in the order of the numbers; nested messages are not looked into. SPB_ERR_NO_MEMORY. On failure out->len is as it
 * was, and *kept and *dropped are 0.
 */
spb_status spb_reframe__historical(spb_buffer *out, spb_bytes metrics, int64_t shift_ms, uint64_t shift_before_ms,
                                   spb_reframe_fn keep, void *context, uint32_t *kept, uint32_t *dropped);
/* The same with metrics that stay as they are. */
spb_status spb_reframe__filter(spb_buffer *out, spb_bytes metrics, spb_reframe_fn keep, void *context, uint32_t *kept,
                               uint32_t *dropped);
/* The smallest and the largest timestamp of metrics; statuses as above, SPB_ERR_MALFORMED also when there is none. */
spb_status spb_reframe__span(spb_bytes metrics, uint64_t *first_ms, uint64_t *last_ms);
/* How many bytes of whole metrics, at most max_metrics of them, are not more than max_bytes when each grows by
 * `growth`; 0: not even the first. Malformed metrics are taken as a whole. */
size_t spb_reframe__cut(spb_bytes metrics, size_t max_bytes, size_t max_metrics, size_t growth);

#endif
