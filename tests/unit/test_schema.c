/* The tables that cmake/schema.awk makes say of every field what protoc-c's descriptors say. */
#include <check.h>

#include "codec/schema.h"
#include "support/suite.h"

static spb_field_kind kind_of(const ProtobufCFieldDescriptor *field) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32: return field->label == PROTOBUF_C_LABEL_REPEATED ? FIELD_NUMBERS : FIELD_VARINT;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL: return FIELD_VARINT;
    case PROTOBUF_C_TYPE_FLOAT: return FIELD_FLOAT;
    case PROTOBUF_C_TYPE_DOUBLE: return FIELD_DOUBLE;
    case PROTOBUF_C_TYPE_STRING: return FIELD_TEXT;
    case PROTOBUF_C_TYPE_BYTES: return FIELD_BYTES;
    case PROTOBUF_C_TYPE_MESSAGE: return FIELD_MESSAGE;
    default: return FIELD_UNKNOWN;
    }
}

START_TEST(each_field_is_what_its_descriptor_says) {
    size_t fields = 0;
    for (int message = 0; message < MESSAGE_COUNT; message++) {
        const ProtobufCMessageDescriptor *descriptor = spb_schema__messages[message];
        ck_assert_uint_lt(descriptor->n_fields, FIELD_LIMIT);
        for (unsigned number = 0; number < FIELD_LIMIT; number++) {
            const spb_field *dense = &spb_schema__fields[message][number];
            if (number == 0 || number > descriptor->n_fields) {
                ck_assert_int_eq(dense->kind, FIELD_UNKNOWN);
                continue;
            }
            const ProtobufCFieldDescriptor *field = &descriptor->fields[number - 1];
            ck_assert_uint_eq(field->id, number);
            ck_assert_int_eq(dense->kind, kind_of(field));
            ck_assert_int_eq(dense->is_repeated, field->label == PROTOBUF_C_LABEL_REPEATED);
            if (dense->kind == FIELD_MESSAGE) {
                ck_assert_ptr_eq(spb_schema__messages[dense->message], field->descriptor);
            }
            fields++;
        }
    }
    ck_assert_uint_gt(fields, 60);
}
END_TEST

/* The members of each oneof, and nothing else, carry values; back and forth. */
START_TEST(each_value_has_its_field) {
    for (int message = 0; message < MESSAGE_COUNT; message++) {
        const ProtobufCMessageDescriptor *descriptor = spb_schema__messages[message];
        for (unsigned number = 1; number <= descriptor->n_fields; number++) {
            const spb_field *dense = &spb_schema__fields[message][number];
            bool is_value = (descriptor->fields[number - 1].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
            ck_assert_int_eq(dense->wire != SPB_WIRE_NONE, is_value);
            if (is_value) {
                ck_assert_uint_eq(spb_schema__value_fields[message][dense->wire], number);
            }
        }
    }
}
END_TEST

START_TEST(each_datatype_has_its_name) {
    const ProtobufCEnumDescriptor *types = &spb__pb__data_type__descriptor;
    ck_assert_uint_eq(types->n_values, SPB_DATETIME_ARRAY + 1);
    for (unsigned i = 0; i < types->n_values; i++) {
        ck_assert_str_eq(spb_type_name((spb_type)types->values[i].value), types->values[i].name);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("schema");
    TCase *tables = tcase_create("tables");
    tcase_add_test(tables, each_field_is_what_its_descriptor_says);
    tcase_add_test(tables, each_value_has_its_field);
    tcase_add_test(tables, each_datatype_has_its_name);
    suite_add_tcase(suite, tables);
    return suite_run(suite);
}
