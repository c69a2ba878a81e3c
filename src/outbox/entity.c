/*
 * Decides in which queues an entity stands, and when a block and an entity end. What is sent and stored of them is left
 * to live.c and append.c.
 */
#include "outbox/entity.h"

#include <stdlib.h>
#include <string.h>

#include "outbox/stored.h"

bool spb_entity__is_node(const spb_entity *entity) {
    return entity->id_len == 0;
}

spb_str spb_entity__id(const spb_entity *entity) {
    return (spb_str){entity->id, entity->id_len};
}

spb_outbox_block *spb_entity__first_live(const spb_entity *entity) {
    return SPB_LINKED(entity->live.first, spb_outbox_block, of_live);
}

/* The LIVE or HISTORY block takes no more, or may leave as its time is over. */
static bool is_done(const spb_outbox_block *block) {
    return block->state != SPB_BLOCK_OPEN || block->is_due;
}

bool spb_outbox__is_asked(const spb_outbox *outbox, const spb_outbox_block *block) {
    return outbox->journal.asked == SPB_CALL_APPEND && outbox->appending == block;
}

spb_outbox_block *spb_entity__next_to_store(const spb_entity *entity) {
    spb_outbox_block *past = SPB_LINKED(entity->past.first, spb_outbox_block, of_entity);
    return past && is_done(past) ? past : SPB_LINKED(entity->unstored.first, spb_outbox_block, of_entity);
}

/* ---- the queues ---- */

void spb_entity__place(spb_entity *entity) {
    spb_outbox *outbox = entity->outbox;
    const spb_outbox_block *live = spb_entity__first_live(entity), *unstored = spb_entity__next_to_store(entity);
    bool is_durable = outbox->level == SPB_DELIVERY_DURABLE;
    bool is_live_done = live && is_done(live);
    bool is_for_journal = is_durable && is_live_done && live->id == 0 && !live->is_refused;
    bool is_storable = unstored && unstored->state <= SPB_BLOCK_READY && is_done(unstored) &&
                       (unstored->kind == SPB_BLOCK_HISTORY || (is_for_journal && unstored == live));
    spb_list__set(&outbox->ready, &entity->in_ready, is_live_done && !is_for_journal);
    spb_list__set(&outbox->trying, &entity->in_trying, is_for_journal);
    spb_list__set(&outbox->storable, &entity->in_storable, is_storable);
    spb_list__set(&outbox->first, &entity->in_first, entity->first_count > 0);
}

/* ---- the life of a block ---- */

spb_outbox_block *spb_outbox__new_block(spb_outbox *outbox, spb_entity *entity, spb_block_kind kind) {
    spb_outbox_block *block = spb_pool__take(&outbox->pool);
    if (block) {
        block->kind = kind;
        spb_outbox__adopt(entity, block);
    }
    return block;
}

void spb_outbox__adopt(spb_entity *entity, spb_outbox_block *block) {
    block->entity = entity;
    if (entity) {
        spb_entity__hold(entity);
    }
}

void spb_outbox__release(spb_outbox *outbox, spb_outbox_block *block) {
    spb_list__remove(&block->of_entity);
    spb_list__remove(&block->of_live);
    spb_list__remove(&block->of_state);
    spb_deadlines__cancel(&outbox->opens, &block->timer);
    if (block == outbox->pinned) {
        outbox->is_pinned_done = true;
        return;
    }
    spb_entity *entity = block->entity;
    spb_pool__give(&outbox->pool, block);
    if (entity) {
        spb_entity__let_go(entity);
    }
}

void spb_outbox__pin(spb_outbox *outbox, spb_outbox_block *block) {
    spb_outbox__unpin(outbox);
    outbox->pinned = block;
}

void spb_outbox__unpin(spb_outbox *outbox) {
    spb_outbox_block *block = outbox->pinned;
    bool is_done = outbox->is_pinned_done;
    outbox->pinned = NULL;
    outbox->is_pinned_done = false;
    if (is_done) {
        spb_outbox__release(outbox, block);
    }
}

void spb_outbox__leave_live(spb_outbox_block *block) {
    spb_entity *entity = block->entity;
    size_t bytes = spb_block__metrics(block).len;
    if (!block->of_live.list) {
        return;
    }
    spb_list__remove(&block->of_live);
    spb_list__remove(&block->of_state);
    spb_deadlines__cancel(&entity->outbox->opens, &block->timer);
    entity->open = entity->open == block ? NULL : entity->open;
    entity->live_bytes -= bytes;
    entity->outbox->waiting_bytes -= bytes;
    entity->first_count -= block->is_first;
    block->is_first = false;
    block->state = SPB_BLOCK_READY;
}

void spb_outbox__want(spb_outbox *outbox, uint64_t first_id, uint64_t last_id, bool is_doubtful) {
    spb_replay *replay = &outbox->replay;
    /* Without memory it is known that something is missing: see spb_outbox__before_births. */
    replay->is_incomplete |= !spb_ranges__add(&replay->wanted, first_id, last_id);
    if (is_doubtful) {
        spb_ranges__add(&replay->doubtful, first_id, last_id);
    }
}

uint64_t spb_outbox__leave_journal(spb_outbox *outbox, uint64_t samples) {
    uint64_t *left = &outbox->stats->samples_in_journal;
    samples = samples < *left ? samples : *left;
    *left -= samples;
    return samples;
}

void spb_outbox__make_history(spb_outbox *outbox, spb_outbox_block *block) {
    spb_entity *entity = block->entity;
    spb_entity__hold(entity);
    spb_outbox__leave_live(block);
    if (block->id != 0) {
        outbox->stats->samples_in_journal += block->samples;
        spb_outbox__want(outbox, block->id, block->id, block->is_doubtful);
        if (spb_outbox__is_newer_in_memory(outbox, block->id)) {
            spb_outbox__replay_in_order(outbox);
        }
        spb_outbox__release(outbox, block);
    } else {
        spb_list__remove(&block->of_state); /* it may have been sent */
        spb_list__push(&entity->unstored, &block->of_entity);
        block->kind = SPB_BLOCK_HISTORY;
        entity->histories++;
        block->state = SPB_BLOCK_READY;
        outbox->history_bytes += spb_block__metrics(block).len;
    }
    spb_entity__place(entity);
    spb_entity__let_go(entity);
}

void spb_outbox__end_history(spb_outbox *outbox, spb_outbox_block *block) {
    spb_entity *entity = block->entity;
    outbox->history_bytes -= spb_block__metrics(block).len;
    entity->histories -= block->of_entity.list == &entity->unstored;
    entity->open_history = entity->open_history == block ? NULL : entity->open_history;
    entity->open_past = entity->open_past == block ? NULL : entity->open_past;
    spb_entity__hold(entity);
    spb_outbox__release(outbox, block);
    spb_entity__place(entity);
    spb_entity__let_go(entity);
}

/* ---- the life of an entity ---- */

void spb_entity__hold(spb_entity *entity) {
    entity->blocks++;
}

void spb_entity__let_go(spb_entity *entity) {
    entity->blocks--;
    spb_entity__end(entity);
}

static spb_entity *find(const spb_list *list, spb_str id) {
    spb_list_link *link = list->first;
    while (link && !spb_str_equal(spb_entity__id(SPB_LINKED(link, spb_entity, of_outbox)), id)) {
        link = link->next;
    }
    return SPB_LINKED(link, spb_entity, of_outbox);
}

static spb_entity *make(spb_outbox *outbox, spb_str id) {
    spb_entity *entity = NULL;
    /* So that a window can be set without fail: each has one for live data, and two for the journal. */
    if (spb_deadlines__reserve(&outbox->opens, 3 * (outbox->entity_count + 1))) {
        entity = calloc(1, sizeof *entity + id.len + 1);
    }
    if (entity) {
        if (id.len > 0) {
            memcpy(entity->id, id.data, id.len);
        }
        entity->outbox = outbox;
        entity->id_len = (uint32_t)id.len;
        outbox->entity_count++;
    }
    return entity;
}

void spb_entity__end(spb_entity *entity) {
    spb_outbox *outbox = entity->outbox;
    if (entity->owner || entity->blocks > 0 || entity->deferred.count > 0) {
        return;
    }
    spb_list__remove(&entity->of_outbox);
    spb_list__remove(&entity->in_ready);
    spb_list__remove(&entity->in_trying);
    spb_list__remove(&entity->in_storable);
    spb_list__remove(&entity->in_first);
    spb_ranges__clear(&entity->deferred);
    outbox->entity_count--;
    free(entity);
}

spb_entity *spb_outbox__stranger(spb_outbox *outbox, spb_str id) {
    spb_entity *entity = find(&outbox->strangers, id);
    if (!entity && (entity = make(outbox, id))) {
        spb_list__push(&outbox->strangers, &entity->of_outbox);
    }
    return entity;
}

void spb_outbox__attach(spb_entity *entity, void *owner) {
    entity->owner = owner;
    entity->is_scanning = false;
    spb_list__remove(&entity->of_outbox);
    spb_list__push(&entity->outbox->entities, &entity->of_outbox);
}
