/* Compressed payloads: the convention, and the streams. */
#ifndef SPB_CODEC_COMPRESS_H
#define SPB_CODEC_COMPRESS_H

#include <spb/payload.h>

#include "base/buffer.h"

/* The uuid says so. */
bool spb_compress__is_compressed(const spb_payload *payload);
/* What the metric `algorithm` of a compressed payload says. SPB_ERR_MALFORMED. */
spb_status spb_compress__algorithm(spb_compression *out, const spb_payload *outer, spb_error *err);
/* Appends the inflated stream, which must be whole and the only one. SPB_ERR_MALFORMED, SPB_ERR_TRUNCATED;
 * SPB_ERR_LIMIT: it would be longer than max_bytes. SPB_ERR_NO_MEMORY. */
spb_status spb_compress__inflate(spb_buffer *out, spb_bytes body, spb_compression compression, size_t max_bytes,
                                 spb_error *err);
/* Appends the compressed stream. SPB_ERR_LIMIT: over 4 GiB. SPB_ERR_NO_MEMORY. */
spb_status spb_compress__deflate(spb_buffer *out, spb_bytes plain, spb_compression compression, spb_error *err);
/* The payload that goes around a compressed body; its only metric is put into *metric. */
spb_payload spb_compress__wrap(const spb_payload *inner, spb_bytes body, spb_payload_metric *metric);

#endif
