/* Decides whether births, deaths and the numbers of messages keep the rules of Sparkplug. */
#include <inttypes.h>
#include <string.h>

#include "chaos/samples.h"
#include "chaos/verdict_state.h"

/* A session may follow another one after so many attempts to connect that came to nothing. */
#define MOST_ATTEMPTS 100
/* With the connection that comes while it lasts; see faults.py. */
#define LONGEST_DISK_FAULT_MS 5000

static const Spb__Pb__Payload__Metric *find_name(const Spb__Pb__Payload *payload, const char *name) {
    for (size_t i = 0; i < payload->n_metrics; i++) {
        if (payload->metrics[i]->name && strcmp(payload->metrics[i]->name, name) == 0) {
            return payload->metrics[i];
        }
    }
    return NULL;
}

/* false, with a broken rule, when it is not there. */
static bool read_long(verdict *self, const Spb__Pb__Payload *payload, const char *name, uint64_t *out) {
    const Spb__Pb__Payload__Metric *metric = find_name(payload, name);
    if (!metric || metric->value_case != SPB__PB__PAYLOAD__METRIC__VALUE_LONG_VALUE) {
        verdict_break(self, VERDICT_PAYLOAD, "no %s", name);
        return false;
    }
    *out = metric->long_value;
    return true;
}

static void check_seq(verdict *self, const Spb__Pb__Payload *payload, uint64_t expected) {
    if (self->session.is_heard && (!payload->has_seq || payload->seq != expected)) {
        verdict_break(self, VERDICT_SEQ, "%" PRId64 " instead of %" PRIu64,
                      payload->has_seq ? (int64_t)payload->seq : -1, expected);
    }
    self->session.seq = payload->has_seq ? payload->seq : expected;
}

/* ---- aliases ---- */

static void check_alias(verdict *self, unsigned metric, const Spb__Pb__Payload__Metric *item) {
    verdict_metric *known = &self->metrics[metric];
    if (!item->has_alias || item->alias == 0 || item->alias >= VERDICT_MAX_ALIAS) {
        verdict_break(self, VERDICT_ALIAS, "%s has none", item->name);
        return;
    }
    int *owner = &self->alias_owner[item->alias];
    if (known->alias != VERDICT_NONE && known->alias != (int64_t)item->alias) {
        verdict_break(self, VERDICT_ALIAS, "%s has %" PRIu64 ", before %" PRId64, item->name, item->alias,
                      known->alias);
    } else if (*owner != 0 && *owner != (int)metric + 1) {
        verdict_break(self, VERDICT_ALIAS, "%s has %" PRIu64 ", which is of another metric", item->name, item->alias);
    }
    known->alias = (int64_t)item->alias;
    *owner = (int)metric + 1;
}

static int find_by_name(verdict *self, unsigned holder, const char *name) {
    int metric = chaos_metric_of(name);
    if (metric < 0 || (uint32_t)metric >= self->account->metrics ||
        (unsigned)metric / self->account->per_holder != holder) {
        return -1;
    }
    return metric;
}

int verdict_find(verdict *self, unsigned holder, const Spb__Pb__Payload__Metric *metric) {
    int found = -1;
    if (metric->name) {
        found = find_by_name(self, holder, metric->name);
    } else if (metric->has_alias && metric->alias < VERDICT_MAX_ALIAS) {
        found = self->alias_owner[metric->alias] - 1;
    }
    if (found < 0) {
        verdict_break(self, VERDICT_ALIAS, "a value of alias %" PRId64 ", which no birth had",
                      metric->has_alias ? (int64_t)metric->alias : -1);
    } else if ((unsigned)found / self->account->per_holder != holder) {
        verdict_break(self, VERDICT_ALIAS, "alias %" PRIu64 " of another device", metric->alias);
        found = -1;
    }
    return found;
}

/* ---- births ---- */

static void set_floor(verdict *self, verdict_metric *metric, int64_t number) {
    metric->floor = number > metric->floor ? number : metric->floor;
    if (self->end_count > 1 && self->ends[self->end_count - 2].is_host_lost) {
        metric->lost_floor = metric->floor;
    }
}

/* All metrics of the holder are in its birth, each with its alias and its present value. The first birth of a session,
 * or after a DDEATH, divides what is historical from what is live. */
static void take_birth(verdict *self, const verdict_message *message) {
    unsigned found = 0;
    bool is_first = !self->has_floor[message->holder];
    for (size_t i = 0; i < message->payload->n_metrics; i++) {
        const Spb__Pb__Payload__Metric *item = message->payload->metrics[i];
        int metric = item->name ? find_by_name(self, message->holder, item->name) : -1;
        if (metric < 0) {
            continue;
        }
        found++;
        check_alias(self, (unsigned)metric, item);
        if (item->has_is_historical && item->is_historical) {
            verdict_break(self, VERDICT_FLAG, "%s is historical in a birth", item->name);
        }
        int64_t number = VERDICT_NONE;
        if (!item->has_is_null || !item->is_null) {
            number = verdict_sample(self, (unsigned)metric, item, VERDICT_BORN);
        }
        if (is_first) {
            set_floor(self, &self->metrics[metric], number);
        }
    }
    if (found != self->account->per_holder) {
        verdict_break(self, VERDICT_PAYLOAD, "%u of %u metrics in the birth", found, self->account->per_holder);
    }
    self->is_born[message->holder] = true;
    self->has_floor[message->holder] = true;
    self->numbers.births++;
}

/* A node goes online although its disk fails, and then nothing knows of its bdSeq any more when it is killed. */
static bool may_be_unsaved(const verdict_session *session) {
    return session->disk_failed_ms <= session->began_ms &&
           session->began_ms - session->disk_failed_ms <= LONGEST_DISK_FAULT_MS;
}

/* What an earlier life left is older than any birth of this one. */
static void begin_session(verdict *self, uint64_t bdseq, int64_t life) {
    verdict_session *session = &self->session;
    verdict_trace(self, "session %" PRIu32 " of life %" PRId64, self->end_count, life);
    if (session->is_open && session->is_heard) {
        session->deaths_unheard++;
    }
    if (self->numbers.sessions > 0) {
        uint64_t ahead = (bdseq - session->bdseq) & 255;
        bool may_repeat = life != session->life && may_be_unsaved(session);
        if ((ahead == 0 && !may_repeat) || ahead > MOST_ATTEMPTS) {
            verdict_break(self, VERDICT_BDSEQ, "%" PRIu64 " follows %" PRIu64, bdseq, session->bdseq);
        }
        self->ends[self->end_count - 1].is_killed = life != session->life;
    }
    self->numbers.sessions++;
    verdict_begin_session(self);
    for (uint32_t metric = 0; metric < self->account->metrics; metric++) {
        self->metrics[metric].last_replayed = VERDICT_NONE;
        self->metrics[metric].floor = (int64_t)self->account->life[life].slots[metric].first - 1;
    }
    memset(self->has_floor, 0, sizeof self->has_floor);
    session->bdseq = bdseq;
    session->began_ms = self->time_ms;
    session->life = life;
}

void verdict_nbirth(verdict *self, const verdict_message *message) {
    verdict_session *session = &self->session;
    uint64_t bdseq, life;
    if (!read_long(self, message->payload, "bdSeq", &bdseq) || !read_long(self, message->payload, CHAOS_LIFE, &life)) {
        return;
    }
    if (bdseq > 255 || life >= self->account->lives) {
        verdict_break(self, VERDICT_BDSEQ, "%" PRIu64 " in life %" PRIu64, bdseq, life);
        return;
    }
    if (!session->is_open || session->bdseq != bdseq || session->life != (int64_t)life) { /* else a rebirth */
        begin_session(self, bdseq, (int64_t)life);
    }
    session->is_open = true;
    session->is_heard = true;
    session->is_set = message->payload->timestamp >= CHAOS_EARLIEST_MS;
    check_seq(self, message->payload, 0);
    memset(self->is_born, 0, sizeof self->is_born);
    take_birth(self, message);
}

/* Births and data of a node that is not born; not when the host was away. */
static bool is_unborn(verdict *self, const verdict_message *message) {
    if (!self->session.is_heard) {
        return true;
    }
    check_seq(self, message->payload, (self->session.seq + 1) & 255);
    if (!self->session.is_open) {
        verdict_break(self, VERDICT_UNBORN, "no NBIRTH before");
    }
    return !self->session.is_open;
}

void verdict_dbirth(verdict *self, const verdict_message *message) {
    if (!is_unborn(self, message)) {
        take_birth(self, message);
    }
}

void verdict_ddeath(verdict *self, const verdict_message *message) {
    if (!is_unborn(self, message) && !self->is_born[message->holder]) {
        verdict_break(self, VERDICT_UNBORN, "no DBIRTH before");
    }
    self->is_born[message->holder] = false;
    self->has_floor[message->holder] = false;
}

void verdict_ndeath(verdict *self, const verdict_message *message) {
    verdict_session *session = &self->session;
    uint64_t bdseq;
    self->numbers.deaths++;
    verdict_trace(self, "death");
    if (message->payload->has_seq) {
        verdict_break(self, VERDICT_SEQ, "an NDEATH has none");
    }
    if (!read_long(self, message->payload, "bdSeq", &bdseq) || !session->is_heard) {
        return;
    }
    if (bdseq == session->bdseq) {
        session->is_open = false;
        memset(self->is_born, 0, sizeof self->is_born);
    } else if (((bdseq - session->bdseq) & 255) > MOST_ATTEMPTS) {
        verdict_break(self, VERDICT_BDSEQ, "death of %" PRIu64 " while %" PRIu64 " lives", bdseq, session->bdseq);
    }
}

void verdict_host_killed(verdict *self) {
    self->session.is_heard = false;
    self->ends[self->end_count - 1].is_host_lost = true;
}

/* ---- data ---- */

void verdict_data(verdict *self, const verdict_message *message) {
    if (!is_unborn(self, message) && !self->is_born[message->holder]) {
        verdict_break(self, VERDICT_UNBORN, "no %s before", message->holder > 0 ? "DBIRTH" : "NBIRTH");
    }
    for (size_t i = 0; i < message->payload->n_metrics; i++) {
        const Spb__Pb__Payload__Metric *item = message->payload->metrics[i];
        int metric = verdict_find(self, message->holder, item);
        if (metric >= 0) {
            verdict_sample(self, (unsigned)metric, item, VERDICT_LIVE);
        }
    }
}
