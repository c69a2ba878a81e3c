/* Cases of the rules for the life of a node: order, numbers, QoS, timestamps, rebirths, deaths. */
#include <stdio.h>

#include "support/check_stream.h"

/* ---- order ---- */

static void birth_first(bool right) {
    stream_connected();
    stream_send(right ? "NBIRTH" : "NDATA", right ? NBIRTH : MESSAGE(0, ""));
}

static void dbirth_after_nbirth(bool right) {
    stream_send("NDEATH", NDEATH);
    if (right) {
        stream_send("NBIRTH", NBIRTH);
    }
    stream_send("DBIRTH", DBIRTH);
}

static void dbirth_before_data(bool right) {
    stream_born();
    stream_send("NBIRTH", NBIRTH);
    stream_send(right ? "DBIRTH" : "NDATA", right ? DBIRTH : MESSAGE(1, ""));
    stream_send(right ? "NDATA" : "DBIRTH", right ? MESSAGE(2, "") : MESSAGE(2, ""));
}

static void ndata_after_births(bool right) {
    stream_send("NDEATH", NDEATH);
    if (right) {
        stream_send("NBIRTH", NBIRTH);
    }
    stream_send("NDATA", MESSAGE(1, ""));
}

static void ddata_after_births(bool right) {
    stream_connected();
    stream_send("NBIRTH", NBIRTH);
    if (right) {
        stream_send("DBIRTH", DBIRTH);
    }
    stream_send("DDATA", right ? MESSAGE(2, "") : MESSAGE(1, ""));
}

static void ddata_after_ddeath(bool right) {
    stream_born();
    stream_send("DDEATH", MESSAGE(2, ""));
    stream_send(right ? "DBIRTH" : "DDATA", MESSAGE(3, ""));
}

static void ddeath_of_unborn(bool right) {
    stream_born();
    if (!right) {
        stream_send("DDEATH", MESSAGE(2, ""));
    }
    stream_send("DDEATH", right ? MESSAGE(2, "") : MESSAGE(3, ""));
}

/* ---- bdSeq ---- */

static void bdseq_included(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : MESSAGE(0, REBIRTH));
}

static void bdseq_type(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : MESSAGE(0, REBIRTH "," METRIC("bdSeq", "'type':'UInt64','value':0")));
}

static void bdseq_matches_will(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : MESSAGE(0, REBIRTH "," METRIC("bdSeq", "'type':'Int64','value':1")));
}

#define NBIRTH_OF(bdseq) MESSAGE(0, REBIRTH "," METRIC("bdSeq", "'type':'Int64','value':" #bdseq))
#define NDEATH_OF(bdseq) COMMAND(METRIC("bdSeq", "'type':'Int64','value':" #bdseq))

static void connect_with(const char *will) {
    check_event connect = stream_connect();
    connect.as.connect.will.payload = stream_message("NDEATH", will).as.publish.payload;
    stream_add(connect);
}

static void bdseq_counts(bool right) {
    connect_with(NDEATH_OF(7));
    connect_with(right ? NDEATH_OF(8) : NDEATH_OF(7));
}

static void bdseq_wraps(bool right) {
    connect_with(NDEATH_OF(255));
    connect_with(right ? NDEATH_OF(0) : NDEATH_OF(254));
}

static void bdseq_range(bool right) {
    stream_add(stream_received("NBIRTH", right ? NBIRTH_OF(255) : NBIRTH_OF(256)));
}

static void bdseq_alias(bool right) {
    stream_connected();
    stream_send("NBIRTH",
                right ? NBIRTH : MESSAGE(0, REBIRTH "," METRIC("bdSeq", "'alias':3,'type':'Int64','value':0")));
}

static void ndeath_seq(bool right) {
    stream_born();
    stream_send("NDEATH", right ? NDEATH : MESSAGE(2, BDSEQ));
}

static void ndeath_payload(bool right) {
    stream_born();
    stream_send("NDEATH", right ? NDEATH : COMMAND(BDSEQ "," METRIC("a", "'type':'Int8','value':1")));
}

static void ndeath_bdseq(bool right) {
    stream_born();
    stream_send("NDEATH", right ? NDEATH : NDEATH_OF(9));
}

static void ndeath_bdseq_missing(bool right) {
    stream_born();
    stream_send("NDEATH", right ? NDEATH : COMMAND(METRIC("bdseq", "'type':'Int64','value':0")));
}

/* The will of the session before comes late; the present one goes on. */
static void late_will(bool right) {
    stream_add(stream_received("NBIRTH", NBIRTH_OF(4)));
    stream_add(stream_received("NBIRTH", NBIRTH_OF(5)));
    stream_add(stream_received("NDEATH", right ? NDEATH_OF(4) : NDEATH_OF(3)));
    stream_add(stream_received("NDATA", MESSAGE(1, "")));
}

/* ---- rebirths ---- */

static void rebirth_stops_data(bool right) {
    stream_born();
    stream_send("NCMD", ASK);
    stream_at(right ? 1500 : 2500);
    stream_send("NDATA", MESSAGE(2, ""));
    stream_send("NBIRTH", NBIRTH);
    stream_send("DBIRTH", DBIRTH);
}

static void rebirth_is_answered(bool right) {
    stream_born();
    stream_send("NCMD", ASK);
    if (right) {
        stream_send("NBIRTH", NBIRTH);
        stream_send("DBIRTH", DBIRTH);
    }
    stream_at(10500);
}

static void rebirth_has_all_devices(bool right) {
    stream_born();
    stream_send("NCMD", ASK);
    stream_send("NBIRTH", NBIRTH);
    if (right) {
        stream_send("DBIRTH", DBIRTH);
    }
    stream_send("NDATA", right ? MESSAGE(2, "") : MESSAGE(1, ""));
}

static void rebirth_is_no_new_session(bool right) {
    stream_add(stream_received("NBIRTH", NBIRTH_OF(4)));
    stream_add(stream_received("NCMD", ASK));
    stream_at(right ? 20000 : 100);
    stream_add(stream_received("NDEATH", NDEATH_OF(4)));
    stream_add(stream_received("NBIRTH", NBIRTH_OF(5)));
}

static void rebirth_bdseq(bool right) {
    stream_add(stream_received("NBIRTH", NBIRTH_OF(4)));
    stream_add(stream_received("NCMD", ASK));
    stream_add(stream_received("NBIRTH", right ? NBIRTH_OF(4) : NBIRTH_OF(5)));
}

/* ---- seq ---- */

static void nbirth_seq(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : MESSAGE(1, BDSEQ "," REBIRTH));
}

static void nbirth_seq_missing(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : COMMAND(BDSEQ "," REBIRTH));
}

/* The message behind the births, with its number, another, or none. */
static void send_third(const char *kind, int seq) {
    char json[256];
    stream_born();
    if (seq < 0) {
        snprintf(json, sizeof json, "{'timestamp':" T ",'metrics':[]}");
    } else {
        snprintf(json, sizeof json, "{'timestamp':" T ",'seq':%d,'metrics':[]}", seq);
    }
    stream_send(kind, json);
}

static void dbirth_has_seq(bool right) {
    send_third("DBIRTH", right ? 2 : -1);
}

static void ndata_has_seq(bool right) {
    send_third("NDATA", right ? 2 : -1);
}

static void ddata_has_seq(bool right) {
    send_third("DDATA", right ? 2 : -1);
}

static void ddeath_has_seq(bool right) {
    send_third("DDEATH", right ? 2 : -1);
}

static void dbirth_seq(bool right) {
    send_third("DBIRTH", right ? 2 : 0);
}

static void ndata_seq(bool right) {
    send_third("NDATA", right ? 2 : 3);
}

static void ddata_seq(bool right) {
    send_third("DDATA", right ? 2 : 1);
}

static void ddeath_seq(bool right) {
    send_third("DDEATH", right ? 2 : 255);
}

static void seq_wraps(bool right) {
    stream_born();
    char json[256];
    for (int seq = 2; seq <= 256; seq++) {
        snprintf(json, sizeof json, "{'timestamp':" T ",'seq':%d,'metrics':[]}", seq < 256 ? seq : right ? 0 : 1);
        stream_send("NDATA", json);
    }
}

static void ncmd_seq(bool right) {
    stream_send("NCMD", right ? COMMAND("") : MESSAGE(0, ""));
}

static void dcmd_seq(bool right) {
    stream_send("DCMD", right ? COMMAND("") : MESSAGE(0, ""));
}

/* ---- QoS and retain ---- */

static void send_with(const char *kind, const char *json, uint8_t qos, bool retain) {
    check_event event = stream_message(kind, json);
    event.as.publish.qos = qos;
    event.as.publish.retain = retain;
    stream_add(event);
}

static void nbirth_qos(bool right) {
    stream_connected();
    send_with("NBIRTH", NBIRTH, right ? 0 : 1, false);
}

static void nbirth_retain(bool right) {
    stream_connected();
    send_with("NBIRTH", NBIRTH, 0, !right);
}

static void dbirth_qos(bool right) {
    stream_born();
    send_with("DBIRTH", MESSAGE(2, ""), right ? 0 : 2, false);
}

static void dbirth_retain(bool right) {
    stream_born();
    send_with("DBIRTH", MESSAGE(2, ""), 0, !right);
}

static void ndata_qos(bool right) {
    stream_born();
    send_with("NDATA", MESSAGE(2, ""), right ? 0 : 1, false);
}

static void ndata_retain(bool right) {
    stream_born();
    send_with("NDATA", MESSAGE(2, ""), 0, !right);
}

static void ddata_qos(bool right) {
    stream_born();
    send_with("DDATA", MESSAGE(2, ""), right ? 0 : 1, false);
}

static void ddata_retain(bool right) {
    stream_born();
    send_with("DDATA", MESSAGE(2, ""), 0, !right);
}

static void ddeath_qos(bool right) {
    stream_born();
    send_with("DDEATH", MESSAGE(2, ""), right ? 0 : 1, false);
}

static void ddeath_retain(bool right) {
    stream_born();
    send_with("DDEATH", MESSAGE(2, ""), 0, !right);
}

static void ncmd_qos(bool right) {
    send_with("NCMD", COMMAND(""), right ? 0 : 1, false);
}

static void ncmd_retain(bool right) {
    send_with("NCMD", COMMAND(""), 0, !right);
}

static void dcmd_qos(bool right) {
    send_with("DCMD", COMMAND(""), right ? 0 : 1, false);
}

static void dcmd_retain(bool right) {
    send_with("DCMD", COMMAND(""), 0, !right);
}

/* A subscriber sees that a message was retained when it is stored. */
static void stored(bool right) {
    check_event event = stream_received("NDATA", MESSAGE(9, ""));
    event.as.publish.retain = !right;
    stream_add(event);
}

/* ---- timestamps ---- */

static void nbirth_timestamp(bool right) {
    stream_connected();
    stream_send("NBIRTH", right ? NBIRTH : "{'seq':0,'metrics':[" BDSEQ "," REBIRTH "]}");
}

static void send_third_without_time(const char *kind, bool right) {
    stream_born();
    stream_send(kind, right ? MESSAGE(2, "") : "{'seq':2,'metrics':[]}");
}

static void dbirth_timestamp(bool right) {
    send_third_without_time("DBIRTH", right);
}

static void ndata_timestamp(bool right) {
    send_third_without_time("NDATA", right);
}

static void ddata_timestamp(bool right) {
    send_third_without_time("DDATA", right);
}

static void ddeath_timestamp(bool right) {
    send_third_without_time("DDEATH", right);
}

static void ncmd_timestamp(bool right) {
    stream_send("NCMD", right ? COMMAND("") : "{'metrics':[]}");
}

static void dcmd_timestamp(bool right) {
    stream_send("DCMD", right ? COMMAND("") : "{'metrics':[]}");
}

static void timestamp_utc(bool right) {
    stream_send("NCMD", right ? COMMAND("") : "{'timestamp':1700000000,'metrics':[]}");
}

#define ONLY(rule, play)                                                                                               \
    { rule, play, rule }

const check_case check_cases_session[] = {
    {RULE_BIRTH_FIRST, birth_first, RULE_NDATA_AFTER_BIRTHS},
    ONLY(RULE_DBIRTH_AFTER_NBIRTH, dbirth_after_nbirth),
    ONLY(RULE_DBIRTH_BEFORE_DATA, dbirth_before_data),
    ONLY(RULE_NDATA_AFTER_BIRTHS, ndata_after_births),
    ONLY(RULE_DDATA_AFTER_BIRTHS, ddata_after_births),
    ONLY(RULE_DDATA_AFTER_BIRTHS, ddata_after_ddeath),
    ONLY(RULE_DDEATH_OF_UNBORN, ddeath_of_unborn),
    ONLY(RULE_BDSEQ_INCLUDED, bdseq_included),
    ONLY(RULE_BDSEQ_TYPE, bdseq_type),
    ONLY(RULE_BDSEQ_MATCHES_WILL, bdseq_matches_will),
    ONLY(RULE_BDSEQ_COUNTS, bdseq_counts),
    ONLY(RULE_BDSEQ_COUNTS, bdseq_wraps),
    ONLY(RULE_BDSEQ_COUNTS, bdseq_range),
    ONLY(RULE_BDSEQ_ALIAS, bdseq_alias),
    ONLY(RULE_NDEATH_SEQ, ndeath_seq),
    ONLY(RULE_NDEATH_PAYLOAD, ndeath_payload),
    ONLY(RULE_NDEATH_BDSEQ, ndeath_bdseq),
    {RULE_NDEATH_BDSEQ, ndeath_bdseq_missing, RULE_NDEATH_PAYLOAD},
    ONLY(RULE_NDEATH_BDSEQ, late_will),
    ONLY(RULE_REBIRTH_STOPS_DATA, rebirth_stops_data),
    ONLY(RULE_REBIRTH_IS_WHOLE, rebirth_is_answered),
    ONLY(RULE_REBIRTH_IS_WHOLE, rebirth_has_all_devices),
    ONLY(RULE_REBIRTH_IS_WHOLE, rebirth_is_no_new_session),
    ONLY(RULE_REBIRTH_BDSEQ, rebirth_bdseq),
    ONLY(RULE_NBIRTH_SEQ, nbirth_seq),
    ONLY(RULE_NBIRTH_SEQ, nbirth_seq_missing),
    ONLY(RULE_DBIRTH_HAS_SEQ, dbirth_has_seq),
    ONLY(RULE_NDATA_HAS_SEQ, ndata_has_seq),
    ONLY(RULE_DDATA_HAS_SEQ, ddata_has_seq),
    ONLY(RULE_DDEATH_HAS_SEQ, ddeath_has_seq),
    ONLY(RULE_DBIRTH_SEQ, dbirth_seq),
    ONLY(RULE_NDATA_SEQ, ndata_seq),
    ONLY(RULE_NDATA_SEQ, seq_wraps),
    ONLY(RULE_DDATA_SEQ, ddata_seq),
    ONLY(RULE_DDEATH_SEQ, ddeath_seq),
    ONLY(RULE_NCMD_SEQ, ncmd_seq),
    ONLY(RULE_DCMD_SEQ, dcmd_seq),
    ONLY(RULE_NBIRTH_QOS, nbirth_qos),
    ONLY(RULE_NBIRTH_RETAIN, nbirth_retain),
    ONLY(RULE_DBIRTH_QOS, dbirth_qos),
    ONLY(RULE_DBIRTH_RETAIN, dbirth_retain),
    ONLY(RULE_NDATA_QOS, ndata_qos),
    ONLY(RULE_NDATA_RETAIN, ndata_retain),
    ONLY(RULE_NDATA_RETAIN, stored),
    ONLY(RULE_DDATA_QOS, ddata_qos),
    ONLY(RULE_DDATA_RETAIN, ddata_retain),
    ONLY(RULE_DDEATH_MQTT, ddeath_qos),
    ONLY(RULE_DDEATH_MQTT, ddeath_retain),
    ONLY(RULE_NCMD_QOS, ncmd_qos),
    ONLY(RULE_NCMD_RETAIN, ncmd_retain),
    ONLY(RULE_DCMD_QOS, dcmd_qos),
    ONLY(RULE_DCMD_RETAIN, dcmd_retain),
    ONLY(RULE_NBIRTH_TIMESTAMP, nbirth_timestamp),
    ONLY(RULE_DBIRTH_TIMESTAMP, dbirth_timestamp),
    ONLY(RULE_NDATA_TIMESTAMP, ndata_timestamp),
    ONLY(RULE_DDATA_TIMESTAMP, ddata_timestamp),
    ONLY(RULE_DDEATH_TIMESTAMP, ddeath_timestamp),
    ONLY(RULE_NCMD_TIMESTAMP, ncmd_timestamp),
    ONLY(RULE_DCMD_TIMESTAMP, dcmd_timestamp),
    ONLY(RULE_TIMESTAMP_UTC, timestamp_utc),
};
const size_t check_cases_session_count = sizeof check_cases_session / sizeof *check_cases_session;
