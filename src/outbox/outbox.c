/* Decides what an outbox begins with, how it ends, and what becomes of an entity whose owner leaves. */
#include "outbox/outbox.h"

#include "outbox/entity.h"

void spb_outbox__init(spb_outbox *outbox, const spb_session_options *options, spb_delivery level, spb_stats *stats,
                      spb_notices *notices, const spb_outbox_metrics *metrics) {
    spb_store_info none = {0};
    const spb_store_info *journal = options->has_journal ? &options->journal : &none;
    bool is_used = level != SPB_DELIVERY_LIVE;
    *outbox = (spb_outbox){.options = options,
                           .metrics = *metrics,
                           .notices = notices,
                           .stats = stats,
                           .level = level,
                           .is_clock_set = options->boot == 0};
    spb_journal__init(&outbox->journal, journal, is_used, options->max_sample_age_s > 0);
    spb_flushes__init(&outbox->flushes);
    spb_pace__init(&outbox->replay.pace, options->replay_samples_per_s, options->replay_bytes_per_s);
    spb_outbox__begin_drops(outbox);
    if (is_used && journal->last_id > 0) { /* what an earlier run left */
        spb_outbox__want(outbox, 1, journal->last_id, false);
        stats->samples_in_journal = stats->samples_found = journal->samples;
    }
}

static uint64_t history_of(const spb_list *blocks) {
    uint64_t samples = 0;
    for (spb_list_link *link = blocks->first; link; link = link->next) {
        const spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_entity);
        samples += block->kind == SPB_BLOCK_HISTORY ? block->samples : 0;
    }
    return samples;
}

static uint64_t waiting_of(const spb_list *entities) {
    uint64_t samples = 0;
    for (spb_list_link *at = entities->first; at; at = at->next) {
        const spb_entity *entity = SPB_LINKED(at, spb_entity, of_outbox);
        for (spb_list_link *link = entity->live.first; link; link = link->next) {
            samples += SPB_LINKED(link, spb_outbox_block, of_live)->samples;
        }
        samples += history_of(&entity->unstored) + history_of(&entity->past);
    }
    return samples;
}

uint64_t spb_outbox__waiting_samples(const spb_outbox *outbox) {
    return waiting_of(&outbox->entities) + waiting_of(&outbox->strangers);
}

static void clear_list(spb_outbox *outbox, spb_list *list) {
    while (list->first) {
        spb_outbox__release(outbox, SPB_LINKED(list->first, spb_outbox_block, of_state));
    }
}

static void clear_blocks(spb_outbox *outbox, spb_list *of_entity) {
    while (of_entity->first) {
        spb_outbox__release(outbox, SPB_LINKED(of_entity->first, spb_outbox_block, of_entity));
    }
}

static void clear_entity(spb_outbox *outbox, spb_entity *entity) {
    clear_blocks(outbox, &entity->unstored);
    clear_blocks(outbox, &entity->past);
    while (entity->live.first) {
        spb_outbox__release(outbox, spb_entity__first_live(entity));
    }
    spb_ranges__clear(&entity->deferred);
    entity->owner = NULL;
}

static void clear_entities(spb_outbox *outbox, spb_list *list) {
    for (spb_entity *entity; (entity = SPB_LINKED(list->first, spb_entity, of_outbox));) {
        spb_entity__hold(entity);
        clear_entity(outbox, entity);
        spb_entity__let_go(entity);
    }
}

void spb_outbox__clear(spb_outbox *outbox) {
    spb_outbox__unpin(outbox);
    clear_list(outbox, &outbox->sent);
    clear_list(outbox, &outbox->settling);
    clear_list(outbox, &outbox->kept);
    clear_list(outbox, &outbox->replay.blocks);
    if (outbox->spare) {
        spb_pool__give(&outbox->pool, outbox->spare);
    }
    clear_entities(outbox, &outbox->entities);
    clear_entities(outbox, &outbox->strangers);
    spb_pool__clear(&outbox->pool);
    spb_deadlines__clear(&outbox->opens);
    spb_journal__clear(&outbox->journal);
    spb_ranges__clear(&outbox->replay.wanted);
    spb_ranges__clear(&outbox->replay.doubtful);
    spb_buffer__clear(&outbox->filtered);
}

void spb_outbox__detach(spb_entity *entity, const void *owner) {
    if (entity->owner != owner) {
        return;
    }
    spb_entity__hold(entity);
    spb_outbox__shelve(entity);
    spb_outbox__close_history(entity);
    spb_outbox__died(entity);
    entity->owner = NULL;
    entity->is_scanning = false;
    spb_list__remove(&entity->of_outbox);
    spb_list__push(&entity->outbox->strangers, &entity->of_outbox);
    spb_entity__let_go(entity);
}
