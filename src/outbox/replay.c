/*
 * Decides what of the journal is read, and when. Ids are wanted until they are read; what is read is a STORED block in
 * memory, until it has arrived; what has to wait for a birth, or for the application, is put aside with its entity, as
 * an id. How a message is made of STORED blocks is left to history.c.
 */
#include <string.h>

#include "outbox/entity.h"
#include "outbox/stored.h"

/* What is read ahead is half of this: the other half is under way. */
#define MAX_BYTES ((size_t)1024 * 1024)
#define RETRY_MS 1000
/* Between wanted blocks: with more, another READ costs less. */
#define MAX_UNWANTED 64

static size_t most_bytes(const spb_outbox *outbox) {
    size_t most = outbox->options->max_unconfirmed_bytes;
    return most < MAX_BYTES ? most : MAX_BYTES;
}

static bool is_in_grace(const spb_outbox *outbox, spb_time now) {
    return now.mono_ms < outbox->replay.grace_ms;
}

/* ---- what is wanted ---- */

static void resume(spb_entity *entity) {
    spb_outbox *outbox = entity->outbox;
    entity->is_held_back = false;
    for (size_t i = 0; i < entity->deferred.count; i++) {
        spb_range range = spb_ranges__at(&entity->deferred, i);
        spb_outbox__want(outbox, range.first, range.last, false);
    }
    spb_ranges__clear(&entity->deferred);
    outbox->replay.next = outbox->replay.blocks.first;
}

void spb_outbox__born(spb_entity *entity) {
    spb_outbox__close_history(entity); /* it is older than the birth */
    if (entity->open && entity->open->of_entity.list) {
        /* Metrics that nobody followed until now will join the open block: what the journal is to have of them from
         * before goes ahead. None of them is in it yet. */
        spb_list__remove(&entity->open->of_entity);
        spb_list__push(&entity->unstored, &entity->open->of_entity);
        spb_entity__place(entity);
    }
    entity->is_born = true;
    resume(entity);
}

void spb_outbox__died(spb_entity *entity) {
    entity->is_born = false;
}

void spb_outbox__retry_deferred(spb_outbox *outbox) {
    for (spb_list_link *link = outbox->entities.first; link; link = link->next) {
        spb_entity *entity = SPB_LINKED(link, spb_entity, of_outbox);
        if (entity->is_born) { /* else its birth comes */
            resume(entity);
        }
    }
    for (spb_list_link *link = outbox->strangers.first, *next; link; link = next) {
        spb_entity *entity = SPB_LINKED(link, spb_entity, of_outbox);
        next = link->next;
        resume(entity);
        spb_entity__end(entity);
    }
}

/* If memory was short, and it is not known what is to be replayed, then all that the journal holds is. */
void spb_outbox__before_births(spb_outbox *outbox, spb_time now) {
    spb_replay *replay = &outbox->replay;
    if (!replay->is_incomplete || outbox->journal.appended_id == 0 ||
        !spb_ranges__add(&replay->wanted, 1, outbox->journal.appended_id)) {
        return;
    }
    replay->is_incomplete = false;
    for (spb_list_link *link = outbox->entities.first; link; link = link->next) {
        spb_ranges__clear(&SPB_LINKED(link, spb_entity, of_outbox)->deferred);
    }
    for (spb_list_link *link = replay->blocks.first; link; link = link->next) { /* those are here */
        uint64_t id = SPB_LINKED(link, spb_outbox_block, of_state)->id;
        replay->is_incomplete |= !spb_ranges__remove(&replay->wanted, id, id);
    }
    for (spb_list_link *link = outbox->kept.first; link; link = link->next) { /* and those have arrived */
        const spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        if (block->id != 0) {
            spb_ranges__remove(&replay->wanted, block->id, block->last_id);
        }
    }
    if (outbox->journal.confirms.count > 0) { /* so that what has arrived is not read again */
        outbox->journal.confirm_ms = now.mono_ms;
    }
}

/* ---- reading ---- */

static bool is_moving(const spb_list_link *link, bool is_sent_too) {
    for (; link; link = link->next) {
        const spb_outbox_block *block = SPB_LINKED((spb_list_link *)link, spb_outbox_block, of_state);
        bool counts = is_sent_too || !spb_block__is_replayed(block);
        if (block->entity->is_born && !block->entity->is_held_back && counts) {
            return true;
        }
    }
    return false;
}

/* For so many bytes more. What waits for its device does not hold up the others. */
static bool has_room(const spb_outbox *outbox, size_t bytes, size_t most) {
    return outbox->replay.bytes + bytes <= most || !is_moving(outbox->replay.blocks.first, true);
}

static bool may_read(const spb_outbox *outbox) {
    return has_room(outbox, 1, most_bytes(outbox) / 2);
}

bool spb_outbox__has_backlog(const spb_outbox *outbox) {
    const spb_replay *replay = &outbox->replay;
    bool is_wanted = replay->wanted.count > 0 && replay->retry_ms == 0;
    return is_moving(replay->next, false) || outbox->journal.asked == SPB_CALL_READ || is_wanted;
}

bool spb_outbox__next_read(spb_outbox *outbox, spb_time now, spb_action *out, uint64_t *due_ms) {
    spb_replay *replay = &outbox->replay;
    spb_journal *journal = &outbox->journal;
    spb_range first;
    if (!journal->is_used || !outbox->may_replay || journal->asked != SPB_CALL_NONE || journal->is_failing ||
        !may_read(outbox) || !spb_ranges__next(&replay->wanted, 0, &first)) {
        return false;
    }
    if (replay->retry_ms > now.mono_ms) {
        spb_due__by(due_ms, replay->retry_ms);
        return false;
    }
    if (out) {
        replay->read_from = first.first;
        replay->retry_ms = 0;
        replay->is_cut = false;
        journal->asked = SPB_CALL_READ;
        journal->read_ms = SPB_NEVER;
        *out = (spb_action){.kind = SPB_ACTION_READ};
        out->as.read_from_id = first.first;
    }
    return true;
}

/* The block will not be sent, and is done with. False: no memory. */
static bool drop(spb_outbox *outbox, const spb_block *block, uint64_t *counter, spb_time now) {
    if (!spb_journal__confirm(&outbox->journal, block->id, block->id, now.mono_ms)) {
        return false;
    }
    *counter += block->samples;
    spb_outbox__leave_journal(outbox, block->samples);
    spb_ranges__remove(&outbox->replay.doubtful, block->id, block->id);
    return true;
}

static bool is_too_old(const spb_outbox *outbox, const spb_block *block, spb_time now) {
    uint64_t age_ms = (uint64_t)outbox->options->max_sample_age_s * 1000;
    uint64_t last_ms = spb_outbox__put_right(block->last_ms, block->shift_ms);
    return age_ms > 0 && last_ms >= SPB_EARLIEST_MS && last_ms < now.wall_ms && now.wall_ms - last_ms > age_ms;
}

/* Its times are of the monotonic clock, and cannot be put right yet. A machine whose clock is never set sends what it
 * has. */
static bool lacks_clock(const spb_outbox *outbox, const spb_block *block, spb_time now) {
    return block->boot != 0 && block->boot == outbox->options->boot && !outbox->is_clock_set &&
           is_in_grace(outbox, now);
}

/* A copy in memory. False: no memory. */
static bool keep(spb_outbox *outbox, spb_entity *entity, const spb_block *block) {
    spb_outbox_block *copy = spb_outbox__new_block(outbox, entity, SPB_BLOCK_STORED);
    if (!copy) {
        return false;
    }
    if (!spb_block__reserve(copy, block->metrics.len)) {
        spb_outbox__release(outbox, copy);
        return false;
    }
    memcpy(copy->bytes.data + copy->bytes.len, block->metrics.data, block->metrics.len);
    copy->bytes.len += block->metrics.len;
    copy->state = SPB_BLOCK_READY;
    copy->id = copy->last_id = block->id;
    copy->first_ms = block->first_ms;
    copy->last_ms = block->last_ms;
    copy->boot = block->boot;
    copy->shift_ms = block->shift_ms;
    copy->samples = block->samples;
    copy->is_accounted = true;
    copy->is_doubtful = block->kept_for != 0;
    spb_list__push(&entity->stored, &copy->of_entity);
    spb_list__push(&outbox->replay.blocks, &copy->of_state);
    outbox->replay.next = outbox->replay.next ? outbox->replay.next : &copy->of_state;
    outbox->replay.bytes += block->metrics.len;
    return true;
}

/* Without memory, it is read again later. */
static bool or_later(spb_outbox *outbox, bool is_taken, spb_time now) {
    outbox->replay.retry_ms = is_taken ? 0 : now.mono_ms + RETRY_MS;
    return is_taken;
}

/* What becomes of a wanted block. False: no memory, or it has to wait for room. */
static bool take(spb_outbox *outbox, spb_entity *entity, const spb_block *block, spb_time now) {
    if (spb_outbox__is_kept(outbox, block)) {
        entity = entity ? entity : spb_outbox__stranger(outbox, block->device_id);
        return or_later(outbox, entity && spb_outbox__keep(outbox, entity, block, now), now);
    }
    if (is_too_old(outbox, block, now)) {
        return or_later(outbox, drop(outbox, block, &outbox->stats->samples_dropped_age, now), now);
    }
    if (!entity && !is_in_grace(outbox, now)) {
        return or_later(outbox, drop(outbox, block, &outbox->stats->samples_dropped_gone, now), now);
    }
    entity = entity ? entity : spb_outbox__stranger(outbox, block->device_id);
    if (!entity) {
        return or_later(outbox, false, now);
    }
    if (!entity->is_born || entity->is_held_back || lacks_clock(outbox, block, now)) {
        entity->is_held_back = true;
        return or_later(outbox, spb_ranges__add(&entity->deferred, block->id, block->id), now);
    }
    return has_room(outbox, block->metrics.len, most_bytes(outbox)) &&
           or_later(outbox, keep(outbox, entity, block), now);
}

/* Blocks that are not wanted are read as well, if some that are come soon behind them. */
static bool is_worth_it(const spb_replay *replay, uint64_t id) {
    spb_range next;
    return spb_ranges__next(&replay->wanted, id, &next) && next.first - id <= MAX_UNWANTED;
}

bool spb_outbox__on_block(spb_outbox *outbox, spb_entity *entity, const spb_block *block, spb_time now) {
    spb_replay *replay = &outbox->replay;
    spb_range first;
    if (outbox->journal.asked != SPB_CALL_READ || replay->is_cut) {
        return false;
    }
    bool has_older = spb_ranges__next(&replay->wanted, 0, &first) && first.first < replay->read_from;
    if (has_older || !outbox->may_replay) { /* what has come to be wanted meanwhile goes ahead */
        replay->is_cut = true;
        return false;
    }
    if (block->id > replay->read_from) { /* the journal does not have those before it any more */
        spb_ranges__remove(&replay->wanted, replay->read_from, block->id - 1);
    }
    replay->read_from = block->id;
    bool is_wanted = spb_ranges__contains(&replay->wanted, block->id); /* else it is live, or in memory */
    if (is_wanted ? !take(outbox, entity, block, now) : !is_worth_it(replay, block->id)) {
        replay->is_cut = true;
        return false;
    }
    spb_ranges__remove(&replay->wanted, block->id, block->id);
    replay->read_from = block->id + 1;
    return true;
}

void spb_outbox__read_done(spb_outbox *outbox, spb_status status, const char *reason, spb_time now) {
    spb_replay *replay = &outbox->replay;
    if (outbox->journal.asked != SPB_CALL_READ) {
        return;
    }
    outbox->journal.asked = SPB_CALL_NONE;
    if (status != SPB_OK) {
        spb_notices__log(outbox->notices, SPB_LOG_WARNING, "the journal cannot be read: %s",
                         reason && *reason ? reason : spb_status_name(status));
        replay->retry_ms = now.mono_ms + RETRY_MS;
    } else if (!replay->is_cut) { /* there are no more */
        spb_ranges__remove(&replay->wanted, replay->read_from, UINT64_MAX);
    }
}
