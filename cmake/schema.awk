# Tables for the codec's hot loops, made of proto/sparkplug_b.proto; two forms (-v form=…):
#   h   schema.h: messages, field numbers and datatypes as constants
#   c   schema_tables.c: the form of each field, dense; the descriptors of protoc-c's code by message
#   wires   wire_names.h: the name of each value field, by spb_wire
# It reads what the file has of the language, line by line: messages, oneofs, fields, one enum. Anything else is an error.

BEGIN {
    scalar["uint32"] = scalar["uint64"] = scalar["bool"] = "VARINT"
    scalar["float"] = "FLOAT"
    scalar["double"] = "DOUBLE"
    scalar["string"] = "TEXT"
    scalar["bytes"] = "BYTES"
    wire_count = split("INT LONG FLOAT DOUBLE BOOLEAN STRING BYTES DATASET TEMPLATE SET SET_LIST EXTENSION", wires, " ")
    for (i = 1; i <= wire_count; i++) {
        is_wire[wires[i]] = 1
    }
}

{
    sub(/[ \t]*\/\/.*/, "")
    gsub(/;/, "")
}
NF == 0 || $1 == "syntax" || $1 == "package" || $1 == "extensions" { next }
$1 == "enum" { in_enum = 1; next }
$1 == "oneof" { in_oneof = 1; next }
$1 == "}" {
    if (in_enum || in_oneof) {
        in_enum = in_oneof = 0
    } else {
        depth--
    }
    next
}
$1 == "message" {
    stack[++depth] = ++message_count
    name[message_count] = $2
    path[message_count] = (depth > 1 ? path[stack[depth - 1]] "__" : "") snake($2)
    if ($2 in by_name) {
        fail("two messages with the name " $2)
    }
    by_name[$2] = message_count
    next
}
in_enum && NF == 3 && $2 == "=" { type_name[++type_count] = $1; type_number[type_count] = $3; next }
in_oneof && NF == 4 && $3 == "=" { field("optional", $1, $2, $4); next }
NF == 5 && $4 == "=" && ($1 == "optional" || $1 == "repeated") { field($1, $2, $3, $5); next }
{ fail("not understood: " $0) }

function fail(why) {
    print FILENAME ":" FNR ": " why > "/dev/stderr"
    failed = 1
    exit 1
}

function field(label, type, called, number,    m, n) {
    m = stack[depth]
    n = ++field_count[m]
    if (number != n) { # so that field n is descriptor->fields[n - 1]
        fail("the numbers of the fields are not 1, 2, 3 …")
    }
    field_name[m, n] = called
    field_type[m, n] = type
    is_repeated[m, n] = label == "repeated"
    limit = n > limit ? n : limit
}

# "DataSetValue" → "data_set_value", as protoc-c does it.
function snake(text,    out, i, c) {
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (i > 1 && c ~ /[A-Z]/ && substr(text, i - 1, 1) !~ /[A-Z]/) {
            out = out "_"
        }
        out = out tolower(c)
    }
    return out
}

function constant(m, n) {
    return toupper(snake(name[m])) (n ? "_" toupper(field_name[m, n]) : "")
}

# The name of a datatype in spb_type: "UInt32" → SPB_UINT32, "PropertySet" → SPB_PROPERTY_SET.
function datatype(text) {
    gsub(/^UInt/, "Uint", text)
    gsub(/DateTime/, "Datetime", text)
    gsub(/DataSet/, "Dataset", text)
    return "SPB_" toupper(snake(text))
}

# The spb_wire of a field: "long_value" → LONG; "": it carries no value.
function wire_of(m, n,    text) {
    text = toupper(field_name[m, n])
    if (!sub(/_VALUE$/, "", text)) {
        return ""
    }
    sub(/^PROPERTYSETS$/, "SET_LIST", text)
    sub(/^PROPERTYSET$/, "SET", text)
    return text in is_wire ? text : ""
}

function kind_of(m, n,    type) {
    type = field_type[m, n]
    if (type == "uint32" && is_repeated[m, n]) {
        return "NUMBERS"
    }
    return type in scalar ? scalar[type] : "MESSAGE"
}

function message_of(m, n) {
    if (!(field_type[m, n] in by_name)) {
        print "no message " field_type[m, n] > "/dev/stderr"
        exit 1
    }
    return "MESSAGE_" constant(by_name[field_type[m, n]])
}

function print_header(    m, n) {
    print "#ifndef SPB_CODEC_SCHEMA_H\n#define SPB_CODEC_SCHEMA_H\n"
    print "#include <spb/value.h>\n\n#include \"sparkplug_b.pb-c.h\"\n\n#include \"codec/kinds.h\"\n"
    print "typedef enum spb_message {"
    for (m = 1; m <= message_count; m++) {
        print "    MESSAGE_" constant(m) ","
    }
    print "    MESSAGE_COUNT\n} spb_message;\n"
    for (m = 1; m <= message_count; m++) {
        for (n = 1; n <= field_count[m]; n++) {
            print (n == 1 ? "enum {" : "     ") " " constant(m, n) " = " n (n < field_count[m] ? "," : " };")
        }
    }
    print "\n/* All field numbers are below this. */\n#define FIELD_LIMIT " limit + 1 "\n"
    print "extern const spb_field spb_schema__fields[MESSAGE_COUNT][FIELD_LIMIT];"
    print "extern const ProtobufCMessageDescriptor *const spb_schema__messages[MESSAGE_COUNT];"
    print "/* The field of a value, 0 where the message has none of that kind. */"
    print "extern const uint8_t spb_schema__value_fields[MESSAGE_COUNT][SPB_WIRE_EXTENSION + 1];"
    print "extern const char *const spb_schema__type_names[" type_count "];"
    print "\n#endif"
}

function print_tables(    m, n, first) {
    print "#include \"codec/schema.h\"\n"
    print "const spb_field spb_schema__fields[MESSAGE_COUNT][FIELD_LIMIT] = {"
    for (m = 1; m <= message_count; m++) {
        for (n = 1; n <= field_count[m]; n++) {
            printf "    [MESSAGE_%s][%s] = {.kind = FIELD_%s", constant(m), constant(m, n), kind_of(m, n)
            if (kind_of(m, n) == "MESSAGE") {
                printf ", .message = %s", message_of(m, n)
            }
            if (wire_of(m, n)) {
                printf ", .wire = SPB_WIRE_%s", wire_of(m, n)
            }
            print (is_repeated[m, n] ? ", .is_repeated = true" : "") "},"
        }
    }
    print "};\n\nconst uint8_t spb_schema__value_fields[MESSAGE_COUNT][SPB_WIRE_EXTENSION + 1] = {"
    for (m = 1; m <= message_count; m++) {
        for (n = 1; n <= field_count[m]; n++) {
            if (wire_of(m, n)) {
                print "    [MESSAGE_" constant(m) "][SPB_WIRE_" wire_of(m, n) "] = " constant(m, n) ","
            }
        }
    }
    print "};\n\nconst ProtobufCMessageDescriptor *const spb_schema__messages[MESSAGE_COUNT] = {"
    for (m = 1; m <= message_count; m++) {
        print "    [MESSAGE_" constant(m) "] = &spb__pb__" path[m] "__descriptor,"
    }
    print "};\n\nconst char *const spb_schema__type_names[" type_count "] = {"
    for (n = 1; n <= type_count; n++) {
        print "    [" datatype(type_name[n]) "] = \"" type_name[n] "\","
    }
    print "};\n\n/* The public datatypes have the numbers of the schema. */"
    for (n = 1; n <= type_count; n++) {
        print "_Static_assert((int)" datatype(type_name[n]) " == SPB__PB__DATA_TYPE__" type_name[n] ", \"" type_name[n] "\");"
    }
    print "\n/* Scalars follow one another in the order of spb_wire, in every message that has them. */"
    for (m = 1; m <= message_count; m++) {
        first = 0
        for (n = 1; n <= field_count[m]; n++) {
            first = wire_of(m, n) == "INT" ? n : first
            if (first && kind_of(m, n) != "MESSAGE") {
                printf "_Static_assert(%s - %s == SPB_WIRE_%s - SPB_WIRE_INT, \"%s\");\n", constant(m, n), constant(m, first),
                    wire_of(m, n), field_name[m, n]
            }
        }
    }
}

function print_wires(    m, n, wire) {
    print "#include <spb/value.h>\n"
    print "static const char *const wire_names[SPB_WIRE_EXTENSION + 1] = {"
    for (m = 1; m <= message_count; m++) {
        for (n = 1; n <= field_count[m]; n++) {
            wire = wire_of(m, n)
            if (wire && !(wire in printed)) {
                printed[wire] = 1
                print "    [SPB_WIRE_" wire "] = \"" field_name[m, n] "\","
            }
        }
    }
    print "};"
}

END {
    if (failed) {
        exit 1
    }
    print "/* Made of proto/sparkplug_b.proto by cmake/schema.awk. */"
    if (form == "h") {
        print_header()
    } else if (form == "c") {
        print_tables()
    } else {
        print_wires()
    }
}
