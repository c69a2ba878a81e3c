/*
 * Decides what a compressed payload looks like and how its stream is read and written. The convention comes from host
 * applications; the specification leaves uuid and body open. What is in the stream is left to decode.c.
 */
#include "codec/compress.h"

#include <limits.h>

#include <zlib.h>

#include "base/error.h"

#define COMPRESSED_UUID "SPBV1.0_COMPRESSED"
#define ALGORITHM "algorithm"

/* The largest window; 16 more for the head and tail of gzip. */
#define DEFLATE_WINDOW 15
#define GZIP_WINDOW (15 + 16)
#define MEMORY_LEVEL 8 /* zlib's default */
#define STEP_BYTES 16384

static int window_of(spb_compression compression) {
    return compression == SPB_COMPRESSION_GZIP ? GZIP_WINDOW : DEFLATE_WINDOW;
}

bool spb_compress__is_compressed(const spb_payload *payload) {
    return payload->uuid.data && spb_str_equal(payload->uuid, spb_str_from(COMPRESSED_UUID));
}

spb_status spb_compress__algorithm(spb_compression *out, const spb_payload *outer, spb_error *err) {
    *out = SPB_COMPRESSION_DEFLATE;
    const spb_payload_metric *metric = spb_payload_find(outer, ALGORITHM);
    if (!metric) {
        return SPB_OK;
    }
    bool is_text = metric->value.wire == SPB_WIRE_STRING && !metric->value.is_null;
    if (is_text && spb_str_equal(metric->value.as.str, spb_str_from("GZIP"))) {
        *out = SPB_COMPRESSION_GZIP;
        return SPB_OK;
    }
    if (is_text && spb_str_equal(metric->value.as.str, spb_str_from("DEFLATE"))) {
        return SPB_OK;
    }
    return spb_error__set(err, SPB_ERR_MALFORMED, "metrics[%zu]: the algorithm is neither GZIP nor DEFLATE",
                          (size_t)(metric - outer->metrics));
}

/* Inflates max_bytes at most, and one more, which tells that there would be more. Returns what zlib said last. */
static int inflate_all(z_stream *stream, spb_buffer *out, size_t max_bytes) {
    const size_t begin = out->len;
    int result = Z_OK;
    while (result == Z_OK && out->len - begin <= max_bytes) {
        size_t room = max_bytes - (out->len - begin);
        size_t step = room < STEP_BYTES ? room + 1 : STEP_BYTES;
        if (!spb_buffer__reserve(out, step)) {
            return Z_MEM_ERROR;
        }
        stream->next_out = out->data + out->len;
        stream->avail_out = (uInt)step;
        result = inflate(stream, Z_NO_FLUSH);
        out->len += step - stream->avail_out;
    }
    return result;
}

spb_status spb_compress__inflate(spb_buffer *out, spb_bytes body, spb_compression compression, size_t max_bytes,
                                 spb_error *err) {
    if (body.len > UINT_MAX) {
        return spb_error__set(err, SPB_ERR_LIMIT, "body: longer than 4 GiB");
    }
    const size_t begin = out->len;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)body.data, .avail_in = (uInt)body.len};
    if (inflateInit2(&stream, window_of(compression)) != Z_OK) {
        return spb_error__no_memory(err, "an inflated payload");
    }
    int result = inflate_all(&stream, out, max_bytes);
    bool is_last = stream.avail_in == 0;
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) {
        return spb_error__no_memory(err, "an inflated payload");
    }
    if (out->len - begin > max_bytes) {
        return spb_error__set(err, SPB_ERR_LIMIT, "body: inflates to more than the limit of %zu bytes", max_bytes);
    }
    if (result == Z_BUF_ERROR) {
        return spb_error__set(err, SPB_ERR_TRUNCATED, "body: the compressed stream is cut off");
    }
    if (result != Z_STREAM_END) {
        return spb_error__set(err, SPB_ERR_MALFORMED, "body: not a compressed stream of that kind, or damaged");
    }
    return is_last ? SPB_OK : spb_error__set(err, SPB_ERR_MALFORMED, "body: something follows the compressed stream");
}

spb_status spb_compress__deflate(spb_buffer *out, spb_bytes plain, spb_compression compression, spb_error *err) {
    if (plain.len > UINT_MAX / 2) {
        return spb_error__set(err, SPB_ERR_LIMIT, "a payload longer than 2 GiB");
    }
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)plain.data, .avail_in = (uInt)plain.len};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_of(compression), MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return spb_error__no_memory(err, "a compressed payload");
    }
    const size_t bound = deflateBound(&stream, (uLong)plain.len);
    int result = Z_MEM_ERROR;
    if (spb_buffer__reserve(out, bound)) {
        stream.next_out = out->data + out->len;
        stream.avail_out = (uInt)bound;
        result = deflate(&stream, Z_FINISH);
        out->len += bound - stream.avail_out;
    }
    deflateEnd(&stream);
    return result == Z_STREAM_END ? SPB_OK : spb_error__no_memory(err, "a compressed payload");
}

spb_payload spb_compress__wrap(const spb_payload *inner, spb_bytes body, spb_payload_metric *metric) {
    *metric =
        (spb_payload_metric){.name = spb_str_from(ALGORITHM),
                             .has_timestamp = inner->has_timestamp,
                             .timestamp_ms = inner->timestamp_ms,
                             .value = spb_string(inner->compression == SPB_COMPRESSION_GZIP ? "GZIP" : "DEFLATE")};
    return (spb_payload){.has_timestamp = inner->has_timestamp,
                         .timestamp_ms = inner->timestamp_ms,
                         .has_seq = inner->has_seq,
                         .seq = inner->seq,
                         .uuid = spb_str_from(COMPRESSED_UUID),
                         .has_body = true,
                         .body = body,
                         .metrics = metric,
                         .metric_count = 1};
}
