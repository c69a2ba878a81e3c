/*
 * Decides which STORED blocks make the next message of the replay, oldest first and those of one entity together, each
 * sample marked as historical by framing alone. Live data goes first, and half of what may be under way is left to it.
 * What has arrived of them is left to stored.c.
 */
#include "codec/reframe.h"
#include "outbox/entity.h"
#include "outbox/stored.h"

#define MAX_SAMPLES 10000
/* What a metric grows by: is_historical, and a longer length; a timestamp that is put right becomes longer, too. */
#define GROWTH 3
#define GROWTH_OF_TIME 5
/* A message has this much besides its metrics. */
#define OTHERS 16

/* ---- one message ---- */

/* What a metric of the block grows by, at most. */
static size_t growth_of(const spb_outbox_block *block) {
    return GROWTH + (block->shift_ms != 0 ? GROWTH_OF_TIME : 0);
}

/* What of the block is left, at most what one message takes, may leave together with what is in the message already. */
static uint64_t pace_ms(const spb_outbox *outbox, const spb_replay_message *m, const spb_outbox_block *block,
                        uint64_t now_ms) {
    uint32_t samples = spb_stored__rest(block);
    size_t bytes = spb_block__metrics(block).len - block->sent.bytes + growth_of(block) * samples;
    samples = m->samples + samples < MAX_SAMPLES ? m->samples + samples : MAX_SAMPLES;
    bytes = m->bytes + bytes < m->most_bytes ? m->bytes + bytes : m->most_bytes;
    if (m->samples == 0) { /* one alone may have more */
        spb_bytes metrics = spb_block__metrics(block);
        spb_bytes rest = {metrics.data + block->sent.bytes, metrics.len - block->sent.bytes};
        size_t first = spb_reframe__cut(rest, SIZE_MAX, 1, 0) + growth_of(block);
        bytes = first > bytes ? first : bytes;
    }
    return spb_pace__next_ms(&outbox->replay.pace, samples, bytes + OTHERS, now_ms);
}

/* With a pace, blocks share a message as far as they may leave within 100 ms. */
static bool is_burst(const spb_outbox *outbox, const spb_replay_message *m, const spb_outbox_block *block) {
    const spb_session_options *o = outbox->options;
    uint64_t samples = (uint64_t)m->samples + spb_stored__rest(block);
    uint64_t bytes = (uint64_t)m->bytes + spb_block__metrics(block).len - block->sent.bytes;
    return m->samples > 0 && ((o->replay_samples_per_s > 0 && samples > o->replay_samples_per_s / 10) ||
                              (o->replay_bytes_per_s > 0 && bytes > o->replay_bytes_per_s / 10));
}

uint64_t spb_outbox__put_right(uint64_t timestamp_ms, int64_t shift_ms) {
    return timestamp_ms < SPB_EARLIEST_MS ? timestamp_ms + (uint64_t)shift_ms : timestamp_ms;
}

/* One metric that no message can hold. */
static void skip_metric(spb_outbox_block *block) {
    spb_bytes metrics = spb_block__metrics(block);
    spb_bytes rest = {metrics.data + block->sent.bytes, metrics.len - block->sent.bytes};
    block->sent.bytes += spb_reframe__cut(rest, SIZE_MAX, 1, 0);
    block->sent.too_large++;
}

typedef struct born_filter {
    const spb_outbox_metrics *metrics;
    const spb_entity *entity;
    bool has_unborn;
} born_filter;

static bool is_born(void *context, uint64_t alias, spb_str name) {
    born_filter *f = context;
    spb_metric_known known = f->metrics->known(f->metrics->context, f->entity, alias, name);
    f->has_unborn |= known == SPB_METRIC_UNBORN;
    return known == SPB_METRIC_BORN;
}

static void reckon(spb_outbox *outbox, spb_replay_message *m, spb_outbox_block *block, size_t bytes, uint32_t kept,
                   uint32_t gone) {
    bool is_doubtful = block->is_doubtful || spb_ranges__contains(&outbox->replay.doubtful, block->id);
    block->sent.bytes += bytes;
    block->sent.samples += kept;
    block->sent.gone += gone;
    block->ordinal = kept > 0 ? outbox->fences.last + 1 : block->ordinal;
    m->samples += kept;
    m->resent += is_doubtful ? kept : 0;
    m->last_ms = kept > 0 ? spb_outbox__put_right(block->last_ms, block->shift_ms) : m->last_ms;
    m->is_full |= !spb_block__is_replayed(block);
    m->partial = spb_block__is_replayed(block) ? NULL : block;
}

/* As much of the block as the message takes. */
static spb_status add_block(spb_outbox *outbox, spb_replay_message *m, spb_outbox_block *block, spb_buffer *out,
                            spb_time now) {
    spb_bytes metrics = spb_block__metrics(block);
    spb_bytes rest = {metrics.data + block->sent.bytes, 0};
    size_t growth = growth_of(block);
    size_t room = m->bytes < m->most_bytes ? m->most_bytes - m->bytes : 0, before = out->len;
    /* One message is in time order. */
    bool is_older = m->samples > 0 && spb_outbox__put_right(block->first_ms, block->shift_ms) < m->last_ms;
    if (is_older || is_burst(outbox, m, block) || pace_ms(outbox, m, block, now.mono_ms) > now.mono_ms) {
        m->is_full = true;
        return SPB_OK;
    }
    spb_bytes left = {rest.data, metrics.len - block->sent.bytes};
    rest.len = spb_reframe__cut(left, room, MAX_SAMPLES - m->samples, growth);
    if (rest.len == 0 && m->samples == 0) {
        rest.len = spb_reframe__cut(left, m->hard_bytes > 0 ? m->hard_bytes : SIZE_MAX, 1, growth);
    }
    if (rest.len == 0) {
        m->is_full = m->samples > 0;
        if (!m->is_full) {
            skip_metric(block);
        }
        return SPB_OK;
    }
    born_filter f = {&outbox->metrics, m->entity, false};
    uint32_t kept, gone;
    spb_status status = spb_reframe__historical(out, rest, block->shift_ms, SPB_EARLIEST_MS, is_born, &f, &kept, &gone);
    if (status == SPB_ERR_MALFORMED) {
        spb_notices__log_some(outbox->notices, SPB_FLOOD_JOURNAL, now.mono_ms,
                              "block %llu of the journal is damaged, %u samples are left out",
                              (unsigned long long)block->id, (unsigned)spb_stored__rest(block));
        reckon(outbox, m, block, metrics.len - block->sent.bytes, 0, spb_stored__rest(block));
        return SPB_OK;
    }
    if (status == SPB_OK && gone > 0 && (f.has_unborn || now.mono_ms < outbox->replay.grace_ms)) {
        out->len = before; /* they may come to be known */
        spb_stored__hold_back(outbox, m->entity);
        m->is_full = true;
        return SPB_OK;
    }
    if (status == SPB_OK) {
        m->bytes += out->len - before;
        reckon(outbox, m, block, rest.len, kept, gone);
    }
    return status;
}

spb_status spb_outbox__fill(spb_outbox *outbox, spb_replay_message *m, spb_buffer *out, spb_time now) {
    spb_status status = SPB_OK;
    spb_list_link *link = m->entity->stored.first;
    while (link && status == SPB_OK && !m->is_full) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_entity);
        if (!spb_block__is_replayed(block)) {
            status = add_block(outbox, m, block, out, now);
        } else {
            link = link->next;
        }
    }
    if (status == SPB_OK && m->samples == 0) {
        spb_outbox__finish_stored(outbox, m->entity, spb_outbox__arrived_ordinal(outbox), now);
    }
    return status;
}

/* ---- the choice ---- */

/* Half of what may be under way is left to live data; of what the link carries now, a third. */
static bool has_room(const spb_outbox *outbox) {
    if (outbox->fences.unanswered >= spb_window__replay_bytes(&outbox->fences.window)) {
        return false;
    }
    uint64_t in_flight = spb_fences__in_flight(&outbox->fences);
    return (in_flight == 0 || in_flight < outbox->options->max_in_flight / 2) &&
           (outbox->unconfirmed_bytes == 0 || outbox->unconfirmed_bytes < outbox->options->max_unconfirmed_bytes / 2);
}

static bool is_in_pace(const spb_outbox *outbox, const spb_outbox_block *block, bool is_query, spb_time now,
                       uint64_t *due_ms) {
    const spb_replay_message none = {.most_bytes = SPB_REPLAY_MAX_BYTES};
    uint64_t base_ms = is_query ? outbox->replay.pace.at_ms : now.mono_ms;
    uint64_t at_ms = pace_ms(outbox, &none, block, base_ms);
    spb_due__by(due_ms, at_ms);
    return at_ms <= base_ms;
}

spb_entity *spb_outbox__next_replay(spb_outbox *outbox, bool is_query, spb_time now, uint64_t *due_ms) {
    spb_replay *replay = &outbox->replay;
    if (!outbox->journal.is_used || !outbox->may_replay || !has_room(outbox)) {
        return NULL;
    }
    for (spb_list_link *link = replay->next, *next; link; link = next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        spb_entity *entity = block->entity;
        next = link->next;
        if (!spb_block__is_replayed(block) && entity->is_born && !entity->is_held_back) {
            return is_in_pace(outbox, block, is_query, now, due_ms) ? entity : NULL;
        }
        bool is_over = !entity->owner && replay->grace_ms <= now.mono_ms;
        if (is_query && !spb_block__is_replayed(block) && (is_over || block->sent.bytes == 0)) {
            return entity; /* to be put aside */
        }
        if (!is_query && !spb_block__is_replayed(block)) {
            spb_entity__hold(entity);
            if (is_over) {
                spb_stored__give_up(outbox, entity, now);
            } else {
                spb_stored__hold_back(outbox, entity);
            }
            spb_entity__let_go(entity);
            next = replay->next == link ? link->next : replay->next; /* what was begun stays */
        }
        replay->next = is_query ? replay->next : next;
    }
    return NULL;
}
