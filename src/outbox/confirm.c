/*
 * Decides how long a published block is remembered: until a fence behind it was answered, or, where fences are not
 * trusted, until it was written long ago; then for the settle time, as a server that is killed loses what it has read
 * and not passed on; and then for as long as a host may ask for it again. When the connection ends before, or the
 * host does ask, the block goes to the journal, from where it is replayed.
 */
#include "outbox/entity.h"

#include "outbox/stored.h"

/* The memory of what was confirmed; beyond it, the oldest goes before its time. */
#define MAX_KEPT_BYTES ((size_t)8 * 1024 * 1024)

/* What counts as read, has settled, or was kept long enough may stay for so long, so that many go together. */
#define SHARED_MS 1000

static spb_outbox_block *first_of(const spb_list *list) {
    return SPB_LINKED(list->first, spb_outbox_block, of_state);
}

/* ---- how long ---- */

/* As long as a dying host may go unnoticed. */
static uint64_t two_keep_alives_ms(const spb_outbox *outbox) {
    return 2 * (uint64_t)outbox->options->keep_alive_s * 1000;
}

static uint64_t host_window_ms(const spb_outbox *outbox) {
    uint32_t asked_ms = outbox->options->host_window_ms;
    if (!outbox->journal.is_used || !outbox->has_host) {
        return 0;
    }
    return asked_ms == UINT32_MAX ? two_keep_alives_ms(outbox) : asked_ms;
}

/* How long what has arrived is kept. */
static uint64_t kept_ms(const spb_outbox *outbox) {
    uint64_t resend_ms = outbox->journal.is_used ? outbox->options->resend_on_rebirth_ms : 0;
    uint64_t window_ms = host_window_ms(outbox);
    return window_ms > resend_ms ? window_ms : resend_ms;
}

static uint64_t settled_ms(const spb_outbox *outbox) {
    const spb_outbox_block *oldest = first_of(&outbox->settling);
    return !oldest ? SPB_NEVER : outbox->kept_bytes > MAX_KEPT_BYTES ? 0 : oldest->at_ms + outbox->options->settle_ms;
}

/* While the primary host is away, time does not count. */
static uint64_t kept_until_ms(const spb_outbox *outbox) {
    const spb_outbox_block *oldest = first_of(&outbox->kept);
    return !oldest || !outbox->may_release       ? SPB_NEVER
           : outbox->kept_bytes > MAX_KEPT_BYTES ? 0
                                                 : oldest->at_ms + kept_ms(outbox);
}

/* ---- nobody will ask for it any more ---- */

static void leave_kept(spb_outbox *outbox, spb_outbox_block *block) {
    spb_list__remove(&block->of_state);
    outbox->kept_bytes -= spb_block__weight(block);
}

/* What is in the journal is read from there once more. */
static void send_again(spb_outbox *outbox, const spb_outbox_block *block) {
    spb_outbox__count_again(outbox, block);
    spb_outbox__want(outbox, block->id, block->last_id, true);
}

static void let_go(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    if (block->id != 0 && !spb_journal__confirm(&outbox->journal, block->id, block->last_id, now.mono_ms)) {
        spb_ranges__remove(&outbox->journal.keeps, block->id, block->last_id);
        send_again(outbox, block); /* without memory */
    }
    spb_outbox__release(outbox, block);
}

/* Of what is in the journal, a range of ids that were confirmed one after the other is one, and needs no copy. */
static bool join_range(spb_outbox *outbox, const spb_list *list, spb_outbox_block *block) {
    spb_outbox_block *last = SPB_LINKED(list->last, spb_outbox_block, of_state);
    if (!last || block->id == 0 || last->id == 0 || last->last_id + 1 != block->id || last->at_ms != block->at_ms) {
        return false;
    }
    last->last_id = block->last_id;
    last->arrived_samples += block->arrived_samples;
    last->sent.gone += block->sent.gone;
    last->sent.too_large += block->sent.too_large;
    spb_outbox__release(outbox, block);
    return true;
}

static void enter_kept(spb_outbox *outbox, spb_list *list, spb_outbox_block *block) {
    if (!join_range(outbox, list, block)) {
        spb_list__push(list, &block->of_state);
        outbox->kept_bytes += spb_block__weight(block);
    }
}

/* The server has it for good; a host may have missed it. */
static void keep(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    bool is_kept = block->at_ms + kept_ms(outbox) > now.mono_ms && block->arrived_samples > 0;
    if (!is_kept) {
        let_go(outbox, block, now);
        return;
    }
    if (block->id != 0) {
        spb_journal__keep(&outbox->journal, block->id, block->last_id);
    }
    block->state = SPB_BLOCK_KEPT;
    enter_kept(outbox, &outbox->kept, block);
}

static void settle(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    if (block->of_entity.list) {
        spb_list__remove(&block->of_entity);
        spb_entity__place(block->entity);
    }
    leave_kept(outbox, block);
    keep(outbox, block, now);
}

static void settle_what_is_old(spb_outbox *outbox, spb_time now) {
    while (settled_ms(outbox) <= now.mono_ms) {
        settle(outbox, first_of(&outbox->settling), now);
    }
    while (kept_until_ms(outbox) <= now.mono_ms) {
        spb_outbox_block *oldest = first_of(&outbox->kept);
        leave_kept(outbox, oldest);
        let_go(outbox, oldest, now);
    }
}

void spb_outbox__confirmed(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    block->state = SPB_BLOCK_SETTLING;
    block->at_ms = now.mono_ms;
    block->last_id = block->id;
    enter_kept(outbox, &outbox->settling, block);
}

bool spb_outbox__is_kept(const spb_outbox *outbox, const spb_block *block) {
    const spb_journal *journal = &outbox->journal; /* which may still have to be told that none is kept */
    return block->kept_for != 0 && !journal->forgets_kept && !journal->has_forgotten &&
           (block->kept_for == journal->kept_for || !outbox->has_host);
}

bool spb_outbox__keep(spb_outbox *outbox, spb_entity *entity, const spb_block *block, spb_time now) {
    spb_outbox_block *kept = spb_outbox__new_block(outbox, entity, SPB_BLOCK_STORED);
    if (!kept) {
        return false;
    }
    kept->id = kept->last_id = block->id;
    kept->at_ms = now.mono_ms;
    kept->is_accounted = true;
    kept->arrived_samples = block->samples;
    outbox->stats->samples_found -= spb_outbox__leave_journal(outbox, block->samples);
    keep(outbox, kept, now);
    return true;
}

/* ---- it has arrived ---- */

static void leave_sent(spb_outbox *outbox, spb_outbox_block *block) {
    if (outbox->unwritten == &block->of_state) {
        outbox->unwritten = block->of_state.next;
    }
    spb_list__remove(&block->of_state);
    outbox->unconfirmed_bytes -= block->size;
    outbox->stats->samples_unconfirmed -= block->kind != SPB_BLOCK_REPLAY ? block->samples : 0;
}

static void confirm(spb_outbox *outbox, spb_outbox_block *block, spb_time now) {
    leave_sent(outbox, block);
    if (!block->is_accounted) {
        spb_flushes__confirm(&outbox->flushes, block->epoch);
        block->is_accounted = true;
    }
    outbox->stats->samples_confirmed += block->samples;
    if (block->kind == SPB_BLOCK_LIVE && outbox->journal.is_used) {
        block->arrived_samples = block->samples;
        spb_outbox__confirmed(outbox, block, now);
        return;
    }
    if (block->kind == SPB_BLOCK_REPLAY) {
        spb_outbox__replay_arrived(outbox, block, now);
    }
    spb_outbox__release(outbox, block);
}

static void confirm_up_to(spb_outbox *outbox, uint64_t ordinal, spb_time now) {
    for (spb_outbox_block *block; (block = first_of(&outbox->sent)) && block->ordinal <= ordinal;) {
        confirm(outbox, block, now);
    }
    spb_arrival__read(&outbox->births, ordinal);
    settle_what_is_old(outbox, now);
}

/* ---- what shows it ---- */

bool spb_outbox__next_fence(spb_outbox *outbox, bool is_last, bool is_followed, spb_time now, uint32_t link,
                            spb_action *out) {
    spb_fences *fences = &outbox->fences;
    bool is_due = spb_fences__due_ms(fences) <= now.mono_ms || (is_last && spb_fences__is_wanted(fences)) ||
                  (is_followed && spb_fences__may_ride(fences, now.mono_ms));
    if (is_due && out) {
        *out = (spb_action){.kind = SPB_ACTION_FENCE, .link = link};
        out->as.fence.form = spb_fences__sent(fences, now.mono_ms);
        out->as.fence.is_followed = is_followed;
    }
    return is_due;
}

bool spb_outbox__next_look(spb_outbox *outbox, spb_time now, uint32_t link, spb_action *out) {
    bool is_due = spb_fences__look_ms(&outbox->fences) <= now.mono_ms;
    if (is_due && out) {
        *out = (spb_action){.kind = SPB_ACTION_LOOK, .link = link};
        spb_fences__look(&outbox->fences, now.mono_ms);
    }
    return is_due;
}

bool spb_outbox__is_by_time(const spb_outbox *outbox) {
    return (outbox->journal.is_used && outbox->options->confirm == SPB_CONFIRM_WINDOW) || outbox->fences.is_mute;
}

void spb_outbox__fenced(spb_outbox *outbox, spb_fence_form form, spb_time now) {
    uint64_t covers;
    if (!spb_fences__answered(&outbox->fences, form, now.mono_ms, &covers)) {
        return;
    }
    spb_arrival__passed(&outbox->births, covers, outbox->fences.took_ms, now.mono_ms);
    if (!spb_outbox__is_by_time(outbox)) {
        confirm_up_to(outbox, covers, now);
    }
}

static void mark_written(spb_outbox *outbox, spb_time now) {
    while (spb_outbox__is_by_time(outbox) && outbox->unwritten) {
        spb_outbox_block *block = SPB_LINKED(outbox->unwritten, spb_outbox_block, of_state);
        bool takes_more = !outbox->journal.is_used && block->ordinal > outbox->fences.covered;
        if (block->ordinal > outbox->fences.written || takes_more) {
            break;
        }
        block->is_written = true;
        block->at_ms = now.mono_ms;
        outbox->unwritten = outbox->unwritten->next;
    }
}

void spb_outbox__written(spb_outbox *outbox, uint32_t count, spb_time now) {
    spb_fences__written(&outbox->fences, count, now.mono_ms);
    spb_arrival__written(&outbox->births, &outbox->fences, now.mono_ms);
    mark_written(outbox, now);
}

/* When the oldest message that is not confirmed counts as read: by then a dead server would have been noticed, unless
 * nobody watches any more. */
static uint64_t believed_ms(const spb_outbox *outbox) {
    const spb_outbox_block *oldest = first_of(&outbox->sent);
    bool may_count = spb_outbox__is_by_time(outbox) && oldest && oldest->is_written;
    return may_count ? spb_fences__believed_ms(&outbox->fences, oldest->ordinal, oldest->at_ms) : SPB_NEVER;
}

static uint64_t births_believed_ms(const spb_outbox *outbox) {
    return spb_outbox__is_by_time(outbox) ? spb_arrival__believed_ms(&outbox->births, &outbox->fences) : SPB_NEVER;
}

bool spb_outbox__has_unconfirmed(const spb_outbox *outbox) {
    return outbox->stats->samples_unconfirmed > 0;
}

/* ---- time ---- */

/* Nobody waits for it: one wake-up does for many blocks. */
static uint64_t not_alone(uint64_t at_ms) {
    return at_ms == SPB_NEVER || at_ms == 0 ? at_ms : at_ms + SHARED_MS;
}

uint64_t spb_outbox__advance_ms(const spb_outbox *outbox, bool is_running) {
    uint64_t at_ms = is_running ? spb_deadlines__next_ms(&outbox->opens) : SPB_NEVER;
    spb_due__by(&at_ms, not_alone(believed_ms(outbox)));
    spb_due__by(&at_ms, births_believed_ms(outbox));
    spb_due__by(&at_ms, not_alone(settled_ms(outbox)));
    spb_due__by(&at_ms, not_alone(kept_until_ms(outbox)));
    return at_ms;
}

void spb_outbox__advance(spb_outbox *outbox, spb_time now) {
    for (spb_deadline *place; (place = spb_deadlines__ring(&outbox->opens, now.mono_ms));) {
        spb_outbox_block *block = SPB_DEADLINE_OF(place, spb_outbox_block, timer);
        block->is_due = true;
        spb_entity__place(block->entity);
    }
    if (spb_fences__cut(&outbox->fences, now.mono_ms)) {
        mark_written(outbox, now);
    }
    while (believed_ms(outbox) <= now.mono_ms) {
        confirm_up_to(outbox, first_of(&outbox->sent)->ordinal, now);
    }
    if (births_believed_ms(outbox) <= now.mono_ms) {
        spb_arrival__read(&outbox->births, outbox->births.last);
    }
    settle_what_is_old(outbox, now);
}

/* ---- it has to be sent again ---- */

/* What was confirmed goes to the journal, or is read from there again. It may stand for many blocks of the journal. */
static void reopen(spb_outbox *outbox, spb_outbox_block *block) {
    leave_kept(outbox, block);
    block->is_doubtful = true;
    if (block->id != 0) {
        send_again(outbox, block);
        spb_outbox__release(outbox, block);
    } else {
        outbox->stats->samples_reopened += block->arrived_samples;
        spb_list__push_front(&block->entity->unstored, &block->of_entity); /* unless it is in its place yet */
        spb_outbox__make_history(outbox, block);
    }
}

/* From the newest on, as each that has lost its place stands before all others of its entity. */
static void reopen_since(spb_outbox *outbox, const spb_list *list, uint64_t since_ms) {
    spb_list_link *previous;
    for (spb_list_link *link = list->last; link; link = previous) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_state);
        previous = link->previous;
        if (block->at_ms < since_ms) {
            return;
        }
        reopen(outbox, block);
    }
}

void spb_outbox__host_is_there(spb_outbox *outbox, uint64_t since_ms, spb_time now) {
    spb_journal__keep_for(&outbox->journal, since_ms, now.mono_ms);
}

void spb_outbox__host_was_away(spb_outbox *outbox, spb_time now) {
    uint64_t window_ms = host_window_ms(outbox);
    spb_journal__keep_for(&outbox->journal, 0, now.mono_ms);
    if (window_ms > 0) {
        reopen_since(outbox, &outbox->settling, now.mono_ms > window_ms ? now.mono_ms - window_ms : 0);
        reopen_since(outbox, &outbox->kept, 0);
        spb_outbox__replay_missed(outbox);
        spb_outbox__replay_in_order(outbox);
    }
}

void spb_outbox__resend(spb_outbox *outbox, spb_time now) {
    uint64_t asked_ms = outbox->options->resend_on_rebirth_ms;
    if (!outbox->journal.is_used || asked_ms == 0 || now.mono_ms < outbox->resend_ms) {
        return;
    }
    uint64_t since_ms = now.mono_ms > asked_ms ? now.mono_ms - asked_ms : 0;
    uint64_t window_ms = outbox->has_host ? host_window_ms(outbox) : two_keep_alives_ms(outbox);
    outbox->resend_ms = now.mono_ms + (asked_ms > window_ms ? asked_ms : window_ms);
    spb_journal__forget_kept(&outbox->journal, now.mono_ms);
    reopen_since(outbox, &outbox->settling, since_ms);
    reopen_since(outbox, &outbox->kept, since_ms);
    spb_outbox__replay_in_order(outbox);
}

/* Nobody can say whether it arrived. */
static void reclaim(spb_outbox *outbox, spb_outbox_block *block) {
    spb_stats *stats = outbox->stats;
    leave_sent(outbox, block);
    if (block->kind == SPB_BLOCK_LIVE && outbox->journal.is_used) {
        block->is_doubtful = true;
        spb_outbox__make_history(outbox, block);
        return;
    }
    if (block->kind == SPB_BLOCK_BIRTH && outbox->journal.is_used) {
        stats->samples_dropped_choice += block->samples; /* the next one has the newest value */
    } else if (block->kind != SPB_BLOCK_REPLAY) {
        stats->samples_dropped_lost += block->samples;
    }
    if (block->kind == SPB_BLOCK_BIRTH && block->samples == 0) { /* a flush waits for the births themselves */
        spb_flushes__born_again(&outbox->flushes, block->epoch);
    } else if (!block->is_accounted) {
        spb_flushes__lose(&outbox->flushes, block->epoch);
    }
    spb_outbox__release(outbox, block);
}

void spb_outbox__lost(spb_outbox *outbox, bool in_order, spb_time now) {
    if (in_order && outbox->level == SPB_DELIVERY_LIVE) {
        confirm_up_to(outbox, UINT64_MAX, now); /* an orderly end is all that this level knows */
    }
    settle_what_is_old(outbox, now);
    for (spb_outbox_block *block; in_order && (block = first_of(&outbox->settling));) {
        settle(outbox, block, now);
    }
    reopen_since(outbox, &outbox->settling, 0);
    if (outbox->has_host_gap) {
        spb_outbox__host_was_away(outbox, now);
    }
    uint64_t arrived = spb_outbox__arrived_ordinal(outbox);
    size_t largest = 0;
    for (spb_outbox_block *block; (block = first_of(&outbox->sent));) {
        largest = block->kind == SPB_BLOCK_REPLAY && block->size > largest ? block->size : largest;
        reclaim(outbox, block);
    }
    spb_outbox__replay_broke(outbox, in_order ? 0 : largest);
    spb_outbox__replay_lost(outbox, arrived, now);
    outbox->has_host_gap = false;
    outbox->unwritten = NULL;
    outbox->births = (spb_arrival){0};
    spb_fences__end(&outbox->fences);
}

/* ---- nobody follows ---- (the entity has an owner, so it outlives its blocks) */

void spb_outbox__shelve(spb_entity *entity) {
    spb_outbox *outbox = entity->outbox;
    spb_outbox__close_live(entity);
    for (spb_outbox_block *block; (block = spb_entity__first_live(entity));) {
        if (outbox->journal.is_used) {
            spb_outbox__make_history(outbox, block);
            continue;
        }
        outbox->stats->samples_dropped_lost += block->samples;
        spb_flushes__lose(&outbox->flushes, block->epoch);
        spb_outbox__leave_live(block);
        spb_outbox__release(outbox, block);
    }
    entity->is_patient = false;
    spb_entity__place(entity);
}
