/*
 * Decides which STORED blocks make the next message of the replay, oldest first and those of one entity together, each
 * sample marked as historical by framing alone; and what has arrived of them. Live data goes first, and half of what
 * may be under way is left to it.
 */
#include "outbox/history.h"

#include "codec/reframe.h"
#include "outbox/entity.h"

#define MAX_SAMPLES 10000
#define MAX_BYTES ((size_t)256 * 1024)
/* A message that is larger than this may be the reason why a connection ended: MQTT 3.1.1 servers do not name their
 * limit. After so many of these, messages become smaller, and grow again by a part with each that arrives. */
#define LARGE_BYTES ((size_t)4096)
#define BAD_LOSSES 2
#define GROWS_BY 16
/* What a metric grows by: is_historical, and a longer length; a timestamp that is put right becomes longer, too. */
#define GROWTH 3
#define GROWTH_OF_TIME 5
/* A message has this much besides its metrics. */
#define OTHERS 16

static size_t size_of(const spb_outbox_block *block) {
    return spb_block__metrics(block).len;
}

static spb_outbox_block *first_stored(const spb_entity *entity) {
    return SPB_LINKED(entity->stored.first, spb_outbox_block, of_entity);
}

bool spb_block__is_replayed(const spb_outbox_block *block) {
    return block->sent.bytes == size_of(block);
}

/* Samples that are left to be sent. */
static uint32_t rest_of(const spb_outbox_block *block) {
    const spb_progress *sent = &block->sent;
    return (uint32_t)block->samples - sent->samples - sent->gone - sent->too_large;
}

/* ---- the end of a block ---- */

static void leave_replay(spb_outbox *outbox, spb_outbox_block *block) {
    if (outbox->replay.next == &block->of_state) {
        outbox->replay.next = block->of_state.next;
    }
    spb_list__remove(&block->of_state);
    spb_list__remove(&block->of_entity);
    outbox->replay.bytes -= size_of(block);
}

/* All of it has arrived, as far as it could. */
static void finish(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    leave_replay(outbox, block);
    outbox->stats->samples_dropped_gone += block->sent.gone;
    outbox->stats->samples_dropped_overflow += block->sent.too_large;
    spb_outbox__leave_journal(outbox, (uint64_t)block->sent.gone + block->sent.too_large);
    spb_ranges__remove(&outbox->replay.doubtful, block->id, block->id);
    block->arrived_samples = block->sent.samples;
    spb_outbox__confirmed(outbox, block, now);
}

void spb_outbox__finish_stored(spb_outbox *outbox, spb_entity *entity, uint64_t arrived_ordinal, spb_time now) {
    for (spb_outbox_block *block; (block = first_stored(entity)) && spb_block__is_replayed(block);) {
        if (block->ordinal > arrived_ordinal) {
            /* It waits for nothing but the server. */
            outbox->fences.is_wanted |= block->ordinal > outbox->fences.covered;
            return;
        }
        finish(outbox, block, now);
    }
}

/* What has arrived of a block that is not finished settles step by step. */
static void settle_part(const spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    if (block->at_ms + outbox->options->settle_ms <= now.mono_ms) {
        block->settled = block->settling;
        block->settling = block->arrived;
        block->at_ms = now.mono_ms;
    } else if (block->at_ms == now.mono_ms) { /* one fence has shown that several messages have arrived */
        block->settling = block->arrived;
    }
}

static size_t most_ever(const spb_outbox *outbox) {
    size_t half = outbox->options->max_unconfirmed_bytes / 2;
    return half < MAX_BYTES ? half : MAX_BYTES;
}

size_t spb_outbox__most_replay_bytes(const spb_outbox *outbox) {
    size_t most = outbox->replay.most_bytes;
    return most > 0 ? most : most_ever(outbox);
}

/* The link bears a message of that size. */
static void grow(spb_outbox *outbox, size_t bytes) {
    spb_replay *replay = &outbox->replay;
    if (replay->most_bytes > 0 && bytes > replay->most_bytes / 2) {
        replay->most_bytes += replay->most_bytes / GROWS_BY + 1;
        replay->most_bytes = replay->most_bytes < most_ever(outbox) ? replay->most_bytes : 0;
    }
    replay->bad_losses = bytes > LARGE_BYTES ? 0 : replay->bad_losses;
}

void spb_outbox__replay_broke(spb_outbox *outbox, size_t bytes) {
    spb_replay *replay = &outbox->replay;
    if (bytes > LARGE_BYTES && ++replay->bad_losses >= BAD_LOSSES) {
        replay->most_bytes = bytes / 2;
        spb_notices__log(
            outbox->notices, SPB_LOG_WARNING,
            "%u connections ended with a message of %zu bytes of history under way: the server may take none "
            "of that size, so the next have %zu (option max_message_bytes)",
            (unsigned)replay->bad_losses, bytes, replay->most_bytes);
    }
}

static spb_outbox_block *find_stored(const spb_entity *entity, uint64_t id) {
    spb_outbox_block *block = first_stored(entity);
    while (block && block->id != id) {
        block = SPB_LINKED(block->of_entity.next, spb_outbox_block, of_entity);
    }
    return block;
}

void spb_outbox__replay_arrived(spb_outbox *outbox, const spb_outbox_block *message, spb_time now) {
    grow(outbox, message->size);
    spb_outbox__leave_journal(outbox, message->samples);
    spb_outbox__finish_stored(outbox, message->entity, message->ordinal, now);
    spb_outbox_block *block = message->sent.bytes > 0 ? find_stored(message->entity, message->id) : NULL;
    if (block) {
        block->arrived = message->sent;
    }
    if (block && block == first_stored(message->entity)) {
        settle_part(outbox, block, now);
    }
}

static void count_again(spb_outbox *outbox, uint64_t samples) {
    outbox->stats->samples_in_journal += samples;
    outbox->stats->samples_reopened += samples;
}

void spb_outbox__count_again(spb_outbox *outbox, const spb_outbox_block *block) {
    count_again(outbox, block->arrived_samples);
    outbox->stats->samples_in_journal += (uint64_t)block->sent.gone + block->sent.too_large;
    outbox->stats->samples_dropped_gone -= block->sent.gone; /* they may be sent now */
    outbox->stats->samples_dropped_overflow -= block->sent.too_large;
}

void spb_outbox__replay_again(spb_outbox *outbox, spb_outbox_block *block) {
    spb_outbox__count_again(outbox, block);
    block->arrived_samples = 0;
    block->sent = block->arrived = block->settling = block->settled = (spb_progress){0};
    block->ordinal = 0;
    block->at_ms = 0;
    block->is_doubtful = true;
    block->state = SPB_BLOCK_READY;
    spb_list__push_front(&block->entity->stored, &block->of_entity);
    spb_list__push_front(&outbox->replay.blocks, &block->of_state);
    outbox->replay.bytes += size_of(block);
    outbox->replay.next = outbox->replay.blocks.first;
}

void spb_outbox__replay_in_order(spb_outbox *outbox) {
    spb_list_link *next;
    spb_range wanted;
    if (!spb_ranges__next(&outbox->replay.wanted, 0, &wanted)) {
        return;
    }
    for (spb_list_link *link = outbox->replay.blocks.first; link; link = next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        next = link->next;
        if (block->sent.bytes == 0 && block->id > wanted.first) {
            spb_outbox__want(outbox, block->id, block->id, block->is_doubtful);
            leave_replay(outbox, block);
            spb_outbox__release(outbox, block);
        }
    }
}

static bool is_behind(const spb_list_link *link, uint64_t id) {
    return link && SPB_LINKED((spb_list_link *)link, spb_outbox_block, of_state)->id > id;
}

/* Nothing is under way: what was read behind newer blocks stands ahead of them from now on. */
static void sort(spb_outbox *outbox) {
    spb_list *blocks = &outbox->replay.blocks;
    for (spb_list_link *link = blocks->first, *next; link; link = next) {
        uint64_t id = SPB_LINKED(link, spb_outbox_block, of_state)->id;
        spb_list_link *ahead = link->previous;
        next = link->next;
        while (is_behind(ahead, id)) {
            ahead = ahead->previous;
        }
        spb_list__remove(link);
        spb_list__push_behind(blocks, ahead, link);
    }
    for (spb_list_link *link = blocks->first; link; link = link->next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        spb_list__remove(&block->of_entity);
        spb_list__push(&block->entity->stored, &block->of_entity);
    }
}

uint64_t spb_outbox__arrived_ordinal(const spb_outbox *outbox) {
    const spb_outbox_block *oldest = SPB_LINKED(outbox->sent.first, spb_outbox_block, of_state);
    return oldest ? oldest->ordinal - 1 : outbox->fences.last;
}

void spb_outbox__replay_lost(spb_outbox *outbox, uint64_t arrived_ordinal, spb_time now) {
    for (spb_list_link *link = outbox->replay.blocks.first; link; link = link->next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        if (block->ordinal > 0 && block->ordinal <= arrived_ordinal) { /* all of it, behind reopened ones */
            block->arrived = block->sent;
        }
        settle_part(outbox, block, now);
        count_again(outbox, block->arrived.samples - block->settled.samples);
        block->is_doubtful |= block->sent.samples > block->settled.samples;
        block->sent = block->arrived = block->settling = block->settled;
        block->ordinal = 0;
    }
    sort(outbox);
    spb_outbox__replay_in_order(outbox);
    outbox->replay.next = outbox->replay.blocks.first;
}

/* What of the entity was not begun to be sent is read again when it may be: each metric is replayed in order. */
static void hold_back(spb_outbox *outbox, spb_entity *entity) {
    spb_list_link *next;
    entity->is_held_back = true;
    for (spb_list_link *link = entity->stored.first; link; link = next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_entity);
        next = link->next;
        if (block->sent.bytes > 0 || !spb_ranges__add(&entity->deferred, block->id, block->id)) {
            continue;
        }
        if (block->is_doubtful) {
            spb_ranges__add(&outbox->replay.doubtful, block->id, block->id);
        }
        leave_replay(outbox, block);
        spb_outbox__release(outbox, block);
    }
}

/* Its device was removed, and did not come back: what is left of the entity's blocks will not be sent. */
static void give_up(spb_outbox *outbox, spb_entity *entity, spb_time now) {
    for (spb_list_link *link = entity->stored.first; link; link = link->next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_entity);
        block->sent.gone += rest_of(block);
        block->sent.bytes = size_of(block);
    }
    spb_outbox__finish_stored(outbox, entity, spb_outbox__arrived_ordinal(outbox), now);
}

/* ---- one message ---- */

/* What of the block is left, at most what one message takes, may leave together with what is in the message already. */
static uint64_t pace_ms(const spb_outbox *outbox, const spb_replay_message *m, const spb_outbox_block *block,
                        uint64_t now_ms) {
    uint32_t samples = rest_of(block);
    size_t bytes = size_of(block) - block->sent.bytes + GROWTH * (size_t)samples;
    samples = m->samples + samples < MAX_SAMPLES ? m->samples + samples : MAX_SAMPLES;
    bytes = m->bytes + bytes < m->most_bytes ? m->bytes + bytes : m->most_bytes;
    return spb_pace__next_ms(&outbox->replay.pace, samples, bytes + OTHERS, now_ms);
}

/* With a pace, blocks share a message as far as they may leave within 100 ms. */
static bool is_burst(const spb_outbox *outbox, const spb_replay_message *m, const spb_outbox_block *block) {
    const spb_session_options *o = outbox->options;
    uint64_t samples = (uint64_t)m->samples + rest_of(block);
    uint64_t bytes = (uint64_t)m->bytes + size_of(block) - block->sent.bytes;
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
    size_t growth = GROWTH + (block->shift_ms != 0 ? GROWTH_OF_TIME : 0);
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
        spb_notices__log(outbox->notices, SPB_LOG_ERROR,
                         "block %llu of the journal is damaged, %u samples are left out", (unsigned long long)block->id,
                         (unsigned)rest_of(block));
        reckon(outbox, m, block, metrics.len - block->sent.bytes, 0, rest_of(block));
        return SPB_OK;
    }
    if (status == SPB_OK && gone > 0 && (f.has_unborn || now.mono_ms < outbox->replay.grace_ms)) {
        out->len = before; /* they may come to be known */
        hold_back(outbox, m->entity);
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

/* Half of what may be under way is left to live data. */
static bool has_room(const spb_outbox *outbox) {
    uint64_t in_flight = spb_fences__in_flight(&outbox->fences);
    return (in_flight == 0 || in_flight < outbox->options->max_in_flight / 2) &&
           (outbox->unconfirmed_bytes == 0 || outbox->unconfirmed_bytes < outbox->options->max_unconfirmed_bytes / 2);
}

static bool is_in_pace(const spb_outbox *outbox, const spb_outbox_block *block, bool is_query, spb_time now,
                       uint64_t *due_ms) {
    const spb_replay_message none = {.most_bytes = MAX_BYTES};
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
                give_up(outbox, entity, now);
            } else {
                hold_back(outbox, entity);
            }
            spb_entity__let_go(entity);
            next = replay->next == link ? link->next : replay->next; /* what was begun stays */
        }
        replay->next = is_query ? replay->next : next;
    }
    return NULL;
}
