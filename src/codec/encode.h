/*
 * Appending the parts of a payload to a buffer, in the order of their field numbers: timestamp, metrics, seq.
 * What is appended is a complete message at each point, so a batch of metrics can be kept encoded and framed later.
 * A failed call leaves the buffer as it was.
 */
#ifndef SPB_CODEC_ENCODE_H
#define SPB_CODEC_ENCODE_H

#include <spb/payload.h>

#include "base/buffer.h"

spb_status spb_encode__timestamp(spb_buffer *out, uint64_t timestamp_ms);
/* One entry of the payload's `metrics`, with its tag and length. Statuses as spb_payload_encode. */
spb_status spb_encode__metric(spb_buffer *out, const spb_payload_metric *metric, spb_error *err);
/* The same for the usual sample of a data message: alias, timestamp, a value of fixed size, and is_transient if it is
 * so. False: it is no such value, does not fit its datatype, or there is no memory; spb_encode__metric tells. */
bool spb_encode__sample(spb_buffer *out, uint64_t alias, uint64_t timestamp_ms, bool is_transient,
                        const spb_value *value);
spb_status spb_encode__seq(spb_buffer *out, uint8_t seq);

/* Would these be encoded? For those who build payloads step by step; the index names the thing in errors. Statuses as
 * spb_payload_encode. */
spb_status spb_encode__check_metric(const spb_payload_metric *metric, spb_error *err);
spb_status spb_encode__check_column(spb_str name, spb_type type, size_t index, spb_error *err);
spb_status spb_encode__check_row(const spb_dataset *dataset, const spb_value *cells, size_t row, spb_error *err);
spb_status spb_encode__check_parameter(const spb_parameter *parameter, size_t index, spb_error *err);

#endif
