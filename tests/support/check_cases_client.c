/* Cases of the rules for topics, connections and hosts. */
#include "support/check_stream.h"

/* ---- topics ---- */

static void topic_structure(bool right) {
    stream_send_hex(right ? "spBv1.0/g/NDATA/n" : "spBv1.0/g/XDATA/n", right ? "0880d095ffbc311800" : "");
}

static void topic_parts(bool right) {
    stream_send_hex(right ? "other/topic" : "spBv1.0/g/NDATA/n/d/e", "");
}

static void topic_namespace(bool right) {
    stream_send_hex(right ? "spXv1.0/g/NDATA/n" : "spbv1.0/g/NDATA/n", "");
}

static void topic_group_id(bool right) {
    stream_send_hex(right ? "spBv1.0/g/NDATA/n" : "spBv1.0/+g/NDATA/n", right ? "0880d095ffbc311800" : "");
}

static void topic_node_id(bool right) {
    stream_send_hex(right ? "spBv1.0/g/NDATA/n" : "spBv1.0/g/NDATA/", right ? "0880d095ffbc311800" : "");
}

static void topic_device_id(bool right) {
    stream_send_hex(right ? "spBv1.0/g/DDATA/n/d" : "spBv1.0/g/DDATA/n/#", right ? "0880d095ffbc311800" : "");
}

static void topic_device_missing(bool right) {
    stream_send_hex(right ? "spBv1.0/g/DDATA/n/d" : "spBv1.0/g/DDATA/n", right ? "0880d095ffbc311800" : "");
}

static void topic_device_superfluous(bool right) {
    stream_send_hex(right ? "spBv1.0/g/NDATA/n" : "spBv1.0/g/NDATA/n/d", right ? "0880d095ffbc311800" : "");
}

static void id_case(bool right) {
    stream_send_hex("spBv1.0/g/NDATA/Node", "0880d095ffbc311800");
    stream_send_hex(right ? "spBv1.0/h/NDATA/other" : "spBv1.0/G/NDATA/node", "0880d095ffbc311800");
}

static void device_id_case(bool right) {
    stream_send_hex("spBv1.0/g/DDATA/n/d", "0880d095ffbc311800");
    stream_send_hex(right ? "spBv1.0/g/DDATA/m/D" : "spBv1.0/g/DDATA/n/D", "0880d095ffbc311801");
}

static void node_unique(bool right) {
    stream_born();
    check_event other = stream_connect();
    other.connection = 7;
    stream_add(other);
    stream_add(stream_subscribe(7, "spBv1.0/g/NCMD/n", 1));
    check_event birth = stream_message("NBIRTH", NBIRTH);
    birth.connection = 7;
    stream_add(birth);
    check_event data = stream_message("NDATA", MESSAGE(1, ""));
    data.connection = right ? 7 : 1;
    stream_add(data);
}

/* ---- the connection of a node ---- */

static void will_missing(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.has_will = right;
    stream_add(connect);
    stream_add(stream_subscribe(1, "spBv1.0/g/NCMD/+", 1));
    stream_send("NBIRTH", NBIRTH);
}

static void will_topic(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.will.topic = spb_str_from(right ? "spBv1.0/g/NDEATH/n" : "spBv1.0/g/NDEATH/other");
    stream_add(connect);
    stream_add(stream_subscribe(1, "spBv1.0/#", 1));
    stream_send("NBIRTH", NBIRTH);
}

static void will_payload(bool right) {
    check_event connect = stream_connect();
    if (!right) {
        connect.as.connect.will.payload = (spb_bytes){(const uint8_t *)"dead", 4};
    }
    stream_add(connect);
}

static void add_will(const char *json) {
    check_event connect = stream_connect();
    connect.as.connect.will.payload = stream_message("NDEATH", json).as.publish.payload;
    stream_add(connect);
}

static void will_bdseq(bool right) {
    add_will(right ? NDEATH : COMMAND(METRIC("bdSeq", "'type':'UInt64','value':0")));
}

static void will_bdseq_missing(bool right) {
    add_will(right ? NDEATH : COMMAND(METRIC("other", "'type':'Int64','value':0")));
}

static void will_bdseq_range(bool right) {
    add_will(right ? NDEATH : COMMAND(METRIC("bdSeq", "'type':'Int64','value':256")));
}

static void will_qos(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.will.qos = right ? 1 : 0;
    stream_add(connect);
}

static void will_retain(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.will.retain = !right;
    stream_add(connect);
}

static void clean_session(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.is_clean = right;
    stream_add(connect);
}

static void clean_start(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.protocol_level = 5;
    connect.as.connect.is_clean = right;
    stream_add(connect);
}

static void session_expiry(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.protocol_level = 5;
    connect.as.connect.session_expiry_s = right ? 0 : 60;
    stream_add(connect);
}

static void ncmd_subscribe(bool right) {
    stream_add(stream_connect());
    if (right) {
        stream_add(stream_subscribe(1, "spBv1.0/+/NCMD/n", 1));
    }
    stream_send("NBIRTH", NBIRTH);
}

static void ncmd_subscribe_qos(bool right) {
    stream_add(stream_connect());
    stream_add(stream_subscribe(1, "spBv1.0/g/NCMD/n", right ? 1 : 0));
    stream_send("NBIRTH", NBIRTH);
}

static void dcmd_subscribe(bool right) {
    stream_connected();
    stream_add(stream_subscribe(1, "spBv1.0/g/DCMD/n/#", right ? 1 : 2));
}

static void disconnect_311(bool right) {
    stream_born();
    if (right) {
        stream_send("NDEATH", NDEATH);
    }
    stream_add(stream_event(CHECK_DISCONNECT, 1));
}

static void disconnect_50(bool right) {
    check_event connect = stream_connect();
    connect.as.connect.protocol_level = 5;
    stream_add(connect);
    stream_add(stream_subscribe(1, "spBv1.0/g/NCMD/n", 1));
    stream_send("NBIRTH", NBIRTH);
    stream_send("NDEATH", NDEATH);
    check_event goodbye = stream_event(CHECK_DISCONNECT, 1);
    goodbye.as.disconnect.reason = right ? 4 : 0;
    stream_add(goodbye);
}

/* ---- hosts ---- */

#define ONLINE "{'online':true,'timestamp':" T "}"
#define OFFLINE "{'online':false,'timestamp':" T "}"

static void host_topic(bool right) {
    check_event event = stream_message("STATE", right ? "on" : "ONLINE");
    event.as.publish.topic = spb_str_from("STATE/h");
    stream_add(event);
}

static void host_will(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.has_will = right;
    stream_add(connect);
    stream_add(stream_subscribe(2, "spBv1.0/STATE/h", 1));
    stream_send("STATE", ONLINE);
}

static void host_will_topic(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.will.topic = spb_str_from(right ? "spBv1.0/STATE/h" : "spBv1.0/STATE/other");
    stream_add(connect);
    stream_add(stream_subscribe(2, "spBv1.0/#", 1));
    stream_send("STATE", ONLINE);
}

static void host_will_qos(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.will.qos = right ? 1 : 0;
    stream_add(connect);
}

static void host_will_retain(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.will.retain = right;
    stream_add(connect);
}

static void host_will_payload(bool right) {
    check_event connect = stream_host_connect();
    if (!right) {
        connect.as.connect.will.payload = (spb_bytes){(const uint8_t *)"OFFLINE", 7};
    }
    stream_add(connect);
}

static void host_will_online(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.will.payload = stream_message("STATE", right ? OFFLINE : ONLINE).as.publish.payload;
    stream_add(connect);
}

static void host_clean_session(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.is_clean = right;
    stream_add(connect);
}

static void host_clean_start(bool right) {
    check_event connect = stream_host_connect();
    connect.as.connect.protocol_level = 5;
    connect.as.connect.session_expiry_s = right ? 0 : 1;
    stream_add(connect);
}

static void host_subscribe(bool right) {
    stream_add(stream_host_connect());
    if (right) {
        stream_add(stream_subscribe(2, "spBv1.0/STATE/+", 1));
    }
    stream_send("STATE", ONLINE);
}

static void host_connected(void) {
    stream_add(stream_host_connect());
    stream_add(stream_subscribe(2, "spBv1.0/#", 1));
}

static void host_birth_first(bool right) {
    host_connected();
    if (!right) {
        stream_send("NCMD", ASK);
    }
    stream_send("STATE", ONLINE);
}

static void host_birth_payload(bool right) {
    host_connected();
    stream_send("STATE", right ? ONLINE : "{'online':'true','timestamp':1}");
}

static void host_birth_timestamp(bool right) {
    host_connected();
    stream_send("STATE", right ? ONLINE : "{'online':true,'timestamp':1700000000001}");
}

static void send_state(const char *json, uint8_t qos, bool retain) {
    check_event event = stream_message("STATE", json);
    event.as.publish.qos = qos;
    event.as.publish.retain = retain;
    stream_add(event);
}

static void host_birth_qos(bool right) {
    host_connected();
    send_state(ONLINE, right ? 1 : 0, true);
}

static void host_birth_retain(bool right) {
    host_connected();
    send_state(ONLINE, 1, right);
}

static void host_death_qos(bool right) {
    host_connected();
    send_state(ONLINE, 1, true);
    send_state(OFFLINE, right ? 1 : 2, true);
}

static void host_death_retain(bool right) {
    host_connected();
    send_state(ONLINE, 1, true);
    send_state(OFFLINE, 1, right);
}

static void host_termination(bool right) {
    host_connected();
    stream_send("STATE", ONLINE);
    if (right) {
        stream_send("STATE", OFFLINE);
    }
    stream_add(stream_event(CHECK_DISCONNECT, 2));
}

#define ONLY(rule, play)                                                                                               \
    { rule, play, rule }

const check_case check_cases_client[] = {
    ONLY(RULE_TOPIC_STRUCTURE, topic_structure),
    ONLY(RULE_TOPIC_STRUCTURE, topic_parts),
    ONLY(RULE_TOPIC_NAMESPACE, topic_namespace),
    ONLY(RULE_TOPIC_NODE_ID, topic_node_id),
    ONLY(RULE_TOPIC_DEVICE_ID, topic_device_id),
    ONLY(RULE_TOPIC_DEVICE_MISSING, topic_device_missing),
    ONLY(RULE_TOPIC_DEVICE_SUPERFLUOUS, topic_device_superfluous),
    ONLY(RULE_ID_CASE, id_case),
    ONLY(RULE_ID_CASE, device_id_case),
    ONLY(RULE_NODE_UNIQUE, node_unique),
    ONLY(RULE_WILL_MISSING, will_missing),
    ONLY(RULE_WILL_TOPIC, will_topic),
    ONLY(RULE_WILL_PAYLOAD, will_payload),
    ONLY(RULE_WILL_BDSEQ, will_bdseq),
    {RULE_WILL_BDSEQ, will_bdseq_missing, RULE_NDEATH_PAYLOAD},
    ONLY(RULE_WILL_BDSEQ, will_bdseq_range),
    ONLY(RULE_WILL_QOS, will_qos),
    ONLY(RULE_WILL_RETAIN, will_retain),
    ONLY(RULE_CLEAN_SESSION, clean_session),
    ONLY(RULE_CLEAN_START, clean_start),
    ONLY(RULE_CLEAN_START, session_expiry),
    ONLY(RULE_NCMD_SUBSCRIBE, ncmd_subscribe),
    ONLY(RULE_NCMD_SUBSCRIBE, ncmd_subscribe_qos),
    ONLY(RULE_DCMD_SUBSCRIBE, dcmd_subscribe),
    ONLY(RULE_DISCONNECT_311, disconnect_311),
    ONLY(RULE_DISCONNECT_50, disconnect_50),
    ONLY(RULE_HOST_TOPIC, host_topic),
    ONLY(RULE_HOST_WILL, host_will),
    ONLY(RULE_HOST_WILL_TOPIC, host_will_topic),
    ONLY(RULE_HOST_WILL_QOS, host_will_qos),
    ONLY(RULE_HOST_WILL_RETAIN, host_will_retain),
    ONLY(RULE_HOST_WILL_PAYLOAD, host_will_payload),
    ONLY(RULE_HOST_WILL_PAYLOAD, host_will_online),
    ONLY(RULE_HOST_CLEAN_SESSION, host_clean_session),
    ONLY(RULE_HOST_CLEAN_START, host_clean_start),
    ONLY(RULE_HOST_SUBSCRIBE, host_subscribe),
    ONLY(RULE_HOST_BIRTH_FIRST, host_birth_first),
    ONLY(RULE_HOST_BIRTH_PAYLOAD, host_birth_payload),
    ONLY(RULE_HOST_BIRTH_TIMESTAMP, host_birth_timestamp),
    ONLY(RULE_HOST_BIRTH_QOS, host_birth_qos),
    ONLY(RULE_HOST_BIRTH_RETAIN, host_birth_retain),
    ONLY(RULE_HOST_DEATH_QOS, host_death_qos),
    ONLY(RULE_HOST_DEATH_RETAIN, host_death_retain),
    ONLY(RULE_HOST_TERMINATION, host_termination),
    ONLY(RULE_TOPIC_GROUP_ID, topic_group_id),
};
const size_t check_cases_client_count = sizeof check_cases_client / sizeof *check_cases_client;
