/*
 * Metrics of rare and deep shape: with metadata, a DataSet, a Template, or property sets in one another. They go
 * through the structs of protoc-c's code, which libprotobuf-c packs and unpacks.
 */
#ifndef SPB_CODEC_RARE_H
#define SPB_CODEC_RARE_H

#include "base/arena.h"
#include "codec/writer.h"

/* Not a status of the public contract: what the direct readers and writers give for a metric that is not theirs. */
#define STATUS_RARE ((spb_status)1)

/* Where a payload is unpacked into, and where it comes from. */
typedef struct spb_rare_reader {
    spb_arena *arena;
    spb_bytes wire; /* the payload that errors name places of; spb_preflight__check has found it to be whole */
    spb_error *err;
} spb_rare_reader;

/* Fills *metric from the content of its field. */
spb_status spb_rare__read(const spb_rare_reader *r, spb_bytes from, spb_payload_metric *metric);

/* Appends one entry of the payload's metrics. */
spb_status spb_rare__write(spb_writer *w, const spb_payload_metric *metric, const spb_place *at);

/* Would these be written? For those who build DataSets and Templates step by step. */
spb_status spb_rare__check_column(spb_writer *w, spb_str name, spb_type type, size_t index);
spb_status spb_rare__check_row(spb_writer *w, const spb_dataset *dataset, const spb_value *cells, size_t row);
spb_status spb_rare__check_parameter(spb_writer *w, const spb_parameter *parameter, size_t index);

#endif
