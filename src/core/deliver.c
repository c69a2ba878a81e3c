/*
 * Decides how long a published message is remembered: until a fence behind it was answered, or, where fences are not
 * trusted, until it was written long ago; and longer when there is a primary host, which may not have seen what the
 * server has. When the connection ends before, it goes to the journal.
 */
#include "core/session.h"

/* ---- a message comes in ---- */

/* At the level LIVE, records tell nothing but how many samples: those that the same fence will confirm are one. */
static bool merge(spb_session *session, const spb_record *record) {
    spb_window *window = &session->window;
    spb_record *last = window->count > window->confirmed ? spb_window__at(window, window->count - 1) : NULL;
    if (session->level != SPB_DELIVERY_LIVE || !last || last->epoch != record->epoch || last->is_settled ||
        last->ordinal <= session->fences.covered) {
        return false;
    }
    last->ordinal = record->ordinal;
    last->samples += record->samples;
    spb_flushes__confirm(&session->flushes, record->epoch); /* one message less to wait for */
    return true;
}

/* Its samples were published in this connection for the first time. */
static bool is_live(const spb_record *record) {
    return record->kind == SPB_RECORD_DATA || record->kind == SPB_RECORD_BIRTH;
}

/* A message that the journal does not have. */
static bool is_idless(const spb_record *record) {
    return record->id == 0 && (record->kind == SPB_RECORD_DATA || record->kind == SPB_RECORD_WAITING);
}

static bool add(spb_session *session, const spb_record *record, const void *device_id, const void *metrics) {
    if (!merge(session, record) && !spb_window__push(&session->window, record, device_id, metrics)) {
        return false;
    }
    session->stats.samples_unconfirmed += is_live(record) ? record->samples : 0;
    session->idless += is_idless(record);
    session->unconfirmed_bytes += record->size;
    return true;
}

bool spb_session__keep(spb_session *session, const spb_device *holder, const spb_segment *segment, spb_bytes metrics) {
    bool keeps_bytes = session->journal.is_used && segment->id == 0;
    spb_record record = {.kind = SPB_RECORD_DATA,
                         .ordinal = session->fences.last + 1,
                         .id = segment->id,
                         .first_ms = segment->first_ms,
                         .last_ms = segment->last_ms,
                         .boot = segment->boot,
                         .samples = segment->samples,
                         .size = (uint32_t)metrics.len,
                         .device_len = keeps_bytes ? holder->id_len : 0,
                         .len = keeps_bytes ? (uint32_t)metrics.len : 0,
                         .epoch = segment->epoch,
                         .is_settled = segment->id != 0};
    bool is_of_flush = segment->id == 0 && segment->epoch != session->flushes.current % SPB_MAX_EPOCHS;
    session->fences.is_wanted |= is_of_flush;
    return add(session, &record, holder->id, metrics.data);
}

bool spb_session__keep_birth(spb_session *session, uint64_t values) {
    spb_record record = {.kind = SPB_RECORD_BIRTH,
                         .ordinal = session->fences.last + 1,
                         .samples = (uint32_t)values,
                         .epoch = (uint8_t)(session->flushes.current % SPB_MAX_EPOCHS)};
    if (values == 0) {
        return true;
    }
    if (!add(session, &record, "", "")) {
        return false;
    }
    spb_flushes__begin(&session->flushes);
    return true;
}

bool spb_session__keep_replay(spb_session *session, uint64_t chunk, uint32_t samples, size_t bytes) {
    spb_record record = {.kind = SPB_RECORD_REPLAY,
                         .ordinal = session->fences.last + 1,
                         .id = chunk,
                         .samples = samples,
                         .size = (uint32_t)bytes,
                         .is_settled = true};
    return add(session, &record, "", "");
}

bool spb_session__keep_waiting(spb_session *session, const spb_device *holder, const spb_segment *segment,
                               spb_bytes metrics) {
    bool keeps_bytes = segment->id == 0;
    const spb_record *before = spb_window__at(&session->window, session->window.count - 1); /* not confirmed */
    spb_record record = {.kind = SPB_RECORD_WAITING,
                         .ordinal = before->ordinal, /* so that both are confirmed at once */
                         .id = segment->id,
                         .first_ms = segment->first_ms,
                         .last_ms = segment->last_ms,
                         .boot = segment->boot,
                         .samples = segment->samples,
                         .device_len = keeps_bytes ? holder->id_len : 0,
                         .len = keeps_bytes ? (uint32_t)metrics.len : 0,
                         .epoch = segment->epoch,
                         .is_settled = segment->id != 0};
    bool is_full = spb_window__size(&session->window) > SPB_MAX_HELD_BYTES;
    return !is_full && add(session, &record, holder->id, metrics.data);
}

bool spb_session__has_unconfirmed(const spb_session *session) {
    return session->window.count > session->window.confirmed;
}

void spb_session__note_births(spb_session *session) {
    spb_record record = {.kind = SPB_RECORD_BIRTH, .ordinal = session->fences.last};
    while (spb_flushes__next_born(&session->flushes, &record.epoch)) {
        if (!add(session, &record, "", "")) { /* then one cannot say what became of it */
            spb_flushes__lose(&session->flushes, record.epoch);
        }
        session->fences.messages += session->fences.messages == 0; /* else nothing would call for a fence */
        session->fences.is_wanted = true;
    }
}

bool spb_session__is_window_full(const spb_session *session) {
    size_t unconfirmed_bytes = session->journal.is_used ? session->unconfirmed_bytes : session->fences.unanswered;
    return unconfirmed_bytes >= session->options.max_unconfirmed_bytes;
}

/* ---- and goes ---- */

static void settle(spb_session *session, spb_record *record) {
    if (!record->is_settled) {
        spb_flushes__confirm(&session->flushes, record->epoch);
        record->is_settled = true;
    }
}

static void reclaim(spb_session *session, const spb_record *record, spb_record_bytes bytes);

static void confirm(spb_session *session, spb_record *record, spb_time now) {
    session->unconfirmed_bytes -= record->size;
    record->at_ms = now.mono_ms;
    session->idless -= is_idless(record);
    if (record->kind == SPB_RECORD_WAITING) {
        reclaim(session, record, spb_window__unconfirmed(&session->window));
        record->kind = SPB_RECORD_DONE;
        spb_window__confirm(&session->window);
        return;
    }
    settle(session, record);
    if (record->kind == SPB_RECORD_REPLAY) {
        spb_session__on_replayed(session, record, now);
    } else {
        session->stats.samples_unconfirmed -= record->samples;
        session->stats.samples_confirmed += record->samples;
    }
    spb_window__confirm(&session->window);
}

uint64_t spb_session__host_window_ms(const spb_session *session) {
    uint32_t asked_ms = session->options.host_window_ms; /* UINT32_MAX: as long as a dying host may go unnoticed */
    if (!session->journal.is_used || !session->host.topic) {
        return 0;
    }
    return asked_ms == UINT32_MAX ? 2 * (uint64_t)session->options.keep_alive_s * 1000 : asked_ms;
}

/* Nobody will ask for the oldest message any more. */
static void release(spb_session *session, spb_time now) {
    const spb_record *front = spb_window__at(&session->window, 0);
    if (front->kind == SPB_RECORD_DATA && front->id != 0) {
        spb_journal__confirm(&session->journal, front->id, front->id, now.mono_ms);
    }
    session->written_index -= session->written_index > 0;
    spb_window__pop(&session->window);
}

/* Lets go of what is confirmed; what the primary host may not have seen stays for a while. Without a birth it may be
 * away, so that time does not count. */
static void release_confirmed(spb_session *session, spb_time now) {
    uint64_t keep_ms = spb_session__host_window_ms(session);
    while (session->phase != SPB_PHASE_UNBORN && session->window.confirmed > 0) {
        const spb_record *front = spb_window__at(&session->window, 0);
        bool is_kept = front->kind == SPB_RECORD_DATA && now.mono_ms < front->at_ms + keep_ms &&
                       spb_window__size(&session->window) < SPB_MAX_HOST_WINDOW_BYTES + session->unconfirmed_bytes;
        if (is_kept) {
            return;
        }
        release(session, now);
    }
}

static void confirm_up_to(spb_session *session, uint64_t ordinal, spb_time now) {
    spb_window *window = &session->window;
    while (window->confirmed < window->count && spb_window__at(window, window->confirmed)->ordinal <= ordinal) {
        confirm(session, spb_window__at(window, window->confirmed), now);
    }
    release_confirmed(session, now);
}

/* ---- what shows that it has arrived ---- */

bool spb_session__next_fence(spb_session *session, bool is_last, spb_time now, spb_action *out) {
    if (spb_fences__due_ms(&session->fences) > now.mono_ms && !(is_last && spb_fences__is_wanted(&session->fences))) {
        return false;
    }
    spb_fences__sent(&session->fences, now.mono_ms);
    *out = (spb_action){.kind = SPB_ACTION_FENCE, .link = session->link};
    return true;
}

static bool is_by_time(const spb_session *session) {
    return session->journal.is_used && session->options.confirm == SPB_CONFIRM_WINDOW;
}

void spb_session__on_fenced(spb_session *session, spb_time now) {
    uint64_t covers;
    if (spb_fences__answered(&session->fences, now.mono_ms, &covers) && session->options.confirm == SPB_CONFIRM_FENCE) {
        confirm_up_to(session, covers, now);
    }
}

void spb_session__on_written(spb_session *session, uint32_t count, spb_time now) {
    spb_window *window = &session->window;
    spb_fences__written(&session->fences, count, now.mono_ms);
    while (is_by_time(session) && session->written_index < window->count &&
           spb_window__at(window, session->written_index)->ordinal <= session->fences.written) {
        spb_record *record = spb_window__at(window, session->written_index++);
        record->is_written = true;
        record->at_ms = record->at_ms ? record->at_ms : now.mono_ms;
    }
}

/* When the oldest message that is not confirmed counts as read: by then a dead server would have been noticed, unless
 * nobody watches any more. */
static uint64_t believed_ms(const spb_session *session) {
    const spb_window *window = &session->window;
    const spb_record *oldest = window->confirmed < window->count ? spb_window__at(window, window->confirmed) : NULL;
    bool is_believed = is_by_time(session) && session->fences.is_watching && oldest && oldest->is_written;
    return is_believed ? oldest->at_ms + 2 * session->fences.keep_alive_ms : SPB_NEVER;
}

uint64_t spb_session__confirm_due_ms(const spb_session *session) {
    uint64_t at_ms = believed_ms(session);
    if (session->phase != SPB_PHASE_UNBORN && session->window.confirmed > 0) {
        uint64_t release_ms = spb_window__at(&session->window, 0)->at_ms + spb_session__host_window_ms(session);
        at_ms = release_ms < at_ms ? release_ms : at_ms;
    }
    return at_ms;
}

void spb_session__confirm_by_time(spb_session *session, spb_time now) {
    while (believed_ms(session) <= now.mono_ms) {
        confirm_up_to(session, spb_window__at(&session->window, session->window.confirmed)->ordinal, now);
    }
    release_confirmed(session, now);
}

/* ---- the end of a connection ---- */

void spb_session__lose(spb_session *session, const spb_segment *segment, spb_time now) {
    if (segment->id != 0) {
        spb_journal__confirm(&session->journal, segment->id, segment->id, now.mono_ms);
    } else {
        spb_flushes__lose(&session->flushes, segment->epoch);
    }
}

/* Nobody can say whether it arrived, or it was not published yet. */
static void reclaim(spb_session *session, const spb_record *record, spb_record_bytes bytes) {
    bool was_published = record->kind == SPB_RECORD_DATA;
    spb_stats *stats = &session->stats;
    switch (record->kind) {
    case SPB_RECORD_DONE:
    case SPB_RECORD_REPLAY: break; /* its chunk is forgotten as a whole */
    case SPB_RECORD_BIRTH:         /* the next one has the newest value */
        *(session->journal.is_used ? &stats->samples_dropped_choice : &stats->samples_dropped_lost) += record->samples;
        if (record->samples == 0) { /* a flush waits for the births themselves */
            spb_flushes__born_again(&session->flushes, record->epoch);
        } else if (!record->is_settled) {
            spb_flushes__lose(&session->flushes, record->epoch);
        }
        break;
    case SPB_RECORD_WAITING:
    case SPB_RECORD_DATA:
        if (record->id != 0) {
            session->in_journal += record->samples;
            spb_session__want_replay(session, record->id, record->id, was_published);
        } else if (session->journal.is_used) {
            spb_session__spill(session, record, bytes, was_published);
        } else {
            stats->samples_dropped_lost += record->samples;
            spb_flushes__lose(&session->flushes, record->epoch);
        }
        break;
    }
}

/* All that are not confirmed, in order. */
static void reclaim_unconfirmed(spb_session *session) {
    spb_window walk = session->window; /* a second cursor */
    while (walk.confirmed < walk.count) {
        const spb_record *record = spb_window__at(&walk, walk.confirmed);
        session->stats.samples_unconfirmed -= is_live(record) ? record->samples : 0;
        reclaim(session, record, spb_window__unconfirmed(&walk));
        spb_window__confirm(&walk);
    }
    spb_window__cut(&session->window);
}

void spb_session__reopen(spb_session *session) {
    spb_window *window = &session->window;
    spb_session__reopen_chunks(session);
    while (session->journal.is_used && window->confirmed > 0) {
        const spb_record *front = spb_window__at(window, 0);
        session->reopened += is_live(front) ? front->samples : 0;
        reclaim(session, front, spb_window__front(window));
        session->written_index -= session->written_index > 0;
        spb_window__pop(window);
    }
}

void spb_session__end_window(spb_session *session, bool in_order, spb_time now) {
    if (in_order && session->level == SPB_DELIVERY_LIVE) {
        confirm_up_to(session, UINT64_MAX, now); /* an orderly end is all that this level knows */
    }
    spb_session__forget_chunks(session, now);
    if (session->has_host_gap) {
        spb_session__reopen(session);
    }
    reclaim_unconfirmed(session);
    session->has_host_gap = false;
    session->idless = 0;
    session->unconfirmed_bytes = 0;
    session->written_index = session->window.count;
}
