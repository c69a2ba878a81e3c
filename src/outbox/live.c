/*
 * Decides which live block leaves next, and notes what was published, in the order of its messages, until it is known
 * to have arrived: see confirm.c.
 */
#include "outbox/entity.h"

/* ---- the choice ---- */

/* So much is under way that data has to wait. */
static bool is_full(const spb_outbox *outbox) {
    const spb_fences *fences = &outbox->fences;
    size_t bytes = outbox->journal.is_used ? outbox->unconfirmed_bytes : fences->unanswered;
    return bytes >= outbox->options->max_unconfirmed_bytes ||
           fences->unanswered >= spb_window__live_bytes(&fences->window);
}

/* At the level DURABLE it is safe, or cannot be made so. */
static bool may_leave(const spb_outbox *outbox, const spb_outbox_block *block) {
    if (outbox->level != SPB_DELIVERY_DURABLE) {
        return true;
    }
    if (spb_journal__cannot_take(&outbox->journal)) {
        return !spb_outbox__is_asked(outbox, block);
    }
    return block->is_refused || (block->id != 0 && block->id <= outbox->journal.committed_id);
}

/* ---- strict order ---- */

/* A journal that fails is not waited for. */
static bool is_strict(const spb_outbox *outbox) {
    return outbox->options->strict_order && outbox->journal.is_used && !outbox->journal.is_failing;
}

/* Some of the entity's history is older than its first live block, and not stored yet. */
static bool has_older(const spb_entity *entity) {
    const spb_outbox_block *live = spb_entity__first_live(entity);
    const spb_outbox_block *past = SPB_LINKED(entity->past.first, spb_outbox_block, of_entity);
    if (entity->is_held_back) {
        return false;
    }
    if (past && (int32_t)(live->number - past->number) > 0) {
        return true;
    }
    if (entity->histories == 0 || !live->of_entity.list) { /* a live block is stored in its order */
        return false;
    }
    spb_list_link *link = live->of_entity.previous;
    while (link && SPB_LINKED(link, spb_outbox_block, of_entity)->kind != SPB_BLOCK_HISTORY) {
        link = link->previous;
    }
    return link != NULL;
}

/* The first of the two that has no history ahead of its live data, if that matters. */
static const spb_entity *first_of(const spb_list *ready, const spb_list *trying, bool is_in_order) {
    for (spb_list_link *link = ready->first; link; link = link->next) {
        if (!is_in_order || !has_older(SPB_LINKED(link, spb_entity, in_ready))) {
            return SPB_LINKED(link, spb_entity, in_ready);
        }
    }
    for (spb_list_link *link = trying ? trying->first : NULL; link; link = link->next) {
        if (!is_in_order || !has_older(SPB_LINKED(link, spb_entity, in_trying))) {
            return SPB_LINKED(link, spb_entity, in_trying);
        }
    }
    return NULL;
}

bool spb_outbox__awaits_history(const spb_entity *entity) {
    return spb_entity__first_live(entity) && entity->first_count == 0 && is_strict(entity->outbox) &&
           (has_older(entity) || spb_outbox__has_backlog(entity->outbox));
}

/* ---- the next one ---- */

spb_outbox_block *spb_outbox__next_live(const spb_outbox *outbox, const spb_entity *entity) {
    bool is_in_order = !entity && is_strict(outbox) && outbox->may_replay;
    if (is_in_order && spb_outbox__has_backlog(outbox)) {
        return NULL;
    }
    if (!entity) { /* what the journal cannot take leaves as it is */
        bool may_try = spb_journal__cannot_take(&outbox->journal);
        entity = first_of(&outbox->ready, may_try ? &outbox->trying : NULL, is_in_order);
    }
    spb_outbox_block *block = entity ? spb_entity__first_live(entity) : NULL;
    return block && may_leave(outbox, block) && !is_full(outbox) ? block : NULL;
}

/* ---- it is published ---- */

/* At the level LIVE, all that the same fence will confirm is one. */
static bool merge(spb_outbox *outbox, const spb_outbox_block *block) {
    spb_outbox_block *last = SPB_LINKED(outbox->sent.last, spb_outbox_block, of_state);
    if (outbox->journal.is_used || !last || last->epoch != block->epoch || last->is_accounted ||
        last->ordinal <= outbox->fences.covered) {
        return false;
    }
    last->ordinal = block->ordinal;
    last->samples += block->samples;
    last->size += block->size;
    spb_flushes__confirm(&outbox->flushes, block->epoch); /* one block less to wait for */
    return true;
}

/* The block stands for the next message. */
static void note_sent(spb_outbox *outbox, spb_outbox_block *block, uint64_t ordinal) {
    block->state = SPB_BLOCK_SENT;
    block->ordinal = ordinal;
    outbox->unconfirmed_bytes += block->size;
    outbox->stats->samples_unconfirmed += block->kind != SPB_BLOCK_REPLAY ? block->samples : 0;
    if (merge(outbox, block)) {
        spb_outbox__release(outbox, block);
        return;
    }
    spb_list__push(&outbox->sent, &block->of_state);
    outbox->unwritten = outbox->unwritten ? outbox->unwritten : &block->of_state;
}

static void leave_queues(spb_entity *entity) {
    spb_list__remove(&entity->in_ready); /* behind the others that have something to send */
    spb_list__remove(&entity->in_trying);
    spb_entity__place(entity);
}

void spb_outbox__sent(spb_outbox *outbox, spb_outbox_block *block, size_t message_bytes, spb_time now) {
    spb_entity *entity = block->entity;
    bool is_of_flush = block->id == 0 && block->epoch != outbox->flushes.current % SPB_MAX_EPOCHS;
    block->size = spb_block__metrics(block).len;
    block->is_accounted = block->id != 0;
    spb_outbox__leave_live(block);
    spb_outbox__pin(outbox, block);
    outbox->stats->samples_published += block->samples;
    outbox->fences.is_wanted |= is_of_flush;
    note_sent(outbox, block, outbox->fences.last + 1);
    spb_fences__publish(&outbox->fences, true, message_bytes, now.mono_ms);
    leave_queues(entity);
}

void spb_outbox__sent_other(spb_outbox *outbox, size_t message_bytes, bool counts, spb_time now) {
    spb_fences__publish(&outbox->fences, counts, message_bytes, now.mono_ms);
}

static bool keep_values(spb_outbox *outbox, uint64_t values, uint8_t epoch, uint64_t ordinal) {
    spb_outbox_block *block = spb_outbox__new_block(outbox, NULL, SPB_BLOCK_BIRTH);
    if (block) {
        block->samples = values;
        block->epoch = epoch;
        note_sent(outbox, block, ordinal);
    }
    return block != NULL;
}

bool spb_outbox__keep_birth(spb_outbox *outbox, uint64_t values) {
    uint8_t epoch = (uint8_t)(outbox->flushes.current % SPB_MAX_EPOCHS);
    if (values == 0) {
        return true;
    }
    spb_flushes__begin(&outbox->flushes);
    if (!keep_values(outbox, values, epoch, outbox->fences.last + 1)) {
        spb_flushes__confirm(&outbox->flushes, epoch);
        return false;
    }
    return true;
}

void spb_outbox__births_over(spb_outbox *outbox, spb_time now) {
    uint8_t epoch;
    spb_arrival__begin(&outbox->births, &outbox->fences, spb_outbox__is_by_time(outbox), now.mono_ms);
    while (spb_flushes__next_born(&outbox->flushes, &epoch)) {
        if (!keep_values(outbox, 0, epoch, outbox->fences.last)) { /* then one cannot say what became of it */
            spb_flushes__lose(&outbox->flushes, epoch);
        }
        outbox->fences.messages += outbox->fences.messages == 0; /* else nothing would call for a fence */
        outbox->fences.is_wanted = true;
    }
}

spb_status spb_outbox__replayed(spb_outbox *outbox, const spb_replay_message *message, size_t payload_bytes,
                                size_t message_bytes, spb_time now) {
    spb_outbox_block *block = spb_outbox__new_block(outbox, message->entity, SPB_BLOCK_REPLAY);
    if (!block) {
        return SPB_ERR_NO_MEMORY;
    }
    block->samples = message->samples;
    block->size = message->bytes;
    block->is_accounted = true;
    if (message->partial) {
        block->id = message->partial->id;
        block->sent = message->partial->sent;
    }
    outbox->stats->samples_published += message->samples;
    outbox->stats->samples_replayed += message->samples;
    outbox->stats->samples_resent += message->resent;
    spb_pace__take(&outbox->replay.pace, message->samples, payload_bytes, now.mono_ms);
    note_sent(outbox, block, outbox->fences.last + 1);
    spb_fences__publish(&outbox->fences, true, message_bytes, now.mono_ms);
    return SPB_OK;
}

/* ---- it is not ---- */

void spb_outbox__drop_too_large(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    spb_entity *entity = block->entity;
    if (block->id != 0 && !spb_journal__confirm(&outbox->journal, block->id, block->id, now.mono_ms)) {
        spb_outbox__make_history(outbox, block); /* without memory: the replay will leave it out */
        leave_queues(entity);
        return;
    }
    outbox->stats->samples_dropped_overflow += block->samples;
    outbox->notices->drops[SPB_DROP_OVERFLOW].told += block->samples; /* the session has said so */
    if (block->id == 0) {
        spb_flushes__lose(&outbox->flushes, block->epoch);
    }
    spb_outbox__leave_live(block);
    spb_outbox__release(outbox, block);
    leave_queues(entity);
}

spb_outbox_block *spb_outbox__can_make_room(spb_entity *entity) {
    const spb_outbox *outbox = entity->outbox;
    spb_outbox_block *block = spb_entity__first_live(entity);
    bool is_possible = outbox->journal.is_used && !outbox->journal.is_failing && block &&
                       !spb_outbox__is_asked(outbox, block) &&
                       !spb_outbox__is_history_over(entity, spb_block__metrics(block).len);
    if (is_possible && block == entity->open) {
        spb_outbox__close_live(entity);
    }
    return is_possible ? block : NULL;
}
