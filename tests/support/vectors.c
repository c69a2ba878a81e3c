#include "support/vectors.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hex.h"

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    size_t len = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    ck_assert_ptr_nonnull(text);
    for (size_t got; (got = fread(text + len, 1, capacity - len - 1, file)) > 0;) {
        len += got;
        ck_assert_uint_lt(len, capacity - 1);
    }
    fclose(file);
    text[len] = '\0';
    return text;
}

static int64_t signed_of(const json_t *json) {
    return json_is_string(json) ? strtoll(json_string_value(json), NULL, 10) : json_integer_value(json);
}

static uint64_t unsigned_of(const json_t *json) {
    return json_is_string(json) ? strtoull(json_string_value(json), NULL, 10) : (uint64_t)json_integer_value(json);
}

static double real_of(const json_t *json) {
    return json_is_string(json) ? strtod(json_string_value(json), NULL) : json_number_value(json);
}

static spb_str str_of(const json_t *json) {
    return (spb_str){json_string_value(json), json_string_length(json)};
}

static spb_value scalar(spb_type type, const json_t *json, void **owned) {
    spb_value value = {.type = type};
    switch (type) {
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: value.as.i64 = signed_of(json); break;
    case SPB_FLOAT: value.as.f32 = (float)real_of(json); break;
    case SPB_DOUBLE: value.as.f64 = real_of(json); break;
    case SPB_BOOLEAN: value.as.boolean = json_is_true(json); break;
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: value.as.str = str_of(json); break;
    case SPB_BYTES:
    case SPB_FILE:
        value.as.bytes = hex_bytes(json_string_value(json));
        *owned = (void *)(uintptr_t)value.as.bytes.data;
        break;
    default: value.as.u64 = unsigned_of(json); break;
    }
    return value;
}

static void set_element(void *items, spb_type array, size_t i, const json_t *json) {
    switch (array) {
    case SPB_INT8_ARRAY: ((int8_t *)items)[i] = (int8_t)signed_of(json); break;
    case SPB_INT16_ARRAY: ((int16_t *)items)[i] = (int16_t)signed_of(json); break;
    case SPB_INT32_ARRAY: ((int32_t *)items)[i] = (int32_t)signed_of(json); break;
    case SPB_INT64_ARRAY: ((int64_t *)items)[i] = signed_of(json); break;
    case SPB_UINT8_ARRAY: ((uint8_t *)items)[i] = (uint8_t)unsigned_of(json); break;
    case SPB_UINT16_ARRAY: ((uint16_t *)items)[i] = (uint16_t)unsigned_of(json); break;
    case SPB_UINT32_ARRAY: ((uint32_t *)items)[i] = (uint32_t)unsigned_of(json); break;
    case SPB_FLOAT_ARRAY: ((float *)items)[i] = (float)real_of(json); break;
    case SPB_DOUBLE_ARRAY: ((double *)items)[i] = real_of(json); break;
    case SPB_BOOLEAN_ARRAY: ((bool *)items)[i] = json_is_true(json); break;
    case SPB_STRING_ARRAY: ((spb_str *)items)[i] = str_of(json); break;
    default: ((uint64_t *)items)[i] = unsigned_of(json); break;
    }
}

static void parse_value(vector *v, spb_type type) {
    json_t *json = json_loads(v->text, JSON_DECODE_ANY, NULL);
    ck_assert_msg(json != NULL, "not JSON: %s", v->text);
    v->json = json;
    if (json_is_null(json)) {
        v->value = spb_null(type);
    } else if (spb_type_is_array(type)) {
        size_t count = json_array_size(json);
        v->items = calloc(count + 1, sizeof(spb_str)); /* the widest element */
        ck_assert_ptr_nonnull(v->items);
        for (size_t i = 0; i < count; i++) {
            set_element(v->items, type, i, json_array_get(json, i));
        }
        v->value = (spb_value){.type = type, .as.array = {v->items, count}};
    } else {
        v->value = scalar(type, json, &v->items);
    }
}

/* Cuts the next part off at `end`; an empty part at the end of the line. */
static char *next_part(char **rest, char end) {
    char *part = *rest;
    char *stop = strchr(part, end);
    *rest = stop ? stop + 1 : part + strlen(part);
    if (stop) {
        *stop = '\0';
    }
    return part;
}

vectors vectors_load(void) {
    vectors all = {.file = read_file(TEST_DATA_DIR "/vectors.tsv")};
    all.items = calloc(1000, sizeof *all.items);
    ck_assert_ptr_nonnull(all.items);
    for (char *rest = all.file; *rest;) {
        char *line = next_part(&rest, '\n');
        if (*line == '#') {
            continue;
        }
        ck_assert_uint_lt(all.count, 1000);
        vector *v = &all.items[all.count++];
        spb_type type = spb_type_from_name(spb_str_from(next_part(&line, '\t')));
        ck_assert_int_ne(type, SPB_UNKNOWN);
        v->text = next_part(&line, '\t');
        v->wire = next_part(&line, '\t');
        for (size_t i = 0; *line; i++) {
            v->also[i] = next_part(&line, ' ');
        }
        parse_value(v, type);
    }
    ck_assert_uint_gt(all.count, 0);
    return all;
}

void vectors_free(vectors *all) {
    for (size_t i = 0; i < all->count; i++) {
        free(all->items[i].items);
        json_decref(all->items[i].json);
    }
    free(all->items);
    free(all->file);
}
