/* Cases of the rules for metrics, properties, DataSets, templates and commands. */
#include <stdio.h>

#include "support/check_stream.h"

enum { PAYLOAD_TIMESTAMP = 1, PAYLOAD_METRICS = 2, PAYLOAD_SEQ = 3 };
enum { METRIC_NAME = 1, METRIC_TIMESTAMP = 3, METRIC_DATATYPE = 4, METRIC_IS_NULL = 7, METRIC_PROPERTIES = 9 };
enum { METRIC_INT = 10, METRIC_DATASET = 17, METRIC_TEMPLATE = 18, METRIC_BOOLEAN = 14, METRIC_LONG = 11 };
static const uint64_t now_ms = UINT64_C(1700000000000);

/* An NBIRTH with more metrics than the two that it must have. */
static void nbirth(const char *more_right, const char *more_wrong, bool right) {
    char json[4096];
    stream_connected();
    snprintf(json, sizeof json, "{'timestamp':" T ",'seq':0,'metrics':[" BDSEQ "," REBIRTH "%s]}",
             right ? more_right : more_wrong);
    stream_send("NBIRTH", json);
}

/* A DBIRTH of these metrics. */
static void dbirth(const char *metrics_right, const char *metrics_wrong, bool right) {
    char json[4096];
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    snprintf(json, sizeof json, "{'timestamp':" T ",'seq':1,'metrics':[%s]}", right ? metrics_right : metrics_wrong);
    stream_send("DBIRTH", json);
}

/* DDATA of these metrics; the DBIRTH has t, a Double with alias 1, and u, an Int8 without. */
static void ddata(const char *metrics_right, const char *metrics_wrong, bool right) {
    char json[4096];
    dbirth(METRIC("t", "'alias':1,'type':'Double','value':1") "," METRIC("u", "'type':'Int8','value':1"), "", true);
    snprintf(json, sizeof json, "{'timestamp':" T ",'seq':2,'metrics':[%s]}", right ? metrics_right : metrics_wrong);
    stream_send("DDATA", json);
}

#define GOOD METRIC("a", "'type':'Int8','value':1")

/* A metric with name, timestamp and datatype; its value is to be added. */
static raw raw_metric(const char *name, unsigned datatype) {
    raw metric = {.len = 0};
    raw_text(&metric, METRIC_NAME, name);
    raw_number(&metric, METRIC_TIMESTAMP, now_ms);
    raw_number(&metric, METRIC_DATATYPE, datatype);
    return metric;
}

/* A birth of this metric alone. */
static void send_dbirth_of(const raw *metric) {
    raw payload = {.len = 0};
    raw_number(&payload, PAYLOAD_TIMESTAMP, now_ms);
    raw_add(&payload, PAYLOAD_METRICS, metric);
    raw_number(&payload, PAYLOAD_SEQ, 1);
    stream_send_raw("spBv1.0/g/DBIRTH/n/d", &payload);
}

/* An NBIRTH of this metric and the two that it must have. */
static void send_nbirth_of(const raw *metric) {
    raw payload = {.len = 0}, bdseq = raw_metric("bdSeq", SPB_INT64);
    raw rebirth = raw_metric("Node Control/Rebirth", SPB_BOOLEAN);
    raw_number(&bdseq, METRIC_LONG, 0);
    raw_number(&rebirth, METRIC_BOOLEAN, 0);
    raw_number(&payload, PAYLOAD_TIMESTAMP, now_ms);
    raw_add(&payload, PAYLOAD_METRICS, &bdseq);
    raw_add(&payload, PAYLOAD_METRICS, &rebirth);
    raw_add(&payload, PAYLOAD_METRICS, metric);
    raw_number(&payload, PAYLOAD_SEQ, 0);
    stream_send_raw("spBv1.0/g/NBIRTH/n", &payload);
}

/* ---- metrics ---- */

static void metric_timestamp(bool right) {
    dbirth(GOOD, "{'name':'a','type':'Int8','value':1}", right);
}

static void metric_timestamp_in_data(bool right) {
    ddata(DATA(1, 2), "{'alias':1,'type':'Double','from_birth':['type'],'value':1}", right);
}

static void metric_timestamp_utc(bool right) {
    dbirth(GOOD, "{'name':'a','timestamp':1700000000000000,'type':'Int8','value':1}", right);
}

#define AT(alias, ms, more)                                                                                            \
    "{'alias':" #alias ",'timestamp':" #ms ",'type':'Double','from_birth':['type']," more "'value':1}"

static void device_time_order(bool right) {
    ddata(AT(1, 1700000000000, "") "," AT(1, 1700000000001, "") "," AT(1, 1690000000000, "'is_historical':true,"),
          AT(1, 1700000000001, "") "," AT(1, 1700000000000, ""), right);
}

static void node_time_order(bool right) {
    nbirth("," METRIC("a", "'alias':1,'type':'Double','value':1"),
           "," METRIC("a", "'alias':1,'type':'Double','value':1"), true);
    stream_send("NDATA", right ? MESSAGE(1, AT(1, 1700000000000, "") "," AT(1, 1700000000000, ""))
                               : MESSAGE(1, AT(1, 1700000000001, "") "," AT(1, 1700000000000, "")));
}

static void time_order_in_nbirth(bool right) {
    nbirth("," METRIC("a", "'type':'Int8','value':1") ",{'name':'b','timestamp':1700000000001,'type':'Int8','value':1}",
           ",{'name':'b','timestamp':1690000000000,'type':'Int8','value':1}", right);
}

static void time_order_in_dbirth(bool right) {
    dbirth("{'name':'b','timestamp':1690000000000,'type':'Int8','value':1}," GOOD,
           GOOD ",{'name':'b','timestamp':1690000000000,'type':'Int8','value':1}", right);
}

static void nbirth_payload(bool right) {
    stream_connected();
    if (right) {
        stream_send("NBIRTH", NBIRTH);
    } else {
        stream_send_hex("spBv1.0/g/NBIRTH/n", "ffff");
    }
}

static void dbirth_payload(bool right) {
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    if (right) {
        stream_send("DBIRTH", DBIRTH);
    } else {
        stream_send_hex("spBv1.0/g/DBIRTH/n/d", "12ff");
    }
}

static void other_payload(bool right) {
    stream_send_hex("spBv1.0/g/NDATA/n", right ? "0880d095ffbc311800" : "0880d095ff");
}

static void metric_name(bool right) {
    stream_send_hex("spBv1.0/g/NDATA/n", right ? "0880d095ffbc311800"
                                               : "0880d095ffbc3112025001"
                                                 "1800");
}

static void metric_twice(bool right) {
    dbirth(GOOD "," METRIC("b", "'type':'Int8','value':1"), GOOD "," GOOD, right);
}

static void metric_case(bool right) {
    dbirth(GOOD "," METRIC("b", "'type':'Int8','value':1"), GOOD "," METRIC("A", "'type':'Int8','value':1"), right);
}

static void alias_in_birth(bool right) {
    dbirth(METRIC("t", "'alias':1,'type':'Double','value':1"),
           "{'alias':1,'timestamp':" T ",'type':'Double','value':1}", right);
}

static void alias_unique(bool right) {
    dbirth(METRIC("t", "'alias':1,'type':'Double','value':1") "," METRIC("u", "'alias':2,'type':'Double','value':1"),
           METRIC("t", "'alias':1,'type':'Double','value':1") "," METRIC("u", "'alias':1,'type':'Double','value':1"),
           right);
}

/* The node has it already. A birth of the same device again is no second one. */
static void alias_unique_of_all(bool right) {
    nbirth("," METRIC("a", "'alias':9,'type':'Int8','value':1"), "," METRIC("a", "'alias':1,'type':'Int8','value':1"),
           right);
    stream_send("DBIRTH", DBIRTH);
    if (right) {
        stream_send("DBIRTH", MESSAGE(2, METRIC("t", "'alias':1,'type':'Double','value':1")));
    }
}

static void alias_in_data(bool right) {
    ddata(DATA(1, 2), "{'name':'t','timestamp':" T ",'type':'Double','from_birth':['type'],'value':1}", right);
}

static void alias_and_name(bool right) {
    ddata(DATA(1, 2), "{'name':'t','alias':1,'timestamp':" T ",'type':'Double','from_birth':['type'],'value':1}",
          right);
}

static void datatype_in_birth(bool right) {
    dbirth(GOOD, METRIC("a", "'type':'Int8','from_birth':['type'],'value':1"), right);
}

static void datatype_value(bool right) {
    dbirth(GOOD, METRIC("a", "'type':'Unknown','type_number':99,'field':'int_value','value':1"), right);
}

static void datatype_in_data(bool right) {
    ddata(DATA(1, 2), METRIC("u", "'type':'Int8','value':1"), right);
}

static void nbirth_value(bool right) {
    nbirth("," METRIC("a", "'type':'Int8','is_null':true"), "," METRIC("a", "'type':'Int8','value':null"), right);
}

static void dbirth_value(bool right) {
    dbirth(METRIC("a", "'type':'Int8','is_null':true"), METRIC("a", "'type':'Int8','value':null"), right);
}

/* A metric a, an Int8, with is_null and int_value 1. */
static void null_and_value(bool right) {
    raw metric = raw_metric("a", SPB_INT8);
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    raw_number(&metric, METRIC_IS_NULL, 1);
    if (!right) {
        raw_number(&metric, METRIC_INT, 1);
    }
    send_dbirth_of(&metric);
}

static void data_value(bool right) {
    ddata("{'alias':1,'timestamp':" T ",'type':'Double','from_birth':['type'],'is_null':true}",
          "{'alias':1,'timestamp':" T ",'type':'Double','from_birth':['type'],'value':null}", right);
}

static void value_type(bool right) {
    ddata(DATA(1, 2), "{'alias':1,'timestamp':" T ",'type':'String','from_birth':['type'],'value':'x'}", right);
}

static void node_metrics(bool right) {
    nbirth("," METRIC("a", "'type':'Int8','value':1"), "", right);
    stream_send("NDATA", MESSAGE(1, METRIC("a", "'type':'Int8','from_birth':['type'],'value':2")));
}

static void device_metrics(bool right) {
    ddata(DATA(1, 2), DATA(2, 2), right);
}

/* An alias of the node in data of a device. */
static void device_metrics_of_others(bool right) {
    nbirth("," METRIC("a", "'alias':9,'type':'Double','value':1"), "", true);
    stream_send("DBIRTH", DBIRTH);
    stream_send("DDATA", right ? MESSAGE(2, DATA(1, 2)) : MESSAGE(2, DATA(9, 2)));
}

static void rebirth_metric(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : MESSAGE(0, BDSEQ));
}

static void send_rebirth_metric(const char *metric, bool right) {
    char json[512];
    stream_connected();
    snprintf(json, sizeof json, "{'timestamp':" T ",'seq':0,'metrics':[" BDSEQ ",%s]}", right ? REBIRTH : metric);
    stream_send("NBIRTH", json);
}

static void rebirth_alias(bool right) {
    send_rebirth_metric(METRIC("Node Control/Rebirth", "'alias':1,'type':'Boolean','value':false"), right);
}

static void rebirth_type(bool right) {
    send_rebirth_metric(METRIC("Node Control/Rebirth", "'type':'Int8','value':0"), right);
}

static void rebirth_value(bool right) {
    send_rebirth_metric(METRIC("Node Control/Rebirth", "'type':'Boolean','value':true"), right);
}

/* ---- properties ---- */

#define WITH(properties) METRIC("a", "'type':'Int8','value':1,'properties':{" properties "}")

/* A metric a, an Int8, with a property set of one key and one or no value. */
static void property_count(bool right) {
    raw metric = raw_metric("a", SPB_INT8), set = {.len = 0}, value = {.len = 0};
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    raw_text(&set, 1, "q");
    raw_number(&value, 1, SPB_INT8);
    raw_number(&value, 3, 1);
    if (right) {
        raw_add(&set, 2, &value);
    }
    raw_add(&metric, METRIC_PROPERTIES, &set);
    raw_number(&metric, METRIC_INT, 1);
    send_dbirth_of(&metric);
}

static void property_has_type(bool right) {
    dbirth(WITH("'q':{'type':'Int8','value':1}"), WITH("'q':{'type':'Unknown','field':'int_value','value':1}"), right);
}

static void property_type(bool right) {
    dbirth(WITH("'q':{'type':'Text','value':'x'}"),
           WITH("'q':{'type':'Unknown','type_number':99,'field':'int_value','value':1}"), right);
}

static void quality_type(bool right) {
    dbirth(WITH("'Quality':{'type':'Int32','value':192}"), WITH("'Quality':{'type':'UInt32','value':192}"), right);
}

static void quality_value(bool right) {
    dbirth(WITH("'Quality':{'type':'Int32','value':500}"), WITH("'Quality':{'type':'Int32','value':1}"), right);
}

static void nested_quality(bool right) {
    dbirth(WITH("'s':{'type':'PropertySetList','value':[{'Quality':{'type':'Int32','value':0}}]}"),
           WITH("'s':{'type':'PropertySetList','value':[{'Quality':{'type':'Int32','value':7}}]}"), right);
}

/* ---- DataSets ---- */

#define DATASET(value) METRIC("a", "'type':'DataSet','value':" value)

/* A DBIRTH with a DataSet of one column and one row of `cells` cells. */
static void send_dataset(uint64_t num_of_columns, unsigned type, size_t cells) {
    raw metric = raw_metric("a", SPB_DATASET), set = {.len = 0}, row = {.len = 0}, cell = {.len = 0};
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    raw_number(&set, 1, num_of_columns);
    raw_text(&set, 2, "c");
    raw_number(&set, 3, type);
    raw_number(&cell, 1, 1);
    for (size_t i = 0; i < cells; i++) {
        raw_add(&row, 1, &cell);
    }
    raw_add(&set, 4, &row);
    raw_add(&metric, METRIC_DATASET, &set);
    send_dbirth_of(&metric);
}

static void dataset_columns(bool right) {
    send_dataset(right ? 1 : 2, SPB_INT32, 1);
}

static void dataset_cells(bool right) {
    send_dataset(1, SPB_INT32, right ? 1 : 2);
}

static void dataset_cell_type(bool right) {
    send_dataset(1, right ? SPB_INT32 : SPB_STRING, 1);
}

/* A DataSet as the type of a column. */
static void dataset_in_dataset(bool right) {
    send_dataset(1, right ? SPB_INT32 : SPB_DATASET, 1);
}

static void dataset_types(bool right) {
    dbirth(DATASET("{'columns':['c'],'types':['Text'],'rows':[['x']]}"),
           DATASET("{'columns':['c'],'types':['UUID'],'rows':[['x']]}"), right);
}

/* ---- templates ---- */

#define DEFINITION ",{'name':'Motor','timestamp':" T ",'type':'Template','value':{'is_definition':true," MEMBERS "}}"
#define MEMBERS                                                                                                        \
    "'metrics':[{'name':'x','type':'Int8','value':1},{'name':'y','type':'Int8','value':1}],"                           \
    "'parameters':[{'name':'p','type':'Int8','value':1}]"
#define INSTANCE_OF(ref, rest)                                                                                         \
    METRIC("m", "'type':'Template','value':{'template_ref':'" ref "','is_definition':false," rest "}")
#define INSTANCE INSTANCE_OF("Motor", MEMBERS)

static void template_dbirth(const char *more, const char *instance_right, const char *instance_wrong, bool right) {
    char json[4096];
    nbirth(more, "", true);
    snprintf(json, sizeof json, "{'timestamp':" T ",'seq':1,'metrics':[%s]}", right ? instance_right : instance_wrong);
    stream_send("DBIRTH", json);
}

static void definition_in_nbirth(bool right) {
    template_dbirth(DEFINITION, INSTANCE, METRIC("m", "'type':'Template','value':{'is_definition':true," MEMBERS "}"),
                    right);
}

static void definition_ref(bool right) {
    raw metric = raw_metric("Motor", SPB_TEMPLATE), tmpl = {.len = 0};
    if (!right) {
        raw_text(&tmpl, 4, "Engine");
    }
    raw_number(&tmpl, 5, 1);
    raw_add(&metric, METRIC_TEMPLATE, &tmpl);
    stream_connected();
    send_nbirth_of(&metric);
}

/* An instance of a template without members or parameters but that one. */
static void send_instance(const char *ref, bool with_flag, const char *parameter) {
    raw definition = raw_metric("Motor", SPB_TEMPLATE), instance = raw_metric("m", SPB_TEMPLATE);
    raw tmpl = {.len = 0}, one = {.len = 0};
    if (parameter) {
        raw_text(&one, 1, parameter);
        raw_number(&one, 2, SPB_INT8);
        raw_number(&one, 3, 1);
        raw_add(&tmpl, 3, &one);
    }
    raw of_instance = tmpl;
    raw_number(&tmpl, 5, 1);
    raw_add(&definition, METRIC_TEMPLATE, &tmpl);
    stream_connected();
    send_nbirth_of(&definition);
    if (ref) {
        raw_text(&of_instance, 4, ref);
    }
    if (with_flag) {
        raw_number(&of_instance, 5, 0);
    }
    raw_add(&instance, METRIC_TEMPLATE, &of_instance);
    send_dbirth_of(&instance);
}

static void instance_ref(bool right) {
    send_instance(right ? "Motor" : NULL, true, NULL);
}

static void parameter_name(bool right) {
    send_instance("Motor", true, right ? "p" : "");
}

static void definition_missing(bool right) {
    template_dbirth(DEFINITION, INSTANCE, INSTANCE_OF("Pump", MEMBERS), right);
}

static void types_prefix(bool right) {
    nbirth(",{'name':'_types_/Motor','timestamp':" T ",'type':'Template','value':{'is_definition':true," MEMBERS "}}",
           ",{'name':'types/Motor','timestamp':" T ",'type':'Template','value':{'is_definition':true," MEMBERS "}}",
           right);
    stream_send("DBIRTH", MESSAGE(1, INSTANCE));
}

static void is_definition(bool right) {
    send_instance("Motor", right, NULL);
}

static void instance_members(bool right) {
    template_dbirth(DEFINITION, INSTANCE,
                    INSTANCE_OF("Motor", "'metrics':[{'name':'x','type':'Int8','value':1},{'name':'y','type':'Int8',"
                                         "'value':1},{'name':'z','type':'Int8','value':1}]"),
                    right);
}

static void instance_members_in_birth(bool right) {
    template_dbirth(DEFINITION, INSTANCE, INSTANCE_OF("Motor", "'metrics':[{'name':'x','type':'Int8','value':1}]"),
                    right);
}

static void instance_parameters(bool right) {
    template_dbirth(DEFINITION, INSTANCE,
                    INSTANCE_OF("Motor", "'metrics':[{'name':'x','type':'Int8','value':1},{'name':'y','type':'Int8',"
                                         "'value':1}],'parameters':[{'name':'q','type':'Int8','value':1}]"),
                    right);
}

static void member_datatype(bool right) {
    template_dbirth(DEFINITION, INSTANCE,
                    INSTANCE_OF("Motor", "'metrics':[{'name':'x','type':'Int8','value':1},{'name':'y','type':'Int8',"
                                         "'from_birth':['type'],'value':1}]"),
                    right);
}

static void parameter_has_type(bool right) {
    template_dbirth(DEFINITION, INSTANCE,
                    INSTANCE_OF("Motor", "'metrics':[{'name':'x','type':'Int8','value':1},{'name':'y','type':'Int8',"
                                         "'value':1}],'parameters':[{'name':'p','type':'Unknown','field':'int_value',"
                                         "'value':1}]"),
                    right);
}

static void parameter_type(bool right) {
    template_dbirth(DEFINITION, INSTANCE,
                    INSTANCE_OF("Motor", "'metrics':[{'name':'x','type':'Int8','value':1},{'name':'y','type':'Int8',"
                                         "'value':1}],'parameters':[{'name':'p','type':'UUID','value':'x'}]"),
                    right);
}

/* ---- commands ---- */

static void ncmd_name(bool right) {
    nbirth("," GOOD, "", right);
    stream_send("NCMD", COMMAND("{'name':'a','type':'Int8','from_birth':['type'],'value':1}"));
}

static void ncmd_value(bool right) {
    nbirth("," GOOD, "", true);
    stream_send("NCMD", right ? COMMAND("{'name':'a','type':'Int8','from_birth':['type'],'value':1}")
                              : COMMAND("{'name':'a','type':'String','from_birth':['type'],'value':'x'}"));
}

static void dcmd_name(bool right) {
    stream_born();
    stream_send("DCMD", right ? COMMAND("{'alias':1,'type':'Double','from_birth':['type'],'value':1}")
                              : COMMAND("{'alias':7,'type':'Double','from_birth':['type'],'value':1}"));
}

static void dcmd_value(bool right) {
    stream_born();
    stream_send("DCMD", right ? COMMAND("{'alias':1,'type':'Double','from_birth':['type'],'value':1}")
                              : COMMAND("{'alias':1,'type':'Boolean','from_birth':['type'],'value':true}"));
}

static void rebirth_request_verb(bool right) {
    stream_send(right ? "NCMD" : "DCMD", ASK);
}

static void rebirth_request_value(bool right) {
    stream_send("NCMD", right ? ASK
                              : COMMAND("{'name':'Node Control/Rebirth','type':'Boolean','from_birth':['type'],"
                                        "'value':false}"));
}

#define ONLY(rule, play)                                                                                               \
    { rule, play, rule }

const check_case check_cases_payload[] = {
    ONLY(RULE_METRIC_TIMESTAMP, metric_timestamp),
    ONLY(RULE_METRIC_TIMESTAMP, metric_timestamp_in_data),
    ONLY(RULE_METRIC_TIMESTAMP_UTC, metric_timestamp_utc),
    ONLY(RULE_DEVICE_TIME_ORDER, device_time_order),
    ONLY(RULE_NODE_TIME_ORDER, node_time_order),
    ONLY(RULE_NODE_TIME_ORDER, time_order_in_nbirth),
    ONLY(RULE_DEVICE_TIME_ORDER, time_order_in_dbirth),
    ONLY(RULE_NBIRTH_PAYLOAD, nbirth_payload),
    ONLY(RULE_DBIRTH_PAYLOAD, dbirth_payload),
    ONLY(RULE_OTHER_PAYLOAD, other_payload),
    ONLY(RULE_METRIC_NAME, metric_name),
    ONLY(RULE_METRIC_TWICE, metric_twice),
    ONLY(RULE_METRIC_CASE, metric_case),
    ONLY(RULE_ALIAS_IN_BIRTH, alias_in_birth),
    ONLY(RULE_ALIAS_UNIQUE, alias_unique),
    ONLY(RULE_ALIAS_UNIQUE, alias_unique_of_all),
    ONLY(RULE_ALIAS_IN_DATA, alias_in_data),
    ONLY(RULE_ALIAS_IN_DATA, alias_and_name),
    ONLY(RULE_DATATYPE_IN_BIRTH, datatype_in_birth),
    ONLY(RULE_DATATYPE_IN_BIRTH, member_datatype),
    ONLY(RULE_DATATYPE_VALUE, datatype_value),
    ONLY(RULE_DATATYPE_IN_DATA, datatype_in_data),
    ONLY(RULE_NBIRTH_VALUE, nbirth_value),
    ONLY(RULE_DBIRTH_VALUE, dbirth_value),
    ONLY(RULE_DBIRTH_VALUE, null_and_value),
    ONLY(RULE_DATA_VALUE, data_value),
    ONLY(RULE_VALUE_TYPE, value_type),
    ONLY(RULE_NODE_METRICS, node_metrics),
    ONLY(RULE_DEVICE_METRICS, device_metrics),
    ONLY(RULE_DEVICE_METRICS, device_metrics_of_others),
    ONLY(RULE_REBIRTH_METRIC, rebirth_metric),
    ONLY(RULE_REBIRTH_ALIAS, rebirth_alias),
    ONLY(RULE_REBIRTH_TYPE, rebirth_type),
    ONLY(RULE_REBIRTH_VALUE, rebirth_value),
    ONLY(RULE_PROPERTY_COUNT, property_count),
    ONLY(RULE_PROPERTY_HAS_TYPE, property_has_type),
    ONLY(RULE_PROPERTY_TYPE, property_type),
    ONLY(RULE_QUALITY_TYPE, quality_type),
    ONLY(RULE_QUALITY_VALUE, quality_value),
    ONLY(RULE_QUALITY_VALUE, nested_quality),
    ONLY(RULE_DATASET_COLUMNS, dataset_columns),
    ONLY(RULE_DATASET_CELLS, dataset_cells),
    ONLY(RULE_DATASET_CELLS, dataset_cell_type),
    ONLY(RULE_DATASET_TYPES, dataset_types),
    ONLY(RULE_DATASET_TYPES, dataset_in_dataset),
    ONLY(RULE_DEFINITION_IN_NBIRTH, definition_in_nbirth),
    ONLY(RULE_DEFINITION_REF, definition_ref),
    ONLY(RULE_IS_DEFINITION, is_definition),
    ONLY(RULE_INSTANCE_REF, instance_ref),
    ONLY(RULE_PARAMETER_NAME, parameter_name),
    ONLY(RULE_DEFINITION_MISSING, definition_missing),
    ONLY(RULE_DEFINITION_MISSING, types_prefix),
    ONLY(RULE_INSTANCE_MEMBERS, instance_members),
    ONLY(RULE_INSTANCE_MEMBERS_IN_BIRTH, instance_members_in_birth),
    ONLY(RULE_INSTANCE_PARAMETERS, instance_parameters),
    ONLY(RULE_PARAMETER_HAS_TYPE, parameter_has_type),
    ONLY(RULE_PARAMETER_TYPE, parameter_type),
    ONLY(RULE_NCMD_NAME, ncmd_name),
    ONLY(RULE_NCMD_VALUE, ncmd_value),
    ONLY(RULE_DCMD_NAME, dcmd_name),
    ONLY(RULE_DCMD_VALUE, dcmd_value),
    ONLY(RULE_REBIRTH_REQUEST_VERB, rebirth_request_verb),
    ONLY(RULE_REBIRTH_REQUEST_VALUE, rebirth_request_value),
};
const size_t check_cases_payload_count = sizeof check_cases_payload / sizeof *check_cases_payload;
