/*
 * Decides which block the journal is asked to take next, and what its answer means. Each entity has its turn; of one
 * entity, blocks go in their order.
 */
#include "outbox/append.h"

#include "codec/reframe.h"
#include "outbox/entity.h"

/* At the level OUTAGE, how long an append may wait for others to share a commit with. */
#define COMMIT_WAIT_MS 100
/* A journal that is full is not asked for room by each block of live data. */
#define FULL_MS 1000

/* ---- the choice ---- */

/* NULL: no entity has one now. */
static spb_outbox_block *next_block(const spb_outbox *outbox, spb_time now) {
    bool is_refused = outbox->journal.is_full && now.mono_ms < outbox->journal.full_ms;
    for (spb_list_link *link = outbox->storable.first; link; link = link->next) {
        spb_outbox_block *block = spb_entity__next_to_store(SPB_LINKED(link, spb_entity, in_storable));
        if (block->kind == SPB_BLOCK_HISTORY || !is_refused) {
            return block;
        }
    }
    return NULL;
}

/* ---- the block as the journal gets it ---- */

static bool is_kept(void *context, uint64_t alias, spb_str name) {
    const spb_outbox_block *block = context;
    const spb_outbox_metrics *metrics = &block->entity->outbox->metrics;
    return metrics->is_kept(metrics->context, block->entity, alias, name);
}

/* Without the samples that their definition does not want to be stored: of history, as live data is sent whole. */
static spb_bytes metrics_of(spb_outbox *outbox, spb_outbox_block *block) {
    spb_bytes metrics = spb_block__metrics(block);
    uint32_t kept, left_out;
    outbox->append.samples = (uint32_t)block->samples;
    outbox->append.unwanted = 0;
    outbox->filtered.len = 0;
    if (!outbox->has_unkept || block->kind != SPB_BLOCK_HISTORY ||
        spb_reframe__filter(&outbox->filtered, metrics, is_kept, block, &kept, &left_out) != SPB_OK) {
        return metrics;
    }
    outbox->append.samples = kept;
    outbox->append.unwanted = left_out;
    return (spb_bytes){outbox->filtered.data, outbox->filtered.len};
}

/* What became of the block, for those who flush. */
static void account(spb_outbox *outbox, spb_outbox_block *block, bool is_stored, uint64_t id) {
    if (block->is_accounted) {
        return;
    }
    block->is_accounted = true;
    if (is_stored) {
        spb_flushes__store(&outbox->flushes, block->epoch, id);
    } else {
        spb_flushes__lose(&outbox->flushes, block->epoch);
    }
}

/* None of its samples is wanted. */
static void leave_out(spb_outbox *outbox, spb_outbox_block *block) {
    outbox->stats->samples_dropped_choice += outbox->append.unwanted;
    account(outbox, block, true, 0);
    spb_outbox__end_history(outbox, block);
}

static void close(spb_outbox_block *block) {
    if (block->entity->open == block) {
        spb_outbox__close_live(block->entity);
    } else if (block->entity->open_history == block || block->entity->open_past == block) {
        spb_outbox__close_history(block->entity);
    }
}

static void ask(spb_outbox *outbox, spb_outbox_block *block, spb_bytes metrics, spb_action *out) {
    *out = (spb_action){.kind = SPB_ACTION_APPEND};
    out->as.block = (spb_block){.id = outbox->journal.appended_id + 1,
                                .samples = outbox->append.samples,
                                .first_ms = block->first_ms,
                                .last_ms = block->last_ms,
                                .boot = block->boot,
                                .metrics = metrics};
    if (!spb_entity__is_node(block->entity)) {
        out->as.block.device_id = spb_entity__id(block->entity);
    }
    if (outbox->append.unwanted > 0) {
        spb_reframe__span(metrics, &out->as.block.first_ms, &out->as.block.last_ms);
    }
    outbox->append.id = out->as.block.id;
    outbox->append.bytes = metrics.len;
    outbox->appending = block;
    outbox->journal.asked = SPB_CALL_APPEND;
    spb_outbox__pin(outbox, block);
}

bool spb_outbox__next_append(spb_outbox *outbox, spb_time now, spb_action *out) {
    for (spb_outbox_block *block; (block = next_block(outbox, now));) {
        if (!out) {
            return true;
        }
        close(block);
        spb_bytes metrics = metrics_of(outbox, block);
        if (outbox->append.samples > 0) {
            ask(outbox, block, metrics, out);
            return true;
        }
        leave_out(outbox, block);
    }
    return false;
}

/* ---- the answer ---- */

/* The block is in the journal. */
static void take(spb_outbox *outbox, spb_outbox_block *block, bool is_running, spb_time now) {
    uint64_t id = outbox->append.id;
    bool is_flush = outbox->flushes.first < outbox->flushes.current;
    bool is_urgent = outbox->level == SPB_DELIVERY_DURABLE || is_flush || !is_running;
    spb_journal__appended(&outbox->journal, id, outbox->append.bytes, is_urgent ? 0 : COMMIT_WAIT_MS, now.mono_ms);
    outbox->journal.has_boot_blocks |= block->boot != 0;
    outbox->stats->samples_stored += outbox->append.samples;
    outbox->stats->samples_dropped_choice += outbox->append.unwanted;
    account(outbox, block, true, id);
    if (block->kind == SPB_BLOCK_HISTORY) {
        outbox->stats->samples_in_journal += outbox->append.samples;
        spb_outbox__want(outbox, id, id, block->is_doubtful);
        spb_outbox__end_history(outbox, block);
    } else {
        block->id = block->last_id = id;
        spb_list__remove(&block->of_entity);
        spb_list__remove(&block->entity->in_storable); /* behind the others that have something to store */
        spb_entity__place(block->entity);
    }
}

/* It is not, and will not be. */
static void refuse(spb_outbox *outbox, spb_outbox_block *block) {
    if (block->kind == SPB_BLOCK_LIVE) { /* it is sent without */
        block->is_refused = true;
        spb_entity__place(block->entity);
        return;
    }
    outbox->stats->samples_dropped_choice += outbox->append.unwanted;
    outbox->stats->samples_dropped_disk += outbox->append.samples;
    account(outbox, block, false, 0);
    spb_outbox__end_history(outbox, block);
}

void spb_outbox__appended(spb_outbox *outbox, uint64_t id, spb_status status, const char *reason, bool is_running,
                          spb_time now) {
    spb_journal *journal = &outbox->journal;
    spb_outbox_block *block = outbox->appending;
    if (journal->asked != SPB_CALL_APPEND || outbox->append.id != id) {
        return;
    }
    journal->asked = SPB_CALL_NONE;
    outbox->appending = NULL;
    if (status == SPB_OK) {
        spb_outbox__store_went_well(outbox);
        take(outbox, block, is_running, now);
    } else if (status == SPB_ERR_LIMIT) {
        if (!journal->is_full) {
            spb_notices__log_some(outbox->notices, SPB_FLOOD_JOURNAL, now.mono_ms, "the journal is full: %s",
                                  reason ? reason : "no room");
        }
        refuse(outbox, block);
    } else {
        spb_outbox__store_failed(outbox, "append", status, reason, now);
    }
    journal->is_full = status == SPB_ERR_LIMIT;
    journal->full_ms = now.mono_ms + FULL_MS;
}
