/*
 * Decides what of the journal is read, and when: in chunks, in the order of its blocks. How a message of a chunk is
 * made is left to reel.c, and what becomes of it to arrive.c.
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
    if (!spb_session__wants_read(session) || replay->retry_ms > now.mono_ms) {
        return false;
    }
    spb_session__put_off(session, now);
    if (!spb_ranges__next(&replay->wanted, 0, &first)) {
        return false;
    }
    spb_chunk *chunk = free_chunk(replay);
    if (!copy_wanted(replay, chunk)) {
        spb_chunk__reset(chunk);
        replay->retry_ms = now.mono_ms + RETRY_MS;
        return spb_session__next_publish(session, now, out); /* what was put off may have made way for others */
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
        spb_session__skip_part(session, &chunk->blocks[chunk->count - 1]);
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
