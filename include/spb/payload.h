/*
 * Sparkplug B payloads: decode bytes to a tree of plain structs, or encode such a tree to bytes.
 *
 * Decoding makes one allocation unit: strings and bytes are views into a copy of the input that lives inside it, and
 * spb_payload_free releases everything at once. All structs are plain data: read them, or fill your own and encode.
 * No function here keeps state; different threads may work on different payloads.
 */
#ifndef SPB_PAYLOAD_H
#define SPB_PAYLOAD_H

#include <spb/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A named property of a metric. `value.type` is always sent. */
typedef struct spb_property {
    spb_str key;
    spb_value value;
} spb_property;

struct spb_property_set {
    const spb_property *items;
    size_t count;
};

struct spb_property_sets {
    const spb_property_set *items;
    size_t count;
};

/* The well-known property `Quality` (Int32) and its values (tck-id-payloads-propertyset-quality-value-value). */
#define SPB_PROPERTY_QUALITY "Quality"
#define SPB_QUALITY_BAD 0
#define SPB_QUALITY_GOOD 192
#define SPB_QUALITY_STALE 500

/* From 1990 to 2262 UTC: a timestamp outside is no time in milliseconds, but seconds, microseconds, or none at all
 * (tck-id-payloads-timestamp-in-UTC). Payloads hold it nevertheless; edge nodes take none from their application. */
#define SPB_FIRST_TIMESTAMP_MS UINT64_C(631152000000)
#define SPB_LAST_TIMESTAMP_MS UINT64_C(9223372036854)

struct spb_dataset {
    size_t column_count;
    const spb_str *columns;
    const spb_type *types; /* scalar datatypes, String and DateTime */
    size_t row_count;
    const spb_value *cells; /* row by row: cells[row * column_count + column] */
};

typedef struct spb_metadata {
    bool has_is_multi_part, has_size, has_seq; /* which of the next three are present */
    bool is_multi_part;
    uint64_t size;
    uint64_t seq;
    spb_str content_type; /* absent strings have data == NULL */
    spb_str file_name;
    spb_str file_type;
    spb_str md5;
    spb_str description;
} spb_metadata;

/* One metric of a message. (The handle of a metric that a node publishes is `spb_metric`, metric.h.) */
typedef struct spb_payload_metric {
    spb_str name; /* absent in data messages that use aliases */
    uint64_t alias;
    uint64_t timestamp_ms; /* since 1970-01-01 UTC */
    bool has_alias;
    bool has_timestamp;
    bool omit_datatype; /* the datatype is not on the wire: usual in data messages */
    bool is_historical;
    bool is_transient;
    spb_value value;                    /* value.type is the datatype */
    const spb_metadata *metadata;       /* NULL: none */
    const spb_property_set *properties; /* NULL: none */
} spb_payload_metric;

typedef struct spb_parameter {
    spb_str name;
    spb_value value; /* scalar datatypes, String, Text, UUID, DateTime */
} spb_parameter;

struct spb_template {
    spb_str version;
    spb_str template_ref; /* the definition's name; absent in a definition */
    bool is_definition;
    bool has_is_definition;
    const spb_payload_metric *metrics;
    size_t metric_count;
    const spb_parameter *parameters;
    size_t parameter_count;
};

/*
 * Compressed payloads, a convention of Sparkplug hosts: the uuid is "SPBV1.0_COMPRESSED", the body is the compressed
 * form of the whole payload, and a String metric named "algorithm" says how (without one: DEFLATE).
 */
typedef enum spb_compression {
    SPB_COMPRESSION_NONE = 0,
    SPB_COMPRESSION_DEFLATE, /* a zlib stream */
    SPB_COMPRESSION_GZIP
} spb_compression;

typedef struct spb_payload {
    uint64_t timestamp_ms;
    uint64_t seq; /* 0 … 255 */
    bool has_timestamp;
    bool has_seq;
    bool has_body;
    spb_compression compression; /* how it came, already undone; and how to encode it */
    spb_str uuid;
    spb_bytes body;
    const spb_payload_metric *metrics;
    size_t metric_count;
    void *storage;   /* private: what spb_payload_free releases; NULL in a payload of the caller's own */
    size_t capacity; /* private */
} spb_payload;

/* What hostile or mistaken input may cost. Zero in a field means its default. The default of max_depth is what a thread
 * with 64 KiB of stack can decode; 32 wants 128 KiB. */
typedef struct spb_limits {
    size_t max_payload_bytes; /* size of the encoded message; default 16 MiB */
    size_t max_depth;         /* nesting of templates and property sets; default 16, at most 32 */
    size_t max_metrics;       /* metrics, template members, parameters, properties, cells together; default 1,000,000 */
    size_t max_heap_bytes;    /* heap of one decoded payload, the copy of the input included; default 256 MiB */
    size_t max_string_bytes;  /* any one string or bytes value; default 16 MiB */
} spb_limits;

/*
 * Decodes one payload. On success *out is the caller's, to be freed with spb_payload_free; on failure *out is NULL.
 * `limits` may be NULL for the defaults. `wire` is copied and need not outlive the call.
 * SPB_ERR_MALFORMED, SPB_ERR_TRUNCATED, SPB_ERR_TYPE, SPB_ERR_RANGE: err->text names the field path, err->offset the
 * byte. SPB_ERR_LIMIT: a limit would be exceeded. SPB_ERR_NO_MEMORY. Unknown fields are skipped, as protobuf demands.
 * Any number of metrics, also none, is fine.
 * A compressed payload is inflated on the way; max_payload_bytes holds for the inflated size, too. What is wrong in it
 * is said of "body", with the byte of the inflated body in the text and no offset.
 */
SPB_API spb_status spb_payload_decode(spb_payload **out, spb_bytes wire, const spb_limits *limits, spb_error *err);
/* Frees a decoded payload with everything that was reached through it. NULL is fine. */
SPB_API void spb_payload_free(spb_payload *payload);

/*
 * Encodes a payload in canonical form: fields in the order of their numbers, integers as tests/data/vectors documents.
 * On success *bytes is the caller's, to be freed with spb_free. On failure *bytes is NULL and *len 0.
 * SPB_ERR_TYPE: a value's type does not belong there. SPB_ERR_NAME: a string is not UTF-8, or holds a NUL inside
 * metadata, a DataSet, a Template or a nested property set; a name is missing where the format needs one.
 * SPB_ERR_MALFORMED: an extension is no message. SPB_ERR_RANGE: seq > 255. SPB_ERR_LIMIT, SPB_ERR_NO_MEMORY. err->text
 * names the field path.
 */
SPB_API spb_status spb_payload_encode(const spb_payload *payload, const spb_limits *limits, uint8_t **bytes,
                                      size_t *len, spb_error *err);
/* Frees what a function of this library returned with the words "freed with spb_free". NULL is fine. */
SPB_API void spb_free(void *memory);

/*
 * Building a payload step by step. Whatever is added is checked as spb_payload_encode would check it and copied deeply,
 * so that nothing needs to outlive the call; a failed call leaves everything as it was.
 *
 * An empty payload; *out is the caller's, to be freed with spb_payload_free. Its timestamp, seq, uuid and body are set
 * directly (uuid and body stay borrowed). SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_payload_new(spb_payload **out, spb_error *err);
/* Adds a metric to a payload that spb_payload_new or spb_payload_decode made. payload->metrics may move.
 * SPB_ERR_STATE: a payload of the caller's own. Others as spb_payload_encode; err->text begins with "metric". */
SPB_API spb_status spb_payload_add_metric(spb_payload *payload, const spb_payload_metric *metric, spb_error *err);

/* Builds a DataSet: columns first, then rows. */
typedef struct spb_dataset_builder spb_dataset_builder;
SPB_API spb_status spb_dataset_builder_new(spb_dataset_builder **out, spb_error *err);
SPB_API void spb_dataset_builder_free(spb_dataset_builder *builder);
/* SPB_ERR_NAME: not UTF-8, or empty. SPB_ERR_EXISTS: there is such a column. SPB_ERR_TYPE: not a scalar datatype.
 * SPB_ERR_STATE: there is a row already. SPB_ERR_NO_MEMORY. */
SPB_API spb_status spb_dataset_builder_add_column(spb_dataset_builder *builder, const char *name, spb_type type,
                                                  spb_error *err);
/* SPB_ERR_ARGUMENT: not as many cells as there are columns. SPB_ERR_TYPE: a cell is neither null nor of its column's
 * datatype. Others as spb_payload_encode. */
SPB_API spb_status spb_dataset_builder_add_row(spb_dataset_builder *builder, const spb_value *cells, size_t count,
                                               spb_error *err);
/* What has been built so far; borrowed until the builder changes or is freed. */
SPB_API const spb_dataset *spb_dataset_builder_get(const spb_dataset_builder *builder);

/* Builds a Template: a definition when `template_ref` is NULL, else an instance of the definition of that name. */
typedef struct spb_template_builder spb_template_builder;
/* `version` may be NULL. SPB_ERR_NAME: not UTF-8, or template_ref is empty. SPB_ERR_NO_MEMORY. */
SPB_API spb_status spb_template_builder_new(spb_template_builder **out, const char *template_ref, const char *version,
                                            spb_error *err);
SPB_API void spb_template_builder_free(spb_template_builder *builder);
/* SPB_ERR_EXISTS: there is a member of that name. SPB_ERR_NAME: it has no name. Others as spb_payload_add_metric. */
SPB_API spb_status spb_template_builder_add_metric(spb_template_builder *builder, const spb_payload_metric *metric,
                                                   spb_error *err);
/* SPB_ERR_EXISTS: there is a parameter of that name. Others as spb_payload_encode. */
SPB_API spb_status spb_template_builder_add_parameter(spb_template_builder *builder, const char *name,
                                                      const spb_value *value, spb_error *err);
/* What has been built so far; borrowed until the builder changes or is freed. */
SPB_API const spb_template *spb_template_builder_get(const spb_template_builder *builder);

/* The first metric of that name, or NULL. Borrowed from the payload. */
SPB_API const spb_payload_metric *spb_payload_find(const spb_payload *payload, const char *name);
/* The property of that key, or NULL. `set` may be NULL. */
SPB_API const spb_property *spb_property_find(const spb_property_set *set, const char *key);

#ifdef __cplusplus
}
#endif

#endif
