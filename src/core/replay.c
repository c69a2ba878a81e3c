/*
 * Decides what of the journal is read, and when it is known to have arrived: chunk by chunk, trimmed when a fence
 * behind its last message was answered; a chunk that was under way when the connection ended is read again. How a
 * message of it is made is left to reel.c.
 */
#include "core/replay.h"

#include <stdlib.h>

#include "core/session.h"

#define MAX_CHUNK_BYTES ((size_t)512 * 1024)
#define RETRY_MS 1000

void spb_replay__clear(spb_replay *replay) {
    spb_ranges__clear(&replay->wanted);
    spb_ranges__clear(&replay->deferred);
    spb_ranges__clear(&replay->doubtful);
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        spb_chunk__clear(&replay->chunks[i]);
    }
    free(replay->replayed);
    replay->replayed = NULL;
}

/* Without memory it is known that something is missing: see spb_session__complete_replay. */
static void want(spb_replay *replay, uint64_t first_id, uint64_t last_id) {
    replay->is_incomplete |= !spb_ranges__add(&replay->wanted, first_id, last_id);
}

void spb_session__want_replay(spb_session *session, uint64_t first_id, uint64_t last_id, bool is_doubtful) {
    want(&session->replay, first_id, last_id);
    if (is_doubtful) {
        spb_ranges__add(&session->replay.doubtful, first_id, last_id);
    }
}

static void want_all(spb_replay *replay, const spb_ranges *ids) {
    for (size_t i = 0; i < ids->count; i++) {
        spb_range range = spb_ranges__at(ids, i);
        want(replay, range.first, range.last);
    }
}

void spb_session__complete_replay(spb_session *session, spb_time now) {
    spb_replay *replay = &session->replay;
    if (replay->is_incomplete && session->journal.appended_id > 0 &&
        spb_ranges__add(&replay->wanted, 1, session->journal.appended_id)) {
        spb_ranges__clear(&replay->deferred);
        replay->is_incomplete = false;
        if (session->journal.confirms.count > 0) { /* so that what has arrived is not read again */
            session->journal.confirm_ms = now.mono_ms;
        }
    }
}

void spb_session__retry_deferred(spb_session *session) {
    spb_replay *replay = &session->replay;
    want_all(replay, &replay->deferred);
    spb_ranges__clear(&replay->deferred);
    replay->round++;
}

/* ---- reading ---- */

static spb_chunk *free_chunk(spb_replay *replay) {
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        if (replay->chunks[i].number == 0) {
            return &replay->chunks[i];
        }
    }
    return NULL;
}

/* The one that READ fills. */
static spb_chunk *open_chunk(spb_replay *replay) {
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        if (replay->chunks[i].number != 0 && !replay->chunks[i].is_complete) {
            return &replay->chunks[i];
        }
    }
    return NULL;
}

static bool is_active(const spb_session *session) {
    return session->journal.is_used && session->state == SPB_SESSION_ONLINE && !session->wants_birth;
}

bool spb_session__wants_read(const spb_session *session) {
    const spb_replay *replay = &session->replay;
    return is_active(session) && replay->wanted.count > 0 && replay->chunks[SPB_MAX_CHUNKS - 1].number == 0 &&
           session->journal.asked == SPB_CALL_NONE && !session->journal.is_failing;
}

/* What is wanted now: what comes to be wanted while it is read may have been passed over. */
static bool copy_wanted(const spb_replay *replay, spb_chunk *chunk) {
    for (size_t i = 0; i < replay->wanted.count; i++) {
        spb_range range = spb_ranges__at(&replay->wanted, i);
        if (!spb_ranges__add(&chunk->ids, range.first, range.last)) {
            return false;
        }
    }
    return true;
}

bool spb_session__next_read(spb_session *session, spb_time now, spb_action *out) {
    spb_replay *replay = &session->replay;
    spb_range first;
    if (!spb_session__wants_read(session) || replay->retry_ms > now.mono_ms ||
        !spb_ranges__next(&replay->wanted, 0, &first)) {
        return false;
    }
    spb_chunk *chunk = free_chunk(replay);
    if (!copy_wanted(replay, chunk)) {
        spb_chunk__reset(chunk);
        replay->retry_ms = now.mono_ms + RETRY_MS;
        return false;
    }
    chunk->number = ++replay->last_chunk;
    chunk->round = replay->round;
    replay->read_from = first.first;
    replay->read_upto = 0;
    replay->is_cut = replay->is_void = false;
    session->journal.asked = SPB_CALL_READ;
    *out = (spb_action){.kind = SPB_ACTION_READ};
    out->as.read_from_id = first.first;
    return true;
}

static bool is_too_old(const spb_session *session, const spb_block *block, spb_time now) {
    uint64_t age_ms = (uint64_t)session->options.max_sample_age_s * 1000;
    uint64_t last_ms = block->last_ms < SPB_EARLIEST_MS ? block->last_ms + (uint64_t)block->shift_ms : block->last_ms;
    return age_ms > 0 && last_ms >= SPB_EARLIEST_MS && last_ms < now.wall_ms && now.wall_ms - last_ms > age_ms;
}

/* A chunk is read again as a whole: it is small against what may come twice. */
static size_t chunk_bytes(const spb_session *session) {
    size_t half = session->options.max_unconfirmed_bytes / 2;
    return half < MAX_CHUNK_BYTES ? half : MAX_CHUNK_BYTES;
}

/* Blocks of one holder share messages: the new one is the next of its holder. */
static void link_last(spb_session *session, spb_chunk *chunk) {
    size_t index = chunk->count - 1;
    spb_str id = spb_chunk__device(chunk, &chunk->blocks[index]);
    spb_device *holder = id.len > 0 ? spb_table__find_device(&session->table, id) : session->table.node;
    if (holder && holder->chunk == chunk->number) {
        chunk->blocks[holder->chunk_block].next = index;
    }
    if (holder) {
        holder->chunk = chunk->number;
        holder->chunk_block = index;
    }
}

static void remember_part(spb_replay *replay, const spb_chunk_block *block) {
    size_t first = replay->partial_count == SPB_MAX_PARTIALS;
    for (size_t i = 0; i + 1 < SPB_MAX_PARTIALS && first > 0; i++) {
        replay->partials[i] = replay->partials[i + 1];
    }
    replay->partial_count -= first;
    replay->partials[replay->partial_count++] =
        (spb_partial){.id = block->id, .bytes = block->safe, .samples = block->safe_kept};
}

/* The part of the block that has arrived in an earlier connection is not sent again. */
static void skip_part(spb_replay *replay, spb_chunk_block *block) {
    for (size_t i = 0; i < replay->partial_count; i++) {
        if (replay->partials[i].id == block->id) {
            block->sent = block->safe = replay->partials[i].bytes;
            block->samples -= replay->partials[i].samples;
            replay->partials[i] = replay->partials[--replay->partial_count];
        }
    }
}

bool spb_session_on_block(spb_session *session, const spb_block *block, spb_time now) {
    spb_replay *replay = &session->replay;
    spb_range wanted;
    if (session->journal.asked != SPB_CALL_READ || replay->is_void || replay->is_cut) {
        return false;
    }
    spb_chunk *chunk = open_chunk(replay);
    if (!spb_ranges__next(&chunk->ids, block->id, &wanted)) {
        return false;
    }
    if (wanted.first != block->id) { /* it is live */
        return true;
    }
    if (is_too_old(session, block, now)) {
        chunk->aged += block->samples;
    } else if ((chunk->count > 0 && chunk->bytes.len + block->metrics.len > chunk_bytes(session)) ||
               !spb_chunk__add(chunk, block)) {
        replay->is_cut = true;
        return false;
    } else {
        skip_part(replay, &chunk->blocks[chunk->count - 1]);
        link_last(session, chunk);
    }
    replay->read_upto = block->id;
    return true;
}

/* The chunk covers what was wanted up to there: also ids whose blocks the journal does not have any more. */
static bool cover(spb_replay *replay, spb_chunk *chunk, uint64_t upto) {
    if (upto < UINT64_MAX && !spb_ranges__remove(&chunk->ids, upto + 1, UINT64_MAX)) {
        return false;
    }
    for (size_t i = 0; i < chunk->ids.count; i++) {
        spb_range range = spb_ranges__at(&chunk->ids, i);
        if (!spb_ranges__remove(&replay->wanted, range.first, range.last)) {
            return false; /* some of it comes twice */
        }
    }
    return true;
}

void spb_session_on_read_done(spb_session *session, spb_status status, const char *reason, spb_time now) {
    spb_replay *replay = &session->replay;
    if (session->journal.asked != SPB_CALL_READ) {
        return;
    }
    session->journal.asked = SPB_CALL_NONE;
    spb_chunk *chunk = open_chunk(replay);
    bool is_partial = replay->is_cut || status != SPB_OK;
    uint64_t upto = is_partial ? replay->read_upto : UINT64_MAX;
    if (status != SPB_OK) {
        spb_session__log(session, SPB_LOG_WARNING, "the journal cannot be read: %s",
                         reason && *reason ? reason : spb_status_name(status));
    }
    if (replay->is_void || upto == 0 || !cover(replay, chunk, upto)) {
        replay->retry_ms = replay->is_void ? 0 : now.mono_ms + RETRY_MS;
        spb_chunk__reset(chunk);
        return;
    }
    replay->retry_ms = status != SPB_OK ? now.mono_ms + RETRY_MS : 0;
    chunk->is_complete = true;
    spb_session__finish_chunks(session, now);
}

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

/* Blocks of the chunk that have arrived, as far as they could: the journal need not keep them. `kept` samples of them
 * were sent. */
static void settle(spb_session *session, const spb_chunk *chunk, spb_range ids, uint64_t kept, spb_time now) {
    spb_replay *replay = &session->replay;
    if (spb_session__host_window_ms(session) > 0 && kept > 0) {
        remember_for_host(session, ids, kept, chunk->confirmed_ms, now);
    } else {
        spb_journal__confirm(&session->journal, ids.first, ids.last, now.mono_ms);
    }
    if (spb_ranges__count(&replay->doubtful, ids.first, ids.last) > 0) {
        spb_ranges__remove(&replay->doubtful, ids.first, ids.last);
    }
}

/* It comes again as a whole, with so many samples that were counted as confirmed. */
static void reopen(spb_session *session, const spb_chunk *chunk, uint64_t samples) {
    want_all(&session->replay, &chunk->ids);
    session->in_journal += samples;
    session->reopened += samples;
}

static void finish_chunk(spb_session *session, spb_chunk *chunk, spb_time now) {
    uint64_t kept = 0;
    if (chunk->is_spoiled) { /* once more; some of it may arrive twice */
        for (size_t i = 0; i < chunk->ids.count; i++) {
            spb_range ids = spb_ranges__at(&chunk->ids, i);
            spb_ranges__add(&session->replay.doubtful, ids.first, ids.last);
        }
        reopen(session, chunk, chunk->confirmed);
        return;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        if (!chunk->blocks[i].is_deferred) {
            reckon(session, &chunk->blocks[i]);
            kept += chunk->blocks[i].kept;
        }
    }
    session->stats.samples_dropped_age += chunk->aged;
    leave_journal(session, chunk->aged);
    for (size_t i = 0; i < chunk->ids.count; i++) {
        settle(session, chunk, spb_ranges__at(&chunk->ids, i), i == 0 ? kept : kept > 0, now);
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

/* Of a chunk that is not finished, the blocks that have arrived are settled; the others come again. */
static void forget_chunk(spb_session *session, spb_chunk *chunk, spb_time now) {
    uint64_t again = chunk->confirmed;
    for (size_t i = 0; i < chunk->count && !chunk->is_spoiled; i++) {
        spb_chunk_block *block = &chunk->blocks[i];
        spb_chunk__note_arrival(chunk, block);
        if (block->is_deferred) {
            continue;
        }
        if (block->safe == block->len && spb_ranges__remove(&chunk->ids, block->id, block->id)) {
            again -= block->safe_kept;
            reckon(session, block);
            settle(session, chunk, (spb_range){block->id, block->id}, block->kept, now);
            continue;
        }
        /* What was left out is not counted yet, and the next server may take it: then all of the block comes again. */
        bool is_part_safe = block->safe > 0 && block->gone == 0 && block->too_large == 0;
        again -= is_part_safe ? block->safe_kept : 0;
        if (block->kept > (is_part_safe ? block->safe_kept : 0)) {
            spb_ranges__add(&session->replay.doubtful, block->id, block->id);
        }
        if (is_part_safe) {
            remember_part(&session->replay, block);
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
