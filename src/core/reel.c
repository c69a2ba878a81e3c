/*
 * Decides which blocks of a chunk make the next message of a replay: oldest first, those of one holder together, each
 * sample marked as historical by framing alone. Live data goes first, and half of what may be under way is left to it.
 */
#include "codec/reframe.h"
#include "core/session.h"

#define MAX_SAMPLES 10000
#define MAX_BYTES ((size_t)256 * 1024)
/* What a metric grows by: is_historical, and a longer length; a timestamp that is put right becomes longer, too. */
#define GROWTH 3
#define GROWTH_OF_TIME 5
/* A message has this much besides its metrics. */
#define OTHERS 16

/* What goes into one message. */
typedef struct reel {
    spb_session *session;
    spb_chunk *chunk;
    spb_device *holder;
    size_t begin; /* of the metrics in the payload */
    size_t max_bytes;
    uint32_t samples;
    uint32_t resent;  /* of them: they may have arrived before */
    uint64_t last_ms; /* the newest timestamp in it */
    bool is_full;
    bool has_unknown; /* metrics that may come to be known */
} reel;

/* ---- what cannot be sent now ---- */

static bool is_in_grace(const spb_session *session, spb_time now) {
    return now.mono_ms < session->replay.grace_ms;
}

/* The block is read again, when the holder is born, or the application had its time to add what is missing: and so are
 * all later ones of its holder, as each metric is replayed in order. */
static void defer(spb_session *session, spb_chunk *chunk, spb_chunk_block *block, spb_device *holder) {
    spb_replay *replay = &session->replay;
    bool was_retried = chunk->round < replay->round; /* since the chunk was read */
    if (holder && holder->deferred_round < chunk->round) {
        holder->deferred_round = chunk->round;
    }
    if (!spb_ranges__add(was_retried ? &replay->wanted : &replay->deferred, block->id, block->id) ||
        !spb_ranges__remove(&chunk->ids, block->id, block->id)) {
        chunk->is_spoiled = true;
    }
    if (block->kept > 0) { /* it comes again as a whole */
        spb_ranges__add(&replay->doubtful, block->id, block->id);
    } else if (block->safe > 0) {
        spb_session__remember_part(session, block);
    }
    block->is_deferred = true;
    spb_chunk__finish_block(chunk, block);
}

static spb_device *holder_of(const spb_session *session, const spb_chunk *chunk, const spb_chunk_block *block) {
    spb_str id = spb_chunk__device(chunk, block);
    return id.len > 0 ? spb_table__find_device(&session->table, id) : session->table.node;
}

/* Older blocks of the holder were put off while the chunk was in memory, or before. */
static bool was_deferred(const spb_chunk *chunk, const spb_device *holder) {
    return holder && holder->deferred_round >= chunk->round;
}

void spb_session__put_off(spb_session *session, spb_time now) {
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        spb_chunk *chunk = &session->replay.chunks[i];
        bool is_stale = chunk->number != 0 && chunk->is_complete && chunk->round < session->replay.round;
        for (size_t j = chunk->next; is_stale && j < chunk->count; j++) {
            spb_chunk_block *block = &chunk->blocks[j];
            spb_device *holder = holder_of(session, chunk, block);
            if (!block->is_done && was_deferred(chunk, holder)) {
                defer(session, chunk, block, holder);
            }
        }
    }
    spb_session__finish_chunks(session, now);
}

static void leave_out(spb_chunk *chunk, spb_chunk_block *block) {
    block->gone = block->samples - block->kept - block->too_large;
    spb_chunk__finish_block(chunk, block);
}

/* The holder that may send the block now; NULL: none, and the block is dealt with. */
static spb_device *find_holder(spb_session *session, spb_chunk *chunk, spb_chunk_block *block, spb_time now) {
    spb_device *holder = holder_of(session, chunk, block);
    bool lacks_clock = block->boot != 0 && block->boot == session->options.boot && !session->is_clock_set &&
                       is_in_grace(session, now); /* a machine whose clock is never set sends what it has */
    if (!holder && !is_in_grace(session, now)) {
        leave_out(chunk, block);
        return NULL;
    }
    if (!holder || !holder->is_born || !holder->is_online || was_deferred(chunk, holder) || lacks_clock) {
        defer(session, chunk, block, holder);
        return NULL;
    }
    return holder;
}

/* ---- one block ---- */

static bool is_known(void *context, uint64_t alias, spb_str name) {
    reel *r = context;
    const spb_table *table = &r->session->table;
    const spb_metric *metric =
        alias != 0 ? spb_table__find_alias(table, alias) : spb_table__find_metric(table, r->holder, name);
    if (metric && metric->holder == r->holder && metric->in_birth && !metric->is_definition) {
        return true;
    }
    r->has_unknown |= metric && metric->holder == r->holder && !metric->in_birth; /* its birth is due */
    return false;
}

/* The timestamp as it will be sent. */
static uint64_t put_right(uint64_t timestamp_ms, int64_t shift_ms) {
    return timestamp_ms < SPB_EARLIEST_MS ? timestamp_ms + (uint64_t)shift_ms : timestamp_ms;
}

/* One metric that no message can hold. */
static void skip_metric(const reel *r, spb_chunk_block *block) {
    block->sent += spb_reframe__cut(spb_chunk__rest(r->chunk, block), SIZE_MAX, 1, 0);
    block->too_large++;
    if (block->sent >= block->len) {
        spb_chunk__finish_block(r->chunk, block);
    }
}

static void reckon(reel *r, spb_chunk_block *block, size_t bytes, uint32_t kept, uint32_t gone) {
    spb_session *session = r->session;
    spb_chunk__note_arrival(r->chunk, block);
    r->samples += kept;
    block->kept += kept;
    block->gone += gone;
    block->sent += bytes;
    block->last_ordinal = kept > 0 ? session->fences.last + 1 : block->last_ordinal;
    r->last_ms = put_right(block->last_ms, block->shift_ms);
    r->resent += spb_ranges__contains(&session->replay.doubtful, block->id) ? kept : 0;
    if (block->sent == block->len) {
        spb_chunk__finish_block(r->chunk, block);
    } else {
        r->is_full = true;
    }
}

/* What of it is left, at most what one message takes, may leave together with what is in the message already. */
static uint64_t pace_ms(const reel *r, const spb_chunk_block *block, size_t used, uint64_t now_ms) {
    uint32_t samples = block->samples - block->kept - block->gone - block->too_large;
    size_t bytes = spb_chunk__rest(r->chunk, block).len + GROWTH * (size_t)samples;
    samples = r->samples + samples < MAX_SAMPLES ? r->samples + samples : MAX_SAMPLES;
    bytes = used + bytes < MAX_BYTES ? used + bytes : MAX_BYTES;
    return spb_pace__next_ms(&r->session->replay.pace, samples, bytes + OTHERS, now_ms);
}

/* With a pace, blocks share a message as far as they may leave within 100 ms. */
static bool is_burst(const reel *r, const spb_chunk_block *block, size_t used) {
    const spb_session_options *o = &r->session->options;
    uint64_t samples = r->samples + (block->samples - block->kept - block->gone - block->too_large);
    uint64_t bytes = used + spb_chunk__rest(r->chunk, block).len;
    return r->samples > 0 && ((o->replay_samples_per_s > 0 && samples > o->replay_samples_per_s / 10) ||
                              (o->replay_bytes_per_s > 0 && bytes > o->replay_bytes_per_s / 10));
}

/* As much of the block as the message takes. */
static spb_status add_block(reel *r, spb_chunk_block *block, spb_time now) {
    spb_buffer *out = &r->session->payload;
    spb_bytes rest = spb_chunk__rest(r->chunk, block);
    size_t growth = GROWTH + (block->shift_ms != 0 ? GROWTH_OF_TIME : 0);
    size_t used = out->len - r->begin;
    size_t room = used < r->max_bytes ? r->max_bytes - used : 0;
    size_t before = out->len;
    uint32_t kept, gone;
    /* One message is in time order. */
    bool is_older = r->samples > 0 && put_right(block->first_ms, block->shift_ms) < r->last_ms;
    if (is_older || is_burst(r, block, used) || pace_ms(r, block, used, now.mono_ms) > now.mono_ms) {
        r->is_full = true;
        return SPB_OK;
    }
    rest.len = spb_reframe__cut(rest, room, MAX_SAMPLES - r->samples, growth);
    if (rest.len == 0) {
        r->is_full = r->samples > 0;
        if (!r->is_full) {
            skip_metric(r, block);
        }
        return SPB_OK;
    }
    r->has_unknown = false;
    spb_status status = spb_reframe__historical(out, rest, block->shift_ms, SPB_EARLIEST_MS, is_known, r, &kept, &gone);
    if (status == SPB_ERR_MALFORMED) {
        spb_session__log(r->session, SPB_LOG_ERROR, "block %llu of the journal is damaged, %u samples are left out",
                         (unsigned long long)block->id, (unsigned)(block->samples - block->kept));
        leave_out(r->chunk, block);
        return SPB_OK;
    }
    if (status == SPB_OK && gone > 0 && (r->has_unknown || is_in_grace(r->session, now))) {
        out->len = before;
        defer(r->session, r->chunk, block, r->holder);
        r->is_full = true;
        return SPB_OK;
    }
    if (status == SPB_OK) {
        reckon(r, block, rest.len, kept, gone);
    }
    return status;
}

/* ---- one message ---- */

/* It fits into the half of the window that has_room leaves. */
static size_t most_bytes(const spb_session *session, const spb_device *holder) {
    size_t half = session->options.max_unconfirmed_bytes / 2, upto = half < MAX_BYTES ? half : MAX_BYTES;
    size_t most = spb_session__most_metric_bytes(session, holder);
    return most > 0 && most < upto ? most : upto;
}

/* The blocks of the holder, from that one on, as far as they share a message. */
static spb_status fill(reel *r, size_t first, spb_time now) {
    spb_session *session = r->session;
    spb_status status = spb_session__begin_data(session, r->holder, now);
    r->begin = session->payload.len;
    for (size_t i = first; i != SPB_NO_BLOCK && status == SPB_OK && !r->is_full;) {
        spb_chunk_block *block = &r->chunk->blocks[i];
        if (!block->is_done) {
            status = add_block(r, block, now);
        }
        i = block->is_done ? block->next : i;
    }
    return status == SPB_OK ? spb_session__end_data(session) : status;
}

static bool give_up(reel *r, spb_status status, spb_time now) {
    return spb_session__give_up(r->session, spb_device__is_node(r->holder) ? SPB_KIND_NDATA : SPB_KIND_DDATA, status,
                                now);
}

static bool publish(reel *r, spb_time now, spb_action *out) {
    spb_session *session = r->session;
    size_t bytes = session->payload.len - r->begin;
    if (!spb_session__keep_replay(session, r->chunk->number, r->samples, bytes)) {
        return give_up(r, SPB_ERR_NO_MEMORY, now);
    }
    r->chunk->messages++;
    r->chunk->last_ordinal = session->fences.last + 1;
    session->stats.samples_published += r->samples;
    session->stats.samples_replayed += r->samples;
    session->stats.samples_resent += r->resent;
    spb_pace__take(&session->replay.pace, r->samples, session->payload.len, now.mono_ms);
    spb_session__publish_numbered(session, true, now, out);
    spb_session__finish_chunks(session, now);
    return true;
}

static const spb_chunk *next_chunk(const spb_session *session) {
    for (size_t i = 0; i < SPB_MAX_CHUNKS; i++) {
        const spb_chunk *chunk = &session->replay.chunks[i];
        if (chunk->number != 0 && chunk->is_complete && chunk->next < chunk->count) {
            return chunk;
        }
    }
    return NULL;
}

/* Half of what may be under way is left to live data. */
static bool has_room(const spb_session *session) {
    return (spb_fences__in_flight(&session->fences) == 0 ||
            spb_fences__in_flight(&session->fences) < session->options.max_in_flight / 2) &&
           (session->unconfirmed_bytes == 0 || session->unconfirmed_bytes < session->options.max_unconfirmed_bytes / 2);
}

bool spb_session__next_replay(spb_session *session, spb_time now, spb_action *out) {
    if (!session->journal.is_used || !has_room(session)) {
        return false;
    }
    for (spb_chunk *chunk; (chunk = (spb_chunk *)next_chunk(session));) {
        size_t first = chunk->next;
        reel r = {.session = session, .chunk = chunk};
        if (pace_ms(&r, &chunk->blocks[first], 0, now.mono_ms) > now.mono_ms) {
            return false;
        }
        r.holder = find_holder(session, chunk, &chunk->blocks[first], now);
        if (!r.holder) {
            continue;
        }
        r.max_bytes = most_bytes(session, r.holder);
        spb_status status = fill(&r, first, now);
        if (status != SPB_OK) {
            return give_up(&r, status, now);
        }
        if (r.samples > 0) {
            return publish(&r, now, out);
        }
    }
    spb_session__finish_chunks(session, now); /* those of which nothing is to be sent */
    return false;
}

/* ---- when ---- */

uint64_t spb_session__replay_due_ms(const spb_session *session) {
    uint64_t at_ms = SPB_NEVER;
    if (!session->journal.is_used) {
        return at_ms;
    }
    const spb_chunk *chunk = next_chunk(session);
    if (chunk && has_room(session)) {
        const reel r = {.session = (spb_session *)session, .chunk = (spb_chunk *)chunk};
        at_ms = pace_ms(&r, &chunk->blocks[chunk->next], 0, session->replay.pace.at_ms);
    }
    if (spb_session__wants_read(session) && session->replay.retry_ms < at_ms) {
        at_ms = session->replay.retry_ms;
    }
    return at_ms;
}
