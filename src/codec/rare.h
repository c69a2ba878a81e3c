/*
 * Rare and deep shapes: metadata, DataSets, Templates, and property sets in one another. They go through the structs of
 * protoc-c's code, which libprotobuf-c packs and unpacks: a metric that has one is read as a whole, but only that part
 * of it is written so.
 */
#ifndef SPB_CODEC_RARE_H
#define SPB_CODEC_RARE_H

#include "base/arena.h"
#include "codec/writer.h"

/* What protoc-c has generated. */
typedef Spb__Pb__Payload__Metric pb_metric;
typedef Spb__Pb__Payload__MetaData pb_metadata;
typedef Spb__Pb__Payload__PropertySet pb_set;
typedef Spb__Pb__Payload__PropertySetList pb_set_list;
typedef Spb__Pb__Payload__PropertyValue pb_property;
typedef Spb__Pb__Payload__DataSet pb_dataset;
typedef Spb__Pb__Payload__DataSet__Row pb_row;
typedef Spb__Pb__Payload__DataSet__DataSetValue pb_cell;
typedef Spb__Pb__Payload__Template pb_template;
typedef Spb__Pb__Payload__Template__Parameter pb_parameter;

/* Not a status of the public contract: what the direct reader gives for a metric that is not its own. */
#define STATUS_RARE ((spb_status)1)

/* Where a payload is unpacked into, and where it comes from. */
typedef struct spb_rare_reader {
    spb_arena *arena;
    spb_bytes wire; /* the payload that errors name places of; spb_preflight__check has found it to be whole */
    spb_error *err;
} spb_rare_reader;

/* Fills *metric from the content of its field. */
spb_status spb_rare__read(const spb_rare_reader *r, spb_bytes from, spb_payload_metric *metric);

/* Append to a metric its metadata, and to a metric or property its value, whatever it is. */
spb_status spb_rare__write_metadata(spb_writer *w, const spb_metadata *metadata, const spb_place *at);
spb_status spb_rare__write_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at);

#endif
