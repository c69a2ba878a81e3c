/*
 * Decides the bytes of what a metric may hold beside plain values: metadata, DataSets and Templates. What holds for
 * every value is left to encode.c.
 */
#include "base/error.h"
#include "codec/resolve.h"
#include "codec/writer.h"

spb_status spb_writer__metadata(spb_writer *w, const spb_metadata *metadata, const spb_place *up) {
    const spb_place at = {up, "metadata", NOT_REPEATED};
    size_t begin = 0;
    if (!writer_open(w, METRIC_METADATA, &begin)) {
        return spb_writer__no_memory(w);
    }
    spb_status status = SPB_OK;
    if (metadata->has_is_multi_part) {
        status = writer_number(w, META_DATA_IS_MULTI_PART, metadata->is_multi_part);
    }
    if (status == SPB_OK) {
        status = writer_text(w, META_DATA_CONTENT_TYPE, metadata->content_type, &at, "content_type");
    }
    if (status == SPB_OK && metadata->has_size) {
        status = writer_number(w, META_DATA_SIZE, metadata->size);
    }
    if (status == SPB_OK && metadata->has_seq) {
        status = writer_number(w, META_DATA_SEQ, metadata->seq);
    }
    const struct {
        unsigned id;
        spb_str text;
        const char *name;
    } texts[] = {{META_DATA_FILE_NAME, metadata->file_name, "file_name"},
                 {META_DATA_FILE_TYPE, metadata->file_type, "file_type"},
                 {META_DATA_MD5, metadata->md5, "md5"},
                 {META_DATA_DESCRIPTION, metadata->description, "description"}};
    for (size_t i = 0; status == SPB_OK && i < sizeof texts / sizeof *texts; i++) {
        status = writer_text(w, texts[i].id, texts[i].text, &at, texts[i].name);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

spb_status spb_writer__check_column(spb_writer *w, spb_str name, spb_type type, size_t index, const spb_place *at) {
    if (!name.data || !spb_utf8__is_valid(name, NULL)) {
        return spb_writer__fail(w, SPB_ERR_NAME, &(spb_place){at, "columns", index},
                                name.data ? "not UTF-8" : "missing");
    }
    if (type == SPB_UNKNOWN || !spb_type__fits(MESSAGE_DATA_SET_VALUE, type)) {
        return spb_writer__fail(w, SPB_ERR_TYPE, &(spb_place){at, "types", index}, "a datatype that cannot stand here");
    }
    return SPB_OK;
}

static spb_status write_head(spb_writer *w, const spb_dataset *dataset, const spb_place *at) {
    spb_status status = writer_number(w, DATA_SET_NUM_OF_COLUMNS, dataset->column_count);
    for (size_t i = 0; status == SPB_OK && i < dataset->column_count; i++) {
        status = spb_writer__check_column(w, dataset->columns[i], dataset->types[i], i, at);
        if (status == SPB_OK) {
            status = writer_text(w, DATA_SET_COLUMNS, dataset->columns[i], at, "columns");
        }
    }
    for (size_t i = 0; status == SPB_OK && i < dataset->column_count; i++) {
        status = writer_number(w, DATA_SET_TYPES, dataset->types[i]);
    }
    return status;
}

/* A null cell is an element without a value: there is no is_null field. */
spb_status spb_writer__row(spb_writer *w, const spb_dataset *dataset, const spb_value *cells, size_t row,
                           const spb_place *at) {
    size_t row_begin, begin;
    if (!writer_open(w, DATA_SET_ROWS, &row_begin)) {
        return spb_writer__no_memory(w);
    }
    const spb_place row_place = {at, "rows", row};
    for (size_t i = 0; i < dataset->column_count; i++) {
        const spb_value *cell = &cells[i];
        const spb_place cell_place = {&row_place, "elements", i};
        if (!cell->is_null && cell->type != dataset->types[i]) {
            return spb_writer__fail(w, SPB_ERR_TYPE, &cell_place, "not of its column's datatype");
        }
        if (!writer_open(w, ROW_ELEMENTS, &begin)) {
            return spb_writer__no_memory(w);
        }
        spb_status status = spb_writer__value(w, MESSAGE_DATA_SET_VALUE, cell, &cell_place);
        if (status == SPB_OK) {
            status = writer_close(w, begin);
        }
        if (status != SPB_OK) {
            return status;
        }
    }
    return writer_close(w, row_begin);
}

spb_status spb_writer__dataset(spb_writer *w, const spb_dataset *dataset, unsigned id, const spb_place *at) {
    size_t begin = 0;
    if (dataset->column_count > 0 && dataset->row_count > SIZE_MAX / dataset->column_count) {
        return spb_writer__fail(w, SPB_ERR_LIMIT, at, "more cells than the limit max_metrics");
    }
    spb_status status = SPB_OK;
    if (dataset->column_count > 0 && (!dataset->columns || !dataset->types)) {
        status = spb_writer__fail(w, SPB_ERR_ARGUMENT, at, "a count without items");
    }
    if (status == SPB_OK) {
        status = spb_writer__check_items(w, dataset->cells, dataset->column_count * dataset->row_count, at);
    }
    if (status == SPB_OK) {
        status = spb_writer__count_items(w, dataset->row_count, at);
    }
    if (status == SPB_OK) {
        status = writer_open(w, id, &begin) ? write_head(w, dataset, at) : spb_writer__no_memory(w);
    }
    for (size_t row = 0; status == SPB_OK && row < dataset->row_count; row++) {
        const spb_value *cells = dataset->column_count > 0 ? &dataset->cells[row * dataset->column_count] : NULL;
        status = spb_writer__row(w, dataset, cells, row, at);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

spb_status spb_writer__parameter(spb_writer *w, const spb_parameter *parameter, const spb_place *at) {
    size_t begin = 0;
    if (!writer_open(w, TEMPLATE_PARAMETERS, &begin)) {
        return spb_writer__no_memory(w);
    }
    spb_status status = spb_writer__required_text(w, PARAMETER_NAME, parameter->name, at, "name");
    if (status == SPB_OK && parameter->value.type != SPB_UNKNOWN) {
        status = writer_number(w, PARAMETER_TYPE, parameter->value.type);
    }
    if (status == SPB_OK) {
        status = spb_writer__value(w, MESSAGE_PARAMETER, &parameter->value, at);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

/* A definition is what others refer to and refers to nothing (tck-id-payloads-template-definition-ref); an instance
 * names its definition (tck-id-payloads-template-ref-instance). */
static spb_status check_template_ref(spb_writer *w, const spb_template *tmpl, const spb_place *at) {
    bool has_ref = tmpl->template_ref.data && tmpl->template_ref.len > 0;
    if (tmpl->is_definition && has_ref) {
        return spb_writer__fail_field(w, SPB_ERR_NAME, at, "template_ref", "a definition refers to no other template");
    }
    if (!tmpl->is_definition && !has_ref) {
        return spb_writer__fail_field(w, SPB_ERR_NAME, at, "template_ref", "an instance must name its definition");
    }
    return SPB_OK;
}

spb_status spb_writer__template(spb_writer *w, const spb_template *tmpl, unsigned id, const spb_place *at) {
    size_t begin = 0;
    spb_status status = spb_writer__check_depth(w, at);
    if (status == SPB_OK) {
        status = check_template_ref(w, tmpl, at);
    }
    if (status == SPB_OK) {
        status = spb_writer__check_items(w, tmpl->metrics, tmpl->metric_count, at);
    }
    if (status == SPB_OK) {
        status = spb_writer__check_items(w, tmpl->parameters, tmpl->parameter_count, at);
    }
    if (status == SPB_OK) {
        status = writer_open(w, id, &begin) ? writer_text(w, TEMPLATE_VERSION, tmpl->version, at, "version")
                                            : spb_writer__no_memory(w);
    }
    w->depth++;
    for (size_t i = 0; status == SPB_OK && i < tmpl->metric_count; i++) {
        status = spb_writer__metric(w, &tmpl->metrics[i], TEMPLATE_METRICS, &(spb_place){at, "metrics", i});
    }
    w->depth--;
    for (size_t i = 0; status == SPB_OK && i < tmpl->parameter_count; i++) {
        status = spb_writer__parameter(w, &tmpl->parameters[i], &(spb_place){at, "parameters", i});
    }
    if (status == SPB_OK && !tmpl->is_definition) {
        status = writer_text(w, TEMPLATE_TEMPLATE_REF, tmpl->template_ref, at, "template_ref");
    }
    if (status == SPB_OK) { /* always there (tck-id-payloads-template-is-definition) */
        status = writer_number(w, TEMPLATE_IS_DEFINITION, tmpl->is_definition);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}
