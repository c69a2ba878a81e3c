/* Decides how DataSets are made column by column and row by row. What may stand in one is left to the encoder. */
#include <spb/payload.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/encode.h"
#include "codec/limits.h"
#include "codec/value.h"

struct spb_dataset_builder {
    spb_arena *arena; /* this struct, too */
    spb_dataset dataset;
    size_t column_capacity, type_capacity, cell_capacity;
};

spb_status spb_dataset_builder_new(spb_dataset_builder **out, spb_error *err) {
    *out = NULL;
    spb_arena *arena = spb_arena__new(spb_limits__effective(NULL).max_heap_bytes);
    spb_dataset_builder *builder = arena ? spb_arena__calloc(arena, 1, sizeof *builder) : NULL;
    if (!builder) {
        spb_arena__free(arena);
        return spb_error__no_memory(err, "a DataSet");
    }
    builder->arena = arena;
    *out = builder;
    return SPB_OK;
}

void spb_dataset_builder_free(spb_dataset_builder *builder) {
    if (builder) {
        spb_arena__free(builder->arena);
    }
}

const spb_dataset *spb_dataset_builder_get(const spb_dataset_builder *builder) {
    return &builder->dataset;
}

static spb_status check_column(const spb_dataset_builder *builder, spb_str name, spb_type type, spb_error *err) {
    const spb_dataset *dataset = &builder->dataset;
    if (dataset->row_count > 0) {
        return spb_error__set(err, SPB_ERR_STATE, "dataset: a column after the first row");
    }
    if (name.len == 0) {
        return spb_error__set(err, SPB_ERR_NAME, "dataset.columns[%zu]: missing or empty", dataset->column_count);
    }
    for (size_t i = 0; i < dataset->column_count; i++) {
        if (spb_str_equal(dataset->columns[i], name)) {
            return spb_error__set(err, SPB_ERR_EXISTS, "dataset.columns[%zu]: the name of column %zu again",
                                  dataset->column_count, i);
        }
    }
    return spb_encode__check_column(name, type, dataset->column_count, err);
}

spb_status spb_dataset_builder_add_column(spb_dataset_builder *builder, const char *name, spb_type type,
                                          spb_error *err) {
    spb_dataset *dataset = &builder->dataset;
    spb_status status = check_column(builder, spb_str_from(name), type, err);
    spb_value copy;
    const spb_value text = spb_string(name);
    if (status == SPB_OK) {
        status = spb_value__copy_to(&copy, &text, builder->arena, err);
    }
    if (status != SPB_OK) {
        return status;
    }
    spb_str *columns = spb_arena__grow(builder->arena, dataset->columns, dataset->column_count,
                                       &builder->column_capacity, 1, sizeof *columns);
    spb_type *types = spb_arena__grow(builder->arena, dataset->types, dataset->column_count, &builder->type_capacity, 1,
                                      sizeof *types);
    /* Each is worth keeping, also when the other one has failed: its capacity is counted already. */
    dataset->columns = columns ? columns : dataset->columns;
    dataset->types = types ? types : dataset->types;
    if (!columns || !types) {
        return spb_arena__no_room(builder->arena, "a column", err);
    }
    columns[dataset->column_count] = copy.as.str;
    types[dataset->column_count++] = type;
    return SPB_OK;
}

spb_status spb_dataset_builder_add_row(spb_dataset_builder *builder, const spb_value *cells, size_t count,
                                       spb_error *err) {
    spb_dataset *dataset = &builder->dataset;
    if (count != dataset->column_count) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "dataset.rows[%zu]: %zu cells for %zu columns", dataset->row_count,
                              count, dataset->column_count);
    }
    spb_status status = spb_encode__check_row(dataset, cells, dataset->row_count, err);
    if (status != SPB_OK) {
        return status;
    }
    const size_t cell_count = dataset->column_count * dataset->row_count;
    spb_value *all =
        spb_arena__grow(builder->arena, dataset->cells, cell_count, &builder->cell_capacity, count, sizeof *all);
    if (!all && count > 0) {
        return spb_arena__no_room(builder->arena, "a row", err);
    }
    dataset->cells = all;
    for (size_t i = 0; i < count; i++) {
        status = spb_value__copy_to(&all[cell_count + i], &cells[i], builder->arena, err);
        if (status != SPB_OK) {
            return status; /* cells behind the last row belong to nobody */
        }
    }
    dataset->row_count++;
    return SPB_OK;
}
