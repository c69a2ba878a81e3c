/* Decides what is wrong with the payload of an NDEATH, and which number a bdSeq is. */
#include <inttypes.h>

#include "check/judge.h"

bool check__bdseq_value(const spb_payload *payload, const spb_payload_metric **metric, uint64_t *number) {
    *metric = spb_payload_find(payload, "bdSeq");
    if (!*metric || (*metric)->value.is_null) {
        return false;
    }
    const spb_value *value = &(*metric)->value;
    *number = value->as.u64; /* signed types: the same bits */
    return (value->type >= SPB_INT8 && value->type <= SPB_UINT64) ||
           (value->type == SPB_UNKNOWN && (value->wire == SPB_WIRE_INT || value->wire == SPB_WIRE_LONG));
}

bool check__ndeath_payload(check *c, const spb_payload *payload, uint64_t *bdseq) {
    const spb_payload_metric *metric;
    bool has_bdseq = check__bdseq_value(payload, &metric, bdseq);
    if (payload->has_seq) {
        check__report(c, RULE_NDEATH_SEQ, "NDEATH with seq %" PRIu64, payload->seq);
    }
    if (payload->metric_count != 1 || !metric) {
        check__report(c, RULE_NDEATH_PAYLOAD, "NDEATH with %zu metrics%s", payload->metric_count,
                      metric ? "" : ", none of them bdSeq");
    }
    return has_bdseq;
}
