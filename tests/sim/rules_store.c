/*
 * What may be asked of the store: which samples go to the journal, that none goes there twice or after it has arrived,
 * what may be confirmed, and that an alias belongs to one metric for ever.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* ---- blocks ---- */

/* The metric that an encoded sample is of; those that were removed included. */
static int find_metric(const sim *s, unsigned holder, const spb_payload_metric *metric) {
    if (metric->name.data) {
        return sim_find_metric(s, holder, metric->name);
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].holder == holder && s->metrics[i].given_alias == metric->alias && metric->has_alias) {
            return (int)i;
        }
    }
    return -1;
}

/* What may go wrong with a sample that is to be stored. */
static void check_sample(sim *s, uint32_t number) {
    sim_record *record = &s->ledger.records[number];
    sim_metric *metric = &s->metrics[record->metric];
    /* After an overflow, as it is the newest; or was, when a message that was too large had made it so, also if it has
     * arrived: what follows such a message may make room. */
    record->may_be_copied |=
        (record->copies > 0 && (metric->record == number || metric->newest == number)) || record->has_unseen;
    bool may_be_copied = record->may_be_copied || s->counts.overflowed > 0 ||
                         s->scenario.permille[SIM_ALLOCATION_FAILS] > 0; /* what catches up is sent besides */
    if (record->copies > 0 && !may_be_copied) {
        sim_fail(s, "journal", "%s at %llu (#%u) is stored twice", metric->name,
                 (unsigned long long)record->timestamp_ms, number);
    }
    if (metric->given_alias != sim_rules_saved_alias(s, metric) && !s->options.no_aliases) {
        sim_fail(s, "alias", "that of %s is stored, but would not survive", metric->name);
    }
    bool is_by_time = sim_is_kept_by_time(s);
    bool comes_again = (record->is_confirmed && record->may_come_again) || (is_by_time && record->sent > 0);
    if (record->is_confirmed && !comes_again && !may_be_copied) {
        sim_fail(s, "journal", "%s at %llu is stored, but it has arrived", metric->name,
                 (unsigned long long)record->timestamp_ms);
    }
    bool may_forget = s->journal.has_failed || s->scenario.permille[SIM_ALLOCATION_FAILS] > 0;
    bool is_for_nobody = metric->is_removed || s->holders[metric->holder].is_removed;
    uint32_t *stored_before = &metric->stored_before[record->is_past];
    if (number < *stored_before && !comes_again && !is_for_nobody && !may_be_copied && !may_forget &&
        !metric->was_unsure) {
        sim_fail(s, "journal", "%s at %llu is stored behind newer ones", metric->name,
                 (unsigned long long)record->timestamp_ms);
    }
    *stored_before = !comes_again && number + 1 > *stored_before ? number + 1 : *stored_before;
    record->is_reopened = comes_again;
    record->is_confirmed = false;
}

/* What is sent once more as the newest value has the right time as soon as the clock is set, as births do; its sample
 * was taken before. */
static bool is_put_right(sim *s, int index, uint64_t look, uint64_t timestamp_ms) {
    uint64_t before_ms = timestamp_ms - (uint64_t)s->clock_offset_ms;
    bool may_be = s->now.wall_ms >= SPB_EARLIEST_MS && timestamp_ms >= SPB_EARLIEST_MS && before_ms < SPB_EARLIEST_MS;
    uint32_t before = may_be ? sim_ledger_find(s, index, look, before_ms) : SIM_NO_RECORD;
    return before != SIM_NO_RECORD && s->ledger.records[before].boot == s->options.boot;
}

static bool read_sample(sim *s, const spb_block *block, unsigned holder, const spb_payload_metric *metric,
                        uint32_t *number) {
    int index = find_metric(s, holder, metric);
    spb_value value = metric->value;
    if (index < 0 || !metric->has_timestamp || metric->is_historical ||
        spb_value_resolve(&value, s->metrics[index].type, NULL) != SPB_OK) {
        sim_fail(s, "journal", "block %llu has a metric that cannot be", (unsigned long long)block->id);
        return false;
    }
    uint64_t look = sim_look_of(metric, &value);
    *number = sim_ledger_find(s, index, look, metric->timestamp_ms);
    const sim_metric *m = &s->metrics[index];
    bool is_copy = m->first_hash == look || is_put_right(s, index, look, metric->timestamp_ms);
    if (*number == SIM_NO_RECORD && is_copy) { /* of the first value, or the newest one, which was to catch up */
        *number = sim_ledger_add(s, index, look, metric->timestamp_ms);
        s->ledger.records[*number].is_excused = s->ledger.records[*number].may_be_copied = true;
    }
    if (*number == SIM_NO_RECORD) {
        sim_fail(s, "journal", "block %llu has %s at %llu, which was never taken", (unsigned long long)block->id,
                 s->metrics[index].name, (unsigned long long)metric->timestamp_ms);
        return false;
    }
    return true;
}

static void check_head(sim *s, const spb_block *block, const spb_payload *payload) {
    uint64_t first_ms = UINT64_MAX, last_ms = 0;
    bool is_monotonic = false;
    for (size_t i = 0; i < payload->metric_count; i++) {
        uint64_t at_ms = payload->metrics[i].timestamp_ms;
        first_ms = at_ms < first_ms ? at_ms : first_ms;
        last_ms = at_ms > last_ms ? at_ms : last_ms;
        is_monotonic |= at_ms < SPB_EARLIEST_MS;
    }
    if (block->samples == 0 || block->samples != payload->metric_count || block->first_ms != first_ms ||
        block->last_ms != last_ms) {
        sim_fail(s, "journal", "block %llu says %u samples from %llu to %llu", (unsigned long long)block->id,
                 (unsigned)block->samples, (unsigned long long)block->first_ms, (unsigned long long)block->last_ms);
    }
    if (block->id <= s->journal.info.last_id) {
        sim_fail(s, "journal", "id %llu after %llu", (unsigned long long)block->id,
                 (unsigned long long)s->journal.info.last_id);
    }
    if (is_monotonic && block->boot != s->options.boot) {
        sim_fail(s, "clock", "block %llu of boot %llu has monotonic times of boot %llu", (unsigned long long)block->id,
                 (unsigned long long)block->boot, (unsigned long long)s->options.boot);
    }
}

uint32_t *sim_rules_append(sim *s, const spb_block *block, unsigned *holder) {
    spb_payload *payload = NULL;
    int index = sim_find_holder(s, block->device_id.data ? block->device_id : spb_str_from(""));
    if (index < 0 || spb_payload_decode(&payload, block->metrics, NULL, NULL) != SPB_OK) {
        sim_fail(s, "journal", "block %llu cannot be read", (unsigned long long)block->id);
        return NULL;
    }
    *holder = (unsigned)index;
    check_head(s, block, payload);
    uint32_t *records = malloc((payload->metric_count + 1) * sizeof *records);
    if (!records) {
        abort();
    }
    for (size_t i = 0; i < payload->metric_count && !s->has_failed; i++) {
        if (read_sample(s, block, *holder, &payload->metrics[i], &records[i])) {
            check_sample(s, records[i]);
        }
    }
    spb_payload_free(payload);
    if (s->has_failed) {
        free(records);
        return NULL;
    }
    return records;
}

/* ---- what has arrived ---- */

/* It will never be replayed, and was counted; as are those that are too large for the server. Or it is there twice. */
bool sim_rules_counted(const sim *s, const sim_record *record) {
    const sim_block *block = &s->journal.blocks[record->block];
    const sim_metric *metric = &s->metrics[record->metric];
    uint64_t age_ms = s->options.max_sample_age_s * UINT64_C(1000);
    bool is_too_old = age_ms > 0 && (s->has_clock_stepped || block->block.last_ms + age_ms < s->now.wall_ms);
    return is_too_old || record->may_be_copied || s->has_packet_limits || metric->is_removed ||
           s->holders[metric->holder].is_removed;
}

/* Only what a broker has read, as far as the session can know. */
static void check_arrived(sim *s, const char *call, uint64_t first_id, uint64_t last_id) {
    if (first_id > last_id || last_id > s->journal.info.last_id) {
        sim_fail(s, call, "of %llu to %llu, the last id is %llu", (unsigned long long)first_id,
                 (unsigned long long)last_id, (unsigned long long)s->journal.info.last_id);
    }
    for (size_t i = 0; i < s->journal.count; i++) {
        const sim_block *block = &s->journal.blocks[i];
        if (block->id < first_id || block->id > last_id || block->is_gone || block->is_confirmed) {
            continue;
        }
        for (uint32_t k = 0; k < block->block.samples; k++) {
            const sim_record *record = &s->ledger.records[block->records[k]];
            bool may_be = s->options.confirm == SPB_CONFIRM_WINDOW ? record->sent > 0 : record->is_confirmed;
            may_be |= record->was_kept; /* an earlier process knew */
            if (!may_be && !sim_rules_counted(s, record)) {
                sim_fail(s, call, "of block %llu, but no server is known to have read %s at %llu",
                         (unsigned long long)block->id, s->metrics[record->metric].name,
                         (unsigned long long)record->timestamp_ms);
            }
        }
    }
}

void sim_rules_confirm(sim *s, uint64_t first_id, uint64_t last_id) {
    check_arrived(s, "confirm", first_id, last_id);
}

/* While there is a primary host, it is that of the last STATE; one without a time cannot be known again. */
void sim_rules_keep(sim *s, uint64_t kept_for, uint64_t first_id, uint64_t last_id) {
    bool is_nobody = kept_for == 1, has_host = s->options.primary_host_id;
    if (kept_for != 0 && (is_nobody == has_host || (has_host && s->options.legacy_state))) {
        sim_fail(s, "keep", "for %llu", (unsigned long long)kept_for);
    }
    if (kept_for != 0) {
        check_arrived(s, "keep", first_id, last_id);
    }
}

/* The block is read for the first time by this process, and an earlier one knew that it had arrived: it comes again
 * only if the primary host is not the same any more, or is away later. */
void sim_rules_kept(sim *s, const sim_block *block) {
    bool is_same = !s->options.primary_host_id || block->kept_for == s->accepted_state_ms[s->link.server];
    for (uint32_t k = 0; k < block->block.samples; k++) {
        sim_record *record = &s->ledger.records[block->records[k]];
        record->confirmed_ms = sim_way_born_ms(s);
        record->may_come_again |= !is_same || s->wire.must_leave || s->has_state_doubt;
    }
}

/* At most what may be unconfirmed, or 1 MiB, and one block more. */
void sim_rules_read(sim *s, size_t bytes) {
    size_t most = s->options.max_unconfirmed_bytes < 1024u * 1024u ? s->options.max_unconfirmed_bytes : 1024u * 1024u;
    if (bytes > most + 128u * 1024u) {
        sim_fail(s, "memory", "%zu bytes were read at once", bytes);
    }
}

/* ---- aliases ---- */

bool sim_rules_alias(sim *s, const spb_alias *alias, unsigned *holder) {
    int index = sim_find_holder(s, alias->device_id.data ? alias->device_id : spb_str_from(""));
    if (index < 0) {
        sim_fail(s, "alias", "%u is saved for an unknown device", (unsigned)alias->alias);
        return false;
    }
    *holder = (unsigned)index;
    for (size_t i = 0; i < s->journal.alias_count; i++) {
        const sim_alias *saved = &s->journal.aliases[i];
        bool is_same = saved->holder == *holder && saved->type == alias->type &&
                       spb_str_equal(spb_str_from(saved->name), alias->name);
        if (is_same != (saved->alias == alias->alias)) {
            sim_fail(s, "alias", "%u is saved for %.*s, but %s has %u", (unsigned)alias->alias, (int)alias->name.len,
                     alias->name.data, saved->name, (unsigned)saved->alias);
            return false;
        }
        if (is_same) {
            return false; /* once more; the first time may not have been answered */
        }
    }
    return true;
}

/* The alias of a metric that is born would survive: 0 if it was never saved. */
uint64_t sim_rules_saved_alias(const sim *s, const sim_metric *metric) {
    for (size_t i = 0; i < s->journal.alias_count; i++) {
        const sim_alias *saved = &s->journal.aliases[i];
        if (saved->holder == metric->holder && saved->type == metric->type && strcmp(saved->name, metric->name) == 0) {
            return saved->alias;
        }
    }
    return 0;
}

/* ---- clocks ---- */

void sim_rules_clock(sim *s, uint64_t boot, int64_t offset_ms) {
    bool is_set = s->now.wall_ms >= SPB_EARLIEST_MS;
    if (boot == 0 || boot != s->options.boot || !is_set ||
        (offset_ms != s->clock_offset_ms && offset_ms != (int64_t)(s->now.wall_ms - s->now.mono_ms))) {
        sim_fail(s, "clock", "that of boot %llu is saved as %lld ms", (unsigned long long)boot, (long long)offset_ms);
    }
}
