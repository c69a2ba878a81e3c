/* Decides what becomes of each sample: which one it is, whether it came before, and whether it came as it should. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/samples.h"
#include "chaos/verdict_state.h"

/* The shift to the right time is made from two clocks in whole milliseconds. */
#define ROUNDING_MS 2

static uint64_t attempted(const verdict *self, unsigned metric) {
    return self->account->life[self->account->lives - 1].slots[metric].attempted;
}

static bool read_value(unsigned metric, const Spb__Pb__Payload__Metric *item, chaos_sample *out) {
    chaos_form form = chaos_form_of(metric);
    switch (form) {
    case CHAOS_INTEGER:
        chaos_decode(form, item->long_value, out);
        return item->value_case == SPB__PB__PAYLOAD__METRIC__VALUE_LONG_VALUE;
    case CHAOS_REAL:
        if (item->value_case != SPB__PB__PAYLOAD__METRIC__VALUE_DOUBLE_VALUE || item->double_value < 0 ||
            item->double_value != (double)(uint64_t)item->double_value) {
            return false;
        }
        chaos_decode(form, (uint64_t)item->double_value, out);
        return true;
    case CHAOS_CLOCKED: break;
    }
    return item->value_case == SPB__PB__PAYLOAD__METRIC__VALUE_STRING_VALUE && chaos_read_text(item->string_value, out);
}

static verdict_seen *seen_at(verdict *self, unsigned metric, uint64_t number) {
    verdict_metric *state = &self->metrics[metric];
    if (number >= state->capacity) {
        uint64_t capacity = attempted(self, metric);
        state->seen = realloc(state->seen, capacity * sizeof *state->seen);
        if (!state->seen) {
            abort();
        }
        memset(state->seen + state->capacity, 0, (capacity - state->capacity) * sizeof *state->seen);
        state->capacity = capacity;
    }
    return &state->seen[number];
}

/* ---- timestamps ---- */

/* What was taken while the clock was not set has the time since the boot in a message that was made then, and the right
 * time in all that were made later, if it is replayed. */
static bool is_unset_time_fine(verdict *self, const chaos_sample *sample, bool is_replayed) {
    self->numbers.unset_times++;
    return sample->seen_ms < CHAOS_EARLIEST_MS && !(is_replayed && self->session.is_set);
}

/* The library reads the clock after the producer, and before the host hears of it. */
static bool is_clock_fine(verdict *self, const chaos_sample *sample, uint64_t timestamp, bool is_replayed) {
    if (timestamp < CHAOS_EARLIEST_MS) {
        return is_unset_time_fine(self, sample, is_replayed);
    }
    bool was_unset = sample->seen_ms < CHAOS_EARLIEST_MS;
    int64_t shown = (int64_t)(was_unset ? sample->true_ms : sample->seen_ms);
    int64_t delay = (int64_t)timestamp - shown, most = (int64_t)self->time_ms - (int64_t)sample->true_ms;
    int64_t slack = was_unset ? ROUNDING_MS : 1;
    return delay >= -slack && delay <= most + slack;
}

static void check_time(verdict *self, const chaos_sample *sample, const Spb__Pb__Payload__Metric *item,
                       bool is_replayed) {
    bool is_fine = item->has_timestamp && (chaos_form_of(sample->metric) == CHAOS_CLOCKED
                                               ? is_clock_fine(self, sample, item->timestamp, is_replayed)
                                               : chaos_is_own_time(sample, item->timestamp));
    if (!is_fine) {
        verdict_break(self, VERDICT_TIME, "%u number %" PRIu64 " has %" PRIu64 ", not %" PRIu64 " (true %" PRIu64 ")%s",
                      sample->metric, sample->number, item->timestamp,
                      sample->seen_ms ? sample->seen_ms : sample->own_ms, sample->true_ms,
                      is_replayed ? ", replayed" : "");
    }
}

/* ---- order, flags, duplicates ---- */

/* A sample that came before came again because a connection was lost with it in flight: that of the session in which it
 * came last, if nothing worse happened since. */
static verdict_end *cause_of(verdict *self, uint32_t session) {
    verdict_end *cause = &self->ends[session];
    for (uint32_t later = session; later < self->end_count - 1; later++) {
        bool is_worse = self->ends[later].is_killed || (self->ends[later].is_host_lost && !cause->is_killed);
        cause = is_worse ? &self->ends[later] : cause;
    }
    return cause;
}

static void take_duplicate(verdict *self, unsigned metric, uint64_t number, const verdict_seen *seen, uint64_t bytes) {
    self->numbers.duplicates++;
    if (seen->session == self->end_count - 1) {
        verdict_break(self, VERDICT_DUPLICATE, "%u number %" PRIu64 " twice in a session, %s before", metric, number,
                      seen->how & VERDICT_REPLAYED ? "replayed" : "live");
    }
    cause_of(self, seen->session)->bytes += bytes;
}

static void take_live(verdict *self, unsigned metric, int64_t number, const verdict_seen *seen) {
    verdict_metric *state = &self->metrics[metric];
    self->numbers.live++;
    if (number <= state->last_live) {
        verdict_break(self, seen->how & VERDICT_LIVE ? VERDICT_DUPLICATE : VERDICT_ORDER,
                      "%u number %" PRId64 " live after %" PRId64, metric, number, state->last_live);
    } else {
        state->last_live = number;
    }
    if (self->session.is_heard && self->has_floor[metric / self->account->per_holder] && number <= state->floor) {
        verdict_break(self, VERDICT_FLAG, "%u number %" PRId64 " is live, and not newer than %" PRId64 " of the birth",
                      metric, number, state->floor);
    }
}

static void take_replayed(verdict *self, unsigned metric, int64_t number) {
    verdict_metric *state = &self->metrics[metric];
    self->numbers.replayed++;
    if (number <= state->last_replayed && number <= state->lost_floor) {
        self->numbers
            .reordered++; /* for a host that may not have seen it; stored when later ones were stored already */
    } else if (number <= state->last_replayed) {
        verdict_break(self, VERDICT_ORDER, "%u number %" PRId64 " replayed after %" PRId64, metric, number,
                      state->last_replayed);
    }
    state->last_replayed = number;
    if (self->session.is_heard && number > state->floor) {
        self->numbers.overflowed++;
        if (!self->options.may_overflow) {
            verdict_break(self, VERDICT_FLAG,
                          "%u number %" PRId64 " is historical, and newer than %" PRId64 " of the birth", metric,
                          number, state->floor);
        }
    }
}

int64_t verdict_sample(verdict *self, unsigned metric, const Spb__Pb__Payload__Metric *item, uint32_t how) {
    chaos_sample sample = {.metric = metric};
    if (!read_value(metric, item, &sample) || sample.metric != metric) {
        verdict_break(self, VERDICT_VALUE, "of %u: sample %" PRIu64 " of metric %u", metric, sample.number,
                      sample.metric);
        return VERDICT_NONE;
    }
    if (sample.number >= attempted(self, metric)) {
        verdict_break(self, VERDICT_STRANGER, "%u number %" PRIu64, metric, sample.number);
        return VERDICT_NONE;
    }
    bool is_replayed = how == VERDICT_LIVE && item->has_is_historical && item->is_historical;
    check_time(self, &sample, item, is_replayed);
    verdict_seen *seen = seen_at(self, metric, sample.number);
    if (metric == self->options.trace) {
        verdict_trace(self, "%u number %" PRIu64 " %s, before in session %" PRIu32 ", now %" PRIu32, metric,
                      sample.number,
                      how == VERDICT_BORN ? "born"
                      : is_replayed       ? "replayed"
                                          : "live",
                      seen->session, self->end_count - 1);
    }
    if (how == VERDICT_BORN) {
        seen->how |= VERDICT_BORN;
        return (int64_t)sample.number;
    }
    if (is_replayed) {
        take_replayed(self, metric, (int64_t)sample.number);
    } else {
        take_live(self, metric, (int64_t)sample.number, seen);
    }
    if (seen->how & (VERDICT_LIVE | VERDICT_REPLAYED)) {
        take_duplicate(self, metric, sample.number, seen, protobuf_c_message_get_packed_size(&item->base));
    }
    seen->how |= is_replayed ? VERDICT_REPLAYED : VERDICT_LIVE;
    seen->session = self->end_count - 1;
    return (int64_t)sample.number;
}

/* ---- at the end ---- */

static void count_one(verdict *self, unsigned metric, uint64_t number, bool is_owed) {
    const verdict_metric *state = &self->metrics[metric];
    uint32_t how = number < state->capacity ? state->seen[number].how : 0;
    self->numbers.owed += is_owed;
    self->numbers.arrived += how != 0;
    self->numbers.only_in_births += how == VERDICT_BORN;
    self->numbers.missing += how == 0;
    if (is_owed && how == 0) {
        verdict_break(self, VERDICT_LOST, "%u number %" PRIu64, metric, number);
    }
}

void verdict_count_missing(verdict *self) {
    for (uint32_t life = 0; life < self->account->lives; life++) {
        for (unsigned metric = 0; metric < self->account->metrics; metric++) {
            const chaos_slot *slot = &self->account->life[life].slots[metric];
            uint64_t owed = self->options.owes_flushed ? slot->flushed : slot->accepted;
            for (uint64_t number = slot->first; number < slot->accepted; number++) {
                count_one(self, metric, number, number < owed);
            }
        }
    }
}

static void note_most(uint64_t *most, uint64_t bytes) {
    *most = bytes > *most ? bytes : *most;
}

void verdict_check_ends(verdict *self) {
    const verdict_options *options = &self->options;
    for (uint32_t session = 0; session < self->end_count; session++) {
        const verdict_end *end = &self->ends[session];
        uint64_t most = options->max_resent_bytes + (end->is_host_lost || end->is_killed ? options->host_bytes : 0) +
                        (end->is_killed ? options->killed_bytes : 0);
        note_most(end->is_host_lost ? &self->numbers.most_resent_after_host
                  : end->is_killed  ? &self->numbers.most_resent_after_kill
                                    : &self->numbers.most_resent_bytes,
                  end->bytes);
        if (end->bytes > most) {
            verdict_break(self, VERDICT_DUPLICATE,
                          "%" PRIu64 " bytes of session %" PRIu32 " came again, at most %" PRIu64 " were in flight",
                          end->bytes, session, most);
        }
    }
}
