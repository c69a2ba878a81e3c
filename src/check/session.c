/* Decides what is wrong with the life of a node as it is told by its messages: order, seq, bdSeq, rebirths. */
#include <inttypes.h>

#include "check/judge.h"

/* Data that was on its way is no fault; later than this it is. Then the births must have come, too. */
enum { STOP_MS = 2000, ANSWER_MS = 10000 };

static bool has_passed(const check *c, uint64_t since_ms, uint64_t limit_ms) {
    return c->event->has_time && c->event->time_ms > since_ms + limit_ms;
}

/* ---- seq ---- */

static void judge_seq(check *c, const judged *m) {
    static const check_rule_number missing[] = {[SPB_KIND_DBIRTH] = RULE_DBIRTH_HAS_SEQ,
                                                [SPB_KIND_NDATA] = RULE_NDATA_HAS_SEQ,
                                                [SPB_KIND_DDATA] = RULE_DDATA_HAS_SEQ,
                                                [SPB_KIND_DDEATH] = RULE_DDEATH_HAS_SEQ};
    static const check_rule_number wrong[] = {[SPB_KIND_DBIRTH] = RULE_DBIRTH_SEQ,
                                              [SPB_KIND_NDATA] = RULE_NDATA_SEQ,
                                              [SPB_KIND_DDATA] = RULE_DDATA_SEQ,
                                              [SPB_KIND_DDEATH] = RULE_DDEATH_SEQ};
    session *of = m->node->session;
    const spb_payload *payload = m->payload;
    if (!payload->has_seq) {
        check__report(c, missing[m->kind], "%s without seq", spb_kind_name(m->kind));
        return;
    }
    if (payload->seq > 255) {
        check__report(c, wrong[m->kind], "seq is %" PRIu64 ", above 255", payload->seq);
    } else if (of->next_seq >= 0 && payload->seq != (uint64_t)of->next_seq) {
        check__report(c, wrong[m->kind], "seq is %" PRIu64 ", after %d", payload->seq, (of->next_seq + 255) % 256);
    }
    of->next_seq = (int)((payload->seq + 1) % 256);
}

static void judge_first_seq(check *c, const judged *m) {
    const spb_payload *payload = m->payload;
    if (!payload->has_seq) {
        check__report(c, RULE_NBIRTH_SEQ, "NBIRTH without seq");
    } else if (payload->seq != 0) {
        check__report(c, RULE_NBIRTH_SEQ, "NBIRTH with seq %" PRIu64, payload->seq);
    }
    m->node->session->next_seq = (int)((payload->seq + 1) % 256);
}

/* ---- NBIRTH ---- */

static bool judge_bdseq(check *c, const judged *m, uint64_t *bdseq) {
    const spb_payload_metric *metric;
    bool has_bdseq = check__bdseq_value(m->payload, &metric, bdseq);
    if (!metric) {
        check__report(c, RULE_BDSEQ_INCLUDED, "NBIRTH without bdSeq");
        return false;
    }
    if (metric->value.type != SPB_INT64) {
        check__report(c, RULE_BDSEQ_TYPE, "bdSeq is of type %s",
                      metric->omit_datatype ? "unknown" : spb_type_name(metric->value.type));
    }
    if (metric->has_alias) {
        check__report(c, RULE_BDSEQ_ALIAS, "bdSeq has the alias %" PRIu64, metric->alias);
    }
    if (has_bdseq && *bdseq > 255) {
        check__report(c, RULE_BDSEQ_COUNTS, "bdSeq is %" PRIu64 ", above 255", *bdseq);
    }
    const client *from = m->from;
    if (has_bdseq && from && from->has_will_bdseq && from->node == m->node && from->will_bdseq != *bdseq) {
        check__report(c, RULE_BDSEQ_MATCHES_WILL, "bdSeq is %" PRIu64 ", and %" PRIu64 " in the will", *bdseq,
                      from->will_bdseq);
    }
    return has_bdseq;
}

/* Whether the answer to a rebirth request is one: in the same session, with the same bdSeq. */
static void judge_answer(check *c, const judged *m, bool has_bdseq, uint64_t bdseq) {
    session *of = m->node->session;
    bool is_other = of->has_bdseq && has_bdseq && of->bdseq != bdseq;
    of->has_answered = of->is_asked && !of->has_died;
    if (of->is_asked && is_other && of->has_died && !has_passed(c, of->asked_ms, ANSWER_MS)) {
        check__report(c, RULE_REBIRTH_IS_WHOLE, "the session ended, and a new one began with bdSeq %" PRIu64, bdseq);
    } else if (of->is_asked && is_other && !of->has_died) {
        check__report(c, RULE_REBIRTH_BDSEQ, "bdSeq is %" PRIu64 " after %" PRIu64, bdseq, of->bdseq);
    }
    of->is_asked = false;
}

static void begin_devices(const judged *m) {
    const session *of = m->node->session;
    for (scope *device = m->node->next_device; device; device = device->next_device) {
        device->awaits_birth = device->is_born && !of->has_died;
        device->is_born = device->is_dead = false;
        (void)scope_learn(device, NULL);
    }
}

/* The one from which the last NBIRTH came still speaks, too. */
static void judge_uniqueness(check *c, const judged *m) {
    const session *of = m->node->session;
    if (!m->from || of->connection == 0 || of->connection == m->from->number || !m->node->is_born) {
        return;
    }
    if (m->kind != SPB_KIND_NBIRTH && m->from->has_birth && m->from->has_connect) {
        check__report(c, RULE_NODE_UNIQUE, "%s of a connection whose NBIRTH was followed by one of another",
                      spb_kind_name(m->kind));
    }
}

static void judge_nbirth(check *c, const judged *m) {
    session *of = m->node->session;
    uint64_t bdseq = 0;
    if (m->from && m->from->has_connect && !m->from->has_birth) {
        check__client_is_node(c, m);
    }
    judge_first_seq(c, m);
    bool has_bdseq = judge_bdseq(c, m, &bdseq);
    judge_answer(c, m, has_bdseq, bdseq);
    if (m->node->is_born && of->has_bdseq && has_bdseq && of->bdseq != bdseq) {
        of->has_past = true;
        of->past_bdseq = of->bdseq;
    }
    begin_devices(m);
    of->has_bdseq = has_bdseq;
    of->bdseq = bdseq;
    if (has_bdseq) {
        of->has_connect = true;
        of->connect_bdseq = bdseq;
    }
    of->connection = m->from ? m->from->number : 0;
    of->had_data = of->has_died = false;
    m->node->is_known = m->node->is_born = true;
    if (m->from) {
        m->from->node = m->node;
        m->from->has_birth = true;
        m->from->has_death = false;
    }
}

/* ---- NDEATH ---- */

static void end_session(scope *node) {
    session *of = node->session;
    node->is_known = true;
    node->is_born = false;
    of->next_seq = -1;
    of->has_died = true;
    for (scope *device = node->next_device; device; device = device->next_device) {
        device->is_born = device->awaits_birth = false;
    }
}

static void judge_ndeath(check *c, const judged *m) {
    session *of = m->node->session;
    uint64_t bdseq = 0;
    bool has_bdseq = check__ndeath_payload(c, m->payload, &bdseq);
    if (m->from) {
        m->from->has_death = true;
    }
    if (!has_bdseq) {
        check__report(c, RULE_NDEATH_BDSEQ, "NDEATH without bdSeq");
        end_session(m->node);
    } else if (of->has_past && of->past_bdseq == bdseq && !(of->has_bdseq && of->bdseq == bdseq)) {
        of->has_past = false; /* the will of the session before, late: it ends nothing */
    } else if (m->node->is_born && of->has_bdseq && of->bdseq != bdseq) {
        check__report(c, RULE_NDEATH_BDSEQ, "bdSeq is %" PRIu64 ", and %" PRIu64 " in the NBIRTH", bdseq, of->bdseq);
    } else {
        end_session(m->node);
    }
}

/* ---- what follows the NBIRTH ---- */

static void judge_unborn_node(check *c, const judged *m) {
    static const check_rule_number rules[] = {[SPB_KIND_DBIRTH] = RULE_DBIRTH_AFTER_NBIRTH,
                                              [SPB_KIND_NDATA] = RULE_NDATA_AFTER_BIRTHS,
                                              [SPB_KIND_DDATA] = RULE_DDATA_AFTER_BIRTHS,
                                              [SPB_KIND_DDEATH] = RULE_DDEATH_OF_UNBORN};
    check__report(c, rules[m->kind], "%s of a node that has no NBIRTH in this session", spb_kind_name(m->kind));
    if (m->from && m->from->has_connect && !m->from->has_published) {
        check__report(c, RULE_BIRTH_FIRST, "the first message of the connection is a%s %s",
                      m->kind == SPB_KIND_NDATA ? "n" : "", spb_kind_name(m->kind));
    }
}

/* The first data after an answer to a rebirth request: all devices must have come. */
static void judge_answered(check *c, const judged *m) {
    session *of = m->node->session;
    size_t missing = 0;
    const scope *first = NULL;
    for (scope *device = m->node->next_device; device; device = device->next_device) {
        if (device->awaits_birth) {
            missing++;
            first = device;
            device->awaits_birth = false;
        }
    }
    if (missing > 0) {
        check__report(c, RULE_REBIRTH_IS_WHOLE, "data before the DBIRTH of device %.*s%s", TEXT(first->ids[2]),
                      missing > 1 ? " and others" : "");
    }
    of->has_answered = false;
}

void check__rebirth_overdue(check *c, scope *node, uint64_t now_ms) {
    session *of = node->session;
    if (of->is_asked && !of->has_died && node->is_born && now_ms > of->asked_ms + ANSWER_MS) {
        check__report(c, RULE_REBIRTH_IS_WHOLE, "no NBIRTH within %d s of the rebirth request", ANSWER_MS / 1000);
        of->is_asked = false;
    }
}

static void judge_data(check *c, const judged *m) {
    session *of = m->node->session;
    of->had_data = true;
    if (of->has_answered) {
        judge_answered(c, m);
    }
    if (of->is_asked && !of->has_asked_data && has_passed(c, of->asked_ms, STOP_MS)) {
        check__report(c, RULE_REBIRTH_STOPS_DATA, "%s %" PRIu64 " ms after a rebirth request, before the births",
                      spb_kind_name(m->kind), c->event->time_ms - of->asked_ms);
        of->has_asked_data = true;
    }
    if (c->event->has_time) {
        check__rebirth_overdue(c, m->node, c->event->time_ms);
    }
    if (m->kind == SPB_KIND_DDATA && !m->one->is_born) {
        check__report(c, RULE_DDATA_AFTER_BIRTHS,
                      m->one->is_dead ? "DDATA after the DDEATH of the device"
                                      : "DDATA of a device without a DBIRTH in this session");
    }
}

static void judge_device(check *c, const judged *m) {
    if (m->kind == SPB_KIND_DBIRTH) {
        if (m->one->awaits_birth && m->node->session->had_data) {
            check__report(c, RULE_DBIRTH_BEFORE_DATA, "the DBIRTH comes after data of the node");
        }
        m->one->is_born = true;
        m->one->is_dead = m->one->awaits_birth = false;
    } else if (m->kind == SPB_KIND_DDEATH) {
        if (!m->one->is_born) {
            check__report(c, RULE_DDEATH_OF_UNBORN, "DDEATH of a device that has no DBIRTH in this session");
        }
        m->one->is_born = m->one->awaits_birth = false;
        m->one->is_dead = true;
        (void)scope_learn(m->one, NULL);
    }
}

void check__session(check *c, const judged *m) {
    judge_uniqueness(c, m);
    if (m->kind == SPB_KIND_NBIRTH) {
        judge_nbirth(c, m);
        return;
    }
    if (m->kind == SPB_KIND_NDEATH) {
        judge_ndeath(c, m);
        return;
    }
    judge_seq(c, m);
    if (!m->node->is_born) {
        if (m->node->is_known) {
            judge_unborn_node(c, m);
        } else if (m->kind == SPB_KIND_DBIRTH) {
            m->one->is_born = true;
        }
        return;
    }
    if (check__is_data(m->kind)) {
        judge_data(c, m);
    } else {
        judge_device(c, m);
    }
}
