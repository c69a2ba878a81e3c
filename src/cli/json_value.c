/* Decides which JSON makes which value: scalars, arrays, DataSets, properties. Metrics and templates are left to
 * json_payload.c. */
#include <string.h>

#include "cli/json_payload.h"
#include "cli/message.h"

#define KEYS(names) (names), sizeof(names) / sizeof *(names)

static json_place member(const json_place *at, const char *key) {
    return (json_place){at, spb_str_from(key), 0};
}

static json_place element(const json_place *at, size_t index) {
    return (json_place){at, {NULL, 0}, index};
}

/* ---- arrays ---- */

/* The datatype of the elements of an array type. */
static spb_type element_type(spb_type array) {
    return array == SPB_DATETIME_ARRAY ? SPB_DATETIME : (spb_type)(array - SPB_INT8_ARRAY + SPB_INT8);
}

static size_t element_size(spb_type type) {
    switch (type) {
    case SPB_INT8:
    case SPB_UINT8: return 1;
    case SPB_INT16:
    case SPB_UINT16: return 2;
    case SPB_INT32:
    case SPB_UINT32:
    case SPB_FLOAT: return 4;
    case SPB_BOOLEAN: return sizeof(bool);
    case SPB_STRING: return sizeof(spb_str);
    default: return 8;
    }
}

static void store_element(void *items, size_t i, const spb_value *value) {
    switch (value->type) {
    case SPB_INT8: ((int8_t *)items)[i] = (int8_t)value->as.i64; break;
    case SPB_INT16: ((int16_t *)items)[i] = (int16_t)value->as.i64; break;
    case SPB_INT32: ((int32_t *)items)[i] = (int32_t)value->as.i64; break;
    case SPB_UINT8: ((uint8_t *)items)[i] = (uint8_t)value->as.u64; break;
    case SPB_UINT16: ((uint16_t *)items)[i] = (uint16_t)value->as.u64; break;
    case SPB_UINT32: ((uint32_t *)items)[i] = (uint32_t)value->as.u64; break;
    case SPB_FLOAT: ((float *)items)[i] = value->as.f32; break;
    case SPB_DOUBLE: ((double *)items)[i] = value->as.f64; break;
    case SPB_BOOLEAN: ((bool *)items)[i] = value->as.boolean; break;
    case SPB_STRING: ((spb_str *)items)[i] = value->as.str; break;
    case SPB_INT64: ((int64_t *)items)[i] = value->as.i64; break;
    default: ((uint64_t *)items)[i] = value->as.u64; break;
    }
}

static bool read_array(json_reader *r, const json_node *node, const json_place *at, spb_value *out) {
    const spb_type type = element_type(out->type);
    if (!json_is_kind(r, node, at, JSON_ARRAY)) {
        return false;
    }
    void *items = pool_get(r->memory, node->count, element_size(type));
    if (!items) {
        return json_no_memory(r);
    }
    out->as.array = (spb_array){items, node->count};
    const json_node *item = json_first(node);
    for (size_t i = 0; i < node->count; i++, item = json_behind(r->tree, item)) {
        const json_place place = element(at, i);
        spb_value value;
        if (!json_read_value(r, item, &place, type, &value)) {
            return false;
        }
        if (type == SPB_STRING && memchr(value.as.str.data, '\0', value.as.str.len)) {
            return json_fail(r, item, &place, SPB_ERR_MALFORMED, "a NUL, which ends a string of a StringArray");
        }
        store_element(items, i, &value);
    }
    return true;
}

/* ---- DataSets ---- */

static bool read_columns(json_reader *r, const json_node *columns, const json_node *types, const json_place *at,
                         spb_dataset *out) {
    const json_place columns_place = member(at, "columns"), types_place = member(at, "types");
    if (!json_is_kind(r, columns, &columns_place, JSON_ARRAY) || !json_is_kind(r, types, &types_place, JSON_ARRAY)) {
        return false;
    }
    if (columns->count != types->count) {
        return json_fail(r, types, &types_place, SPB_ERR_MALFORMED, "%zu types, but there are %zu columns",
                         types->count, columns->count);
    }
    spb_str *names = pool_get(r->memory, columns->count, sizeof *names);
    spb_type *numbers = pool_get(r->memory, columns->count, sizeof *numbers);
    if (!names || !numbers) {
        return json_no_memory(r);
    }
    const json_node *name = json_first(columns), *type = json_first(types);
    for (size_t i = 0; i < columns->count; i++) {
        const json_place name_place = element(&columns_place, i), type_place = element(&types_place, i);
        spb_str text;
        if (!json_get_str(r, name, &name_place, &names[i]) || !json_get_str(r, type, &type_place, &text)) {
            return false;
        }
        numbers[i] = spb_type_from_name(text);
        if (numbers[i] == SPB_UNKNOWN) {
            return json_fail(r, type, &type_place, SPB_ERR_TYPE, "there is no such datatype");
        }
        name = json_behind(r->tree, name);
        type = json_behind(r->tree, type);
    }
    out->column_count = columns->count;
    out->columns = names;
    out->types = numbers;
    return true;
}

static bool read_row(json_reader *r, const json_node *row, const json_place *at, const spb_dataset *set,
                     spb_value *cells) {
    if (!json_is_kind(r, row, at, JSON_ARRAY)) {
        return false;
    }
    if (row->count != set->column_count) {
        return json_fail(r, row, at, SPB_ERR_MALFORMED, "%zu cells, but there are %zu columns", row->count,
                         set->column_count);
    }
    const json_node *cell = json_first(row);
    for (size_t i = 0; i < row->count; i++, cell = json_behind(r->tree, cell)) {
        const json_place place = element(at, i);
        cells[i] = spb_null(set->types[i]);
        if (cell->kind != JSON_NULL && !json_read_value(r, cell, &place, set->types[i], &cells[i])) {
            return false;
        }
    }
    return true;
}

static bool read_dataset(json_reader *r, const json_node *node, const json_place *at, spb_value *out) {
    static const char *const names[] = {"columns", "types", "rows"};
    const json_node *found[3];
    if (!json_members(r, node, at, KEYS(names), found)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!found[i]) {
            return json_fail(r, node, at, SPB_ERR_MALFORMED, "a DataSet is {columns, types, rows}: %s is missing",
                             names[i]);
        }
    }
    const json_place rows_place = member(at, "rows");
    spb_dataset *set = pool_get(r->memory, 1, sizeof *set);
    if (!set) {
        return json_no_memory(r);
    }
    out->as.dataset = set;
    if (!read_columns(r, found[0], found[1], at, set) || !json_is_kind(r, found[2], &rows_place, JSON_ARRAY)) {
        return false;
    }
    spb_value *cells = NULL;
    set->row_count = found[2]->count;
    if (set->column_count == 0 || set->row_count <= SIZE_MAX / set->column_count) {
        cells = pool_get(r->memory, set->column_count * set->row_count, sizeof *cells);
    }
    if (!cells) {
        return json_no_memory(r);
    }
    set->cells = cells;
    const json_node *row = json_first(found[2]);
    for (size_t i = 0; i < set->row_count; i++, row = json_behind(r->tree, row)) {
        const json_place place = element(&rows_place, i);
        if (!read_row(r, row, &place, set, cells + i * set->column_count)) {
            return false;
        }
    }
    return true;
}

/* ---- properties ---- */

static bool read_property(json_reader *r, const json_node *node, const json_place *at, spb_property *out) {
    static const char *const names[] = {"type", "type_number", "is_null", "field", "value"};
    const json_node *found[5];
    out->key = node->key;
    return json_members(r, node, at, KEYS(names), found) &&
           json_read_content(r, node, at, &(json_content){found[0], found[1], found[2], found[3], found[4]},
                             &out->value);
}

bool json_read_properties(json_reader *r, const json_node *node, const json_place *at, spb_property_set *out) {
    if (!json_is_kind(r, node, at, JSON_OBJECT)) {
        return false;
    }
    spb_property *items = pool_get(r->memory, node->count, sizeof *items);
    if (!items) {
        return json_no_memory(r);
    }
    *out = (spb_property_set){items, node->count};
    const json_node *item = json_first(node);
    for (size_t i = 0; i < node->count; i++, item = json_behind(r->tree, item)) {
        const json_place place = {at, item->key, 0};
        if (!read_property(r, item, &place, &items[i])) {
            return false;
        }
    }
    return true;
}

static bool read_property_set(json_reader *r, const json_node *node, const json_place *at, spb_value *out) {
    spb_property_set *set = pool_get(r->memory, 1, sizeof *set);
    if (!set) {
        return json_no_memory(r);
    }
    out->as.set = set;
    return json_read_properties(r, node, at, set);
}

static bool read_property_sets(json_reader *r, const json_node *node, const json_place *at, spb_value *out) {
    if (!json_is_kind(r, node, at, JSON_ARRAY)) {
        return false;
    }
    spb_property_sets *list = pool_get(r->memory, 1, sizeof *list);
    spb_property_set *sets = pool_get(r->memory, node->count, sizeof *sets);
    if (!list || !sets) {
        return json_no_memory(r);
    }
    *list = (spb_property_sets){sets, node->count};
    out->as.sets = list;
    const json_node *item = json_first(node);
    for (size_t i = 0; i < node->count; i++, item = json_behind(r->tree, item)) {
        const json_place place = element(at, i);
        if (!json_read_properties(r, item, &place, &sets[i])) {
            return false;
        }
    }
    return true;
}

/* ---- any value ---- */

static bool read_signed(json_reader *r, const json_node *node, const json_place *at, spb_value *out) {
    const unsigned bits = 8u << (out->type - SPB_INT8);
    const int64_t max = (int64_t)(UINT64_MAX >> (65 - bits));
    return json_get_i64(r, node, at, -max - 1, max, spb_type_name(out->type), &out->as.i64);
}

static bool read_unsigned(json_reader *r, const json_node *node, const json_place *at, spb_value *out) {
    const unsigned bits = out->type == SPB_DATETIME ? 64 : 8u << (out->type - SPB_UINT8);
    return json_get_u64(r, node, at, UINT64_MAX >> (64 - bits), spb_type_name(out->type), &out->as.u64);
}

bool json_read_value(json_reader *r, const json_node *node, const json_place *at, spb_type type, spb_value *out) {
    *out = (spb_value){.type = type};
    switch (type) {
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: return read_signed(r, node, at, out);
    case SPB_UINT8:
    case SPB_UINT16:
    case SPB_UINT32:
    case SPB_UINT64:
    case SPB_DATETIME: return read_unsigned(r, node, at, out);
    case SPB_FLOAT: return json_get_float(r, node, at, &out->as.f32);
    case SPB_DOUBLE: return json_get_double(r, node, at, &out->as.f64);
    case SPB_BOOLEAN: return json_get_bool(r, node, at, &out->as.boolean);
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: return json_get_str(r, node, at, &out->as.str);
    case SPB_BYTES:
    case SPB_FILE: return json_get_bytes(r, node, at, &out->as.bytes);
    case SPB_DATASET: return read_dataset(r, node, at, out);
    case SPB_TEMPLATE: return json_read_template(r, node, at, &out->as.tmpl);
    case SPB_PROPERTY_SET: return read_property_set(r, node, at, out);
    case SPB_PROPERTY_SET_LIST: return read_property_sets(r, node, at, out);
    default: return read_array(r, node, at, out);
    }
}

/* A value without a datatype that has a name: its field decides. */
static bool read_by_field(json_reader *r, const json_node *holder, const json_place *at, const json_content *content,
                          spb_type type, spb_value *out) {
    spb_str name = {0};
    const json_place place = member(at, "field");
    if (!content->field) {
        return json_fail(r, holder, &place, SPB_ERR_TYPE,
                         "missing: with an unknown type it says how to send the value");
    }
    if (!json_get_str(r, content->field, &place, &name)) {
        return false;
    }
    const spb_wire wire = message_field_from_name(name);
    spb_value shape = {.is_null = false, .wire = (uint8_t)wire};
    if (wire == SPB_WIRE_NONE) {
        return json_fail(r, content->field, &place, SPB_ERR_NAME, "no field that holds a value");
    }
    const spb_type read_as = wire == SPB_WIRE_INT ? SPB_UINT32 : message_type_shown(&shape);
    const json_place value_place = member(at, "value");
    if (!json_read_value(r, content->value, &value_place, read_as, out)) {
        return false;
    }
    out->type = type;
    out->wire = (uint8_t)wire;
    return true;
}

static bool read_type(json_reader *r, const json_node *holder, const json_place *at, const json_content *content,
                      spb_type *type) {
    spb_str name = {0};
    uint64_t number = 0;
    const json_place place = member(at, "type"), number_place = member(at, "type_number");
    if (!content->type) {
        return json_fail(r, holder, &place, SPB_ERR_TYPE, "missing: Int32, Double, String … or Unknown");
    }
    if (!json_get_str(r, content->type, &place, &name) ||
        !json_get_u64(r, content->type_number, &number_place, UINT32_MAX, "a datatype", &number)) {
        return false;
    }
    *type = spb_type_from_name(name);
    const bool is_unknown = spb_str_equal(name, spb_str_from("Unknown"));
    if (*type == SPB_UNKNOWN && !is_unknown) {
        return json_fail(r, content->type, &place, SPB_ERR_TYPE, "there is no datatype %.*s",
                         (int)(name.len < 64 ? name.len : 64), name.data);
    }
    if (content->type_number && !is_unknown) {
        return json_fail(r, content->type_number, &number_place, SPB_ERR_TYPE, "stands only beside the type Unknown");
    }
    *type = is_unknown ? (spb_type)(uint32_t)number : *type;
    return true;
}

bool json_read_content(json_reader *r, const json_node *holder, const json_place *at, const json_content *content,
                       spb_value *out) {
    spb_type type = SPB_UNKNOWN;
    bool is_null = false;
    const json_place null_place = member(at, "is_null"), value_place = member(at, "value");
    if (!read_type(r, holder, at, content, &type) || !json_get_bool(r, content->is_null, &null_place, &is_null)) {
        return false;
    }
    const bool has_value = content->value && content->value->kind != JSON_NULL;
    if (is_null && has_value) {
        return json_fail(r, content->is_null, &null_place, SPB_ERR_MALFORMED, "true, and there is a value");
    }
    if (!is_null && !content->value) {
        return json_fail(r, holder, &value_place, SPB_ERR_MALFORMED, "missing; without one there is is_null: true");
    }
    if (!has_value) {
        *out = spb_null(type);
        out->wire = is_null ? SPB_WIRE_NONE : SPB_WIRE_ABSENT;
        return true;
    }
    if (spb_type_from_name(spb_str_from(spb_type_name(type))) == SPB_UNKNOWN) {
        return read_by_field(r, holder, at, content, type, out);
    }
    if (content->field) {
        return json_fail(r, content->field, &(json_place){at, spb_str_from("field"), 0}, SPB_ERR_TYPE,
                         "stands only beside an unknown type");
    }
    return json_read_value(r, content->value, &value_place, type, out);
}
