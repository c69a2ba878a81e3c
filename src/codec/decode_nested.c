/*
 * Decides how metadata, DataSets and Templates are built from their fields. What holds for every metric and value is
 * left to decode.c.
 */
#include "codec/builder.h"

static size_t count_fields_of(spb_bytes from, unsigned id) {
    size_t counts[FIELD_LIMIT] = {0};
    count_fields(from, counts);
    return counts[id];
}

spb_status spb_builder__metadata(spb_builder *b, spb_bytes from, const spb_metadata **out) {
    spb_metadata *metadata = spb_arena__calloc(b->arena, 1, sizeof *metadata);
    if (!metadata) {
        return spb_builder__no_memory(b);
    }
    *out = metadata;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case META_DATA_IS_MULTI_PART:
            metadata->has_is_multi_part = true;
            metadata->is_multi_part = f.number != 0;
            break;
        case META_DATA_CONTENT_TYPE: metadata->content_type = text_of(&f); break;
        case META_DATA_SIZE:
            metadata->has_size = true;
            metadata->size = f.number;
            break;
        case META_DATA_SEQ:
            metadata->has_seq = true;
            metadata->seq = f.number;
            break;
        case META_DATA_FILE_NAME: metadata->file_name = text_of(&f); break;
        case META_DATA_FILE_TYPE: metadata->file_type = text_of(&f); break;
        case META_DATA_MD5: metadata->md5 = text_of(&f); break;
        case META_DATA_DESCRIPTION: metadata->description = text_of(&f); break;
        default: break;
        }
    }
    return SPB_OK;
}

/* The value of a cell or a parameter, and where it stands. No value: null. */
static void read_plain_value(spb_message place, spb_bytes from, spb_value *value, const uint8_t **at) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        const uint8_t *begin = p;
        if (!scalar_next(value, value_base(place), &p, end)) {
            field f;
            field_next(&f, &p, end);
            if (wire_of_field(place, f.id) != SPB_WIRE_EXTENSION) {
                continue;
            }
            value->wire = SPB_WIRE_EXTENSION;
            value->as.bytes = f.bytes;
        }
        *at = begin;
    }
    value->is_null = value->wire == SPB_WIRE_NONE;
}

static spb_status read_row(spb_builder *b, spb_bytes from, const spb_type *types, spb_value *cells) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        if (f.id != ROW_ELEMENTS) {
            continue;
        }
        const uint8_t *at = f.at;
        read_plain_value(MESSAGE_DATA_SET_VALUE, f.bytes, cells, &at);
        spb_status status = spb_builder__settle(b, MESSAGE_DATA_SET_VALUE, cells++, *types++, at);
        if (status != SPB_OK) {
            return status;
        }
    }
    return SPB_OK;
}

/* The first look at a DataSet: how much there is of everything. */
typedef struct dataset_counts {
    size_t columns, types, rows;
    bool has_num;
    uint64_t num;
} dataset_counts;

static dataset_counts count_dataset(spb_bytes from) {
    dataset_counts counts = {0};
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        uint8_t wire_type = *p & 7;
        field_next(&f, &p, end);
        switch (f.id) {
        case DATA_SET_NUM_OF_COLUMNS:
            counts.has_num = true;
            counts.num = f.number;
            break;
        case DATA_SET_COLUMNS: counts.columns++; break;
        case DATA_SET_ROWS: counts.rows++; break;
        case DATA_SET_TYPES: {
            const uint8_t *q = f.bytes.data;
            for (size_t i = 0; wire_type == WIRE_BYTES && i < f.bytes.len; i++) {
                counts.types += q[i] < 0x80;
            }
            counts.types += wire_type == WIRE_VARINT;
            break;
        }
        default: break;
        }
    }
    return counts;
}

static spb_status check_dataset(spb_builder *b, spb_bytes from, const dataset_counts *counts) {
    if (counts->columns != counts->types || (counts->has_num && counts->num != counts->columns)) {
        return spb_builder__fail(b, SPB_ERR_MALFORMED, from.data - 1,
                                 "num_of_columns, columns and types of the DataSet disagree");
    }
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        if (f.id == DATA_SET_ROWS && count_fields_of(f.bytes, ROW_ELEMENTS) != counts->columns) {
            return spb_builder__fail(b, SPB_ERR_MALFORMED, f.at,
                                     "a row with not as many elements as there are columns");
        }
    }
    return SPB_OK;
}

/* Columns and types; the rows need all of them and come after. */
static void read_columns(spb_bytes from, spb_str *columns, spb_type *types) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        uint8_t wire_type = *p & 7;
        field_next(&f, &p, end);
        if (f.id == DATA_SET_COLUMNS) {
            *columns++ = text_of(&f);
        } else if (f.id == DATA_SET_TYPES && wire_type == WIRE_VARINT) {
            *types++ = (spb_type)(uint32_t)f.number;
        } else if (f.id == DATA_SET_TYPES) {
            const uint8_t *q = f.bytes.data, *behind = q + f.bytes.len;
            while (q < behind) {
                uint64_t number = 0;
                q = varint_read(q, behind, &number);
                *types++ = (spb_type)(uint32_t)number;
            }
        }
    }
}

spb_status spb_builder__dataset(spb_builder *b, spb_bytes from, const spb_dataset **out) {
    dataset_counts counts = count_dataset(from);
    spb_status status = check_dataset(b, from, &counts);
    if (status != SPB_OK) {
        return status;
    }
    /* Each cell was counted as an element on the wire, so this product is bounded by the input. */
    size_t cell_count = counts.columns * counts.rows;
    spb_dataset *dataset = spb_arena__alloc(b->arena, sizeof *dataset);
    spb_str *columns = spb_arena__calloc(b->arena, counts.columns, sizeof *columns);
    spb_type *types = spb_arena__calloc(b->arena, counts.columns, sizeof *types);
    spb_value *cells = spb_arena__calloc(b->arena, cell_count, sizeof *cells);
    if (!dataset || !columns || !types || !cells) {
        return spb_builder__no_memory(b);
    }
    read_columns(from, columns, types);
    *dataset = (spb_dataset){
        .column_count = counts.columns, .columns = columns, .types = types, .row_count = counts.rows, .cells = cells};
    *out = dataset;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end && status == SPB_OK) {
        field f;
        field_next(&f, &p, end);
        if (f.id == DATA_SET_ROWS) {
            status = read_row(b, f.bytes, types, cells);
            cells += counts.columns;
        }
    }
    return status;
}

static spb_status read_parameter(spb_builder *b, const field *from, spb_parameter *parameter) {
    uint64_t type = SPB_UNKNOWN;
    const uint8_t *p = from->bytes.data, *end = p + from->bytes.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        if (f.id == PARAMETER_NAME) {
            parameter->name = text_of(&f);
        } else if (f.id == PARAMETER_TYPE) {
            type = f.number;
        }
    }
    const uint8_t *at = from->at;
    read_plain_value(MESSAGE_PARAMETER, from->bytes, &parameter->value, &at);
    return spb_builder__settle(b, MESSAGE_PARAMETER, &parameter->value, type, at);
}

spb_status spb_builder__template(spb_builder *b, spb_bytes from, const spb_template **out) {
    size_t counts[FIELD_LIMIT] = {0};
    count_fields(from, counts);
    const size_t metric_count = counts[TEMPLATE_METRICS], parameter_count = counts[TEMPLATE_PARAMETERS];
    spb_template *tmpl = spb_arena__calloc(b->arena, 1, sizeof *tmpl);
    spb_payload_metric *metrics = spb_arena__calloc(b->arena, metric_count, sizeof *metrics);
    spb_parameter *parameters = spb_arena__calloc(b->arena, parameter_count, sizeof *parameters);
    if (!tmpl || !metrics || !parameters) {
        return spb_builder__no_memory(b);
    }
    *tmpl = (spb_template){
        .metrics = metrics, .metric_count = metric_count, .parameters = parameters, .parameter_count = parameter_count};
    *out = tmpl;
    spb_status status = SPB_OK;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end && status == SPB_OK) {
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case TEMPLATE_VERSION: tmpl->version = text_of(&f); break;
        case TEMPLATE_METRICS: status = spb_builder__metric(b, f.bytes, metrics++); break;
        case TEMPLATE_PARAMETERS: status = read_parameter(b, &f, parameters++); break;
        case TEMPLATE_TEMPLATE_REF: tmpl->template_ref = text_of(&f); break;
        case TEMPLATE_IS_DEFINITION:
            tmpl->has_is_definition = true;
            tmpl->is_definition = f.number != 0;
            break;
        default: break;
        }
    }
    return status;
}
