/*
 * Decides when what was replayed is known to have arrived: chunk by chunk, trimmed when a fence behind its last message
 * was answered. What was under way when the connection ended comes again, but for blocks, and beginnings of blocks,
 * that the server had read; so does what a primary host may have missed.
 */
#include <stdlib.h>

#include "core/session.h"

/* ---- what has arrived ---- */

static void remember_for_host(spb_session *session, spb_range ids, uint64_t samples, uint64_t at_ms, spb_time now) {
    spb_replay *replay = &session->replay;
    bool is_over = at_ms + spb_session__host_window_ms(session) <= now.mono_ms;
    if (!replay->replayed) {
        replay->replayed = calloc(SPB_MAX_REPLAYED, sizeof *replay->replayed);
    }
    if (is_over || !replay->replayed || replay->replayed_count == SPB_MAX_REPLAYED) {
        spb_journal__confirm(&session->journal, ids.first, ids.last, now.mono_ms);
        return;
    }
    size_t last = (replay->first_replayed + replay->replayed_count++) % SPB_MAX_REPLAYED;
    replay->replayed[last] = (spb_replayed){.ids = ids, .samples = samples, .at_ms = at_ms};
}

static void leave_journal(spb_session *session, uint64_t samples) {
    session->in_journal -= samples < session->in_journal ? samples : session->in_journal;
}

/* Those of its samples that will never be delivered: into the counters. */
static void reckon(spb_session *session, const spb_chunk_block *block) {
    session->stats.samples_dropped_gone += block->gone;
    session->stats.samples_dropped_overflow += block->too_large;
    leave_journal(session, (uint64_t)block->gone + block->too_large);
}

/* What of the block comes again with it: it has arrived, or was counted. */
static uint64_t all_of(const spb_chunk_block *block) {
    return (uint64_t)block->earlier + block->kept + block->gone + block->too_large;
}

/* Blocks of the chunk that have arrived, as far as they could: the journal need not keep them. was_sent: some of them
 * were; `samples` come again if the primary host has missed them. */
static void settle(spb_session *session, const spb_chunk *chunk, spb_range ids, bool was_sent, uint64_t samples,
                   spb_time now) {
    spb_replay *replay = &session->replay;
    if (spb_session__host_window_ms(session) > 0 && was_sent) {
        remember_for_host(session, ids, samples, chunk->confirmed_ms, now);
    } else {
        spb_journal__confirm(&session->journal, ids.first, ids.last, now.mono_ms);
    }
    if (spb_ranges__count(&replay->doubtful, ids.first, ids.last) > 0) {
        spb_ranges__remove(&replay->doubtful, ids.first, ids.last);
    }
}

/* So many samples that were counted as confirmed come again. */
static void count_again(spb_session *session, uint64_t samples) {
    session->in_journal += samples;
    session->reopened += samples;
}

/* It comes again as a whole. */
static void reopen(spb_session *session, const spb_chunk *chunk, uint64_t samples) {
    for (size_t i = 0; i < chunk->ids.count; i++) {
        spb_range range = spb_ranges__at(&chunk->ids, i);
        spb_session__want_replay(session, range.first, range.last, false);
    }
    count_again(session, samples);
}

static void finish_chunk(spb_session *session, spb_chunk *chunk, spb_time now) {
    uint64_t samples = chunk->aged;
    bool was_sent = false;
    if (chunk->is_spoiled) { /* once more; some of it may arrive twice */
        for (size_t i = 0; i < chunk->ids.count; i++) {
            spb_range ids = spb_ranges__at(&chunk->ids, i);
            spb_ranges__add(&session->replay.doubtful, ids.first, ids.last);
        }
        reopen(session, chunk, chunk->confirmed);
        return;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        const spb_chunk_block *block = &chunk->blocks[i];
        if (!block->is_deferred) {
            reckon(session, block);
            samples += all_of(block);
            was_sent |= block->kept > 0;
        } else if (block->kept > 0) {
            count_again(session, (uint64_t)block->kept + block->earlier);
        }
    }
    session->stats.samples_dropped_age += chunk->aged;
    leave_journal(session, chunk->aged);
    for (size_t i = 0; i < chunk->ids.count; i++) {
        settle(session, chunk, spb_ranges__at(&chunk->ids, i), was_sent, i == 0 ? samples : 0, now);
    }
}

/* Free chunks stand at the end; their memory is used again. */
static void free_at(spb_replay *replay, size_t index) {
    spb_chunk freed = replay->chunks[index];
    spb_chunk__reset(&freed);
    for (; index + 1 < SPB_MAX_CHUNKS; index++) {
        replay->chunks[index] = replay->chunks[index + 1];
    }
    replay->chunks[index] = freed;
}

void spb_session__finish_chunks(spb_session *session, spb_time now) {
    spb_replay *replay = &session->replay;
    for (size_t i = 0; i < SPB_MAX_CHUNKS;) {
        spb_chunk *chunk = &replay->chunks[i];
        if (chunk->number != 0 && spb_chunk__is_sent(chunk) && chunk->messages == 0) {
            finish_chunk(session, chunk, now);
            free_at(replay, i);
            continue;
        }
        /* It waits for nothing but the server. */
        session->fences.is_wanted |=
            chunk->number != 0 && spb_chunk__is_sent(chunk) && chunk->last_ordinal > session->fences.covered;
        i++;
    }
}

void spb_session__on_replayed(spb_session *session, const spb_record *message, spb_time now) {
    uint32_t samples = message->samples;
    session->stats.samples_confirmed += samples;
    leave_journal(session, samples);
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        spb_chunk *chunk = &session->replay.chunks[i];
        if (chunk->number == message->id) {
            chunk->messages--;
            chunk->confirmed += samples;
            chunk->confirmed_ordinal = message->ordinal;
            chunk->confirmed_ms = now.mono_ms;
            spb_session__finish_chunks(session, now);
            return;
        }
    }
}

/* ---- and what may not have ---- */

void spb_session__remember_part(spb_session *session, const spb_chunk_block *block) {
    spb_replay *replay = &session->replay;
    size_t first = replay->partial_count == SPB_MAX_PARTIALS;
    for (size_t i = 0; i + 1 < SPB_MAX_PARTIALS && first > 0; i++) {
        replay->partials[i] = replay->partials[i + 1];
    }
    replay->partial_count -= first;
    replay->partials[replay->partial_count++] =
        (spb_partial){.id = block->id, .bytes = block->safe, .samples = block->earlier + block->safe_kept};
}

void spb_session__skip_part(spb_session *session, spb_chunk_block *block) {
    spb_replay *replay = &session->replay;
    for (size_t i = 0; i < replay->partial_count; i++) {
        if (replay->partials[i].id == block->id) {
            block->sent = block->safe = replay->partials[i].bytes;
            block->earlier = replay->partials[i].samples;
            block->samples -= block->earlier;
            replay->partials[i] = replay->partials[--replay->partial_count];
        }
    }
}

/* Of a chunk that is not finished, the blocks that have arrived are settled; the others come again. */
static void forget_chunk(spb_session *session, spb_chunk *chunk, spb_time now) {
    uint64_t again = chunk->confirmed;
    for (size_t i = 0; i < chunk->count && !chunk->is_spoiled; i++) {
        spb_chunk_block *block = &chunk->blocks[i];
        spb_chunk__note_arrival(chunk, block);
        if (block->is_deferred) {
            again += block->kept > 0 ? block->earlier : 0;
            continue;
        }
        if (block->safe == block->len && spb_ranges__remove(&chunk->ids, block->id, block->id)) {
            again -= block->safe_kept;
            reckon(session, block);
            settle(session, chunk, (spb_range){block->id, block->id}, block->kept > 0, all_of(block), now);
            continue;
        }
        /* What was left out is not counted yet, and the next server may take it: then all of the block comes again. */
        bool is_part_safe = block->safe > 0 && block->gone == 0 && block->too_large == 0;
        again = is_part_safe ? again - block->safe_kept : again + block->earlier;
        if (block->kept > (is_part_safe ? block->safe_kept : 0)) {
            spb_ranges__add(&session->replay.doubtful, block->id, block->id);
        }
        if (is_part_safe) {
            spb_session__remember_part(session, block);
        }
    }
    reopen(session, chunk, again);
    spb_chunk__reset(chunk);
}

void spb_session__forget_chunks(spb_session *session, spb_time now) {
    spb_replay *replay = &session->replay;
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        spb_chunk *chunk = &replay->chunks[i];
        if (chunk->number != 0 && chunk->is_complete) {
            forget_chunk(session, chunk, now);
        }
        replay->is_void |= chunk->number != 0; /* freed when READ is answered */
    }
    if (replay->chunks[0].number == 0 && replay->chunks[1].number != 0) {
        free_at(replay, 0);
    }
}

/* ---- and what the primary host may have missed ---- */

void spb_session__reopen_chunks(spb_session *session) {
    spb_replay *replay = &session->replay;
    for (; replay->replayed_count > 0; replay->replayed_count--) {
        const spb_replayed *oldest = &replay->replayed[replay->first_replayed];
        spb_session__want_replay(session, oldest->ids.first, oldest->ids.last, true);
        session->in_journal += oldest->samples;
        session->reopened += oldest->samples;
        replay->first_replayed = (replay->first_replayed + 1) % SPB_MAX_REPLAYED;
    }
}

uint64_t spb_session__trim_due_ms(const spb_session *session) {
    const spb_replay *replay = &session->replay;
    return session->phase != SPB_PHASE_UNBORN && replay->replayed_count > 0
               ? replay->replayed[replay->first_replayed].at_ms + spb_session__host_window_ms(session)
               : SPB_NEVER;
}

void spb_session__trim_replayed(spb_session *session, spb_time now) {
    spb_replay *replay = &session->replay;
    uint64_t keep_ms = spb_session__host_window_ms(session);
    while (session->phase != SPB_PHASE_UNBORN && replay->replayed_count > 0) { /* else the host may be away */
        const spb_replayed *oldest = &replay->replayed[replay->first_replayed];
        if (oldest->at_ms + keep_ms > now.mono_ms) {
            return;
        }
        spb_journal__confirm(&session->journal, oldest->ids.first, oldest->ids.last, now.mono_ms);
        replay->first_replayed = (replay->first_replayed + 1) % SPB_MAX_REPLAYED;
        replay->replayed_count--;
    }
}
