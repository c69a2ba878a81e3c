/*
 * Decides what became of STORED blocks: how much of them has arrived, and what is to be sent again when the connection
 * is lost, or a host may have missed it. How large the messages are that the link bears is seen on the way. Which block
 * is sent next is left to history.c.
 */
#include "outbox/stored.h"

#include "outbox/entity.h"

/* A message that is larger than this may be the reason why a connection ended: MQTT 3.1.1 servers do not name their
 * limit. After so many of these, messages become smaller, and grow again by a part with each that arrives. */
#define LARGE_BYTES ((size_t)4096)
#define BAD_LOSSES 2
#define GROWS_BY 16

static size_t size_of(const spb_outbox_block *block) {
    return spb_block__metrics(block).len;
}

static spb_outbox_block *first_stored(const spb_entity *entity) {
    return SPB_LINKED(entity->stored.first, spb_outbox_block, of_entity);
}

bool spb_block__is_replayed(const spb_outbox_block *block) {
    return block->sent.bytes == size_of(block);
}

uint32_t spb_stored__rest(const spb_outbox_block *block) {
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

static void count_again(spb_outbox *outbox, uint64_t samples) {
    outbox->stats->samples_in_journal += samples;
    outbox->stats->samples_reopened += samples;
}

/* All of it has arrived, as far as it could. */
static void finish(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    leave_replay(outbox, block);
    if (block->is_missed) {
        count_again(outbox, block->sent.samples);
        spb_outbox__want(outbox, block->id, block->id, true);
        spb_outbox__release(outbox, block);
        spb_outbox__replay_in_order(outbox);
        return;
    }
    outbox->stats->samples_dropped_gone += block->sent.gone;
    outbox->stats->samples_dropped_overflow += block->sent.too_large;
    spb_outbox__leave_journal(outbox, (uint64_t)block->sent.gone + block->sent.too_large);
    spb_ranges__remove(&outbox->replay.doubtful, block->id, block->id);
    block->arrived_samples = block->sent.samples;
    spb_buffer__clear(&block->bytes); /* the journal has them */
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

/* ---- what the link bears ---- */

static size_t most_ever(const spb_outbox *outbox) {
    size_t half = outbox->options->max_unconfirmed_bytes / 2;
    return half < SPB_REPLAY_MAX_BYTES ? half : SPB_REPLAY_MAX_BYTES;
}

size_t spb_outbox__most_replay_bytes(const spb_outbox *outbox) {
    size_t most = outbox->replay.most_bytes;
    return spb_window__part(&outbox->fences.window, most > 0 ? most : most_ever(outbox));
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

/* ---- it has arrived ---- */

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

/* ---- it is to be sent again ---- */

void spb_outbox__count_again(spb_outbox *outbox, const spb_outbox_block *block) {
    count_again(outbox, block->arrived_samples);
    outbox->stats->samples_in_journal += (uint64_t)block->sent.gone + block->sent.too_large;
    outbox->stats->samples_dropped_gone -= block->sent.gone; /* they may be sent now */
    outbox->stats->samples_dropped_overflow -= block->sent.too_large;
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

bool spb_outbox__is_newer_in_memory(const spb_outbox *outbox, uint64_t id) {
    return is_behind(outbox->replay.blocks.last, id);
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

/* From its beginning. */
static void restart(spb_outbox *outbox, spb_outbox_block *block) {
    count_again(outbox, block->settled.samples);
    block->is_doubtful |= block->settled.samples > 0;
    block->sent = block->arrived = block->settling = block->settled = (spb_progress){0};
    block->is_missed = false;
}

void spb_outbox__replay_missed(spb_outbox *outbox) {
    for (spb_list_link *link = outbox->replay.blocks.first; link; link = link->next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        if (block->ordinal == 0) { /* nothing of it is under way */
            restart(outbox, block);
        } else {
            block->is_missed = block->arrived.bytes > 0;
        }
    }
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
        if (block->is_missed) {
            restart(outbox, block);
        }
    }
    sort(outbox);
    spb_outbox__replay_in_order(outbox);
    outbox->replay.next = outbox->replay.blocks.first;
}

/* ---- it has to wait, or will not be sent ---- */

void spb_stored__hold_back(spb_outbox *outbox, spb_entity *entity) {
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

void spb_stored__give_up(spb_outbox *outbox, spb_entity *entity, spb_time now) {
    for (spb_list_link *link = entity->stored.first; link; link = link->next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_entity);
        block->sent.gone += spb_stored__rest(block);
        block->sent.bytes = size_of(block);
    }
    spb_outbox__finish_stored(outbox, entity, spb_outbox__arrived_ordinal(outbox), now);
}
