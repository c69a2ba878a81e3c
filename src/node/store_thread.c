/* Decides how the session's actions for the store are queued, carried out and answered, and what the log says of a slow
 * disk. What is stored, and when, is the session's decision. */
#include "node/store_thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/thread.h"
#include "core/handle.h"
#include "node/clock.h"
#include "node/node.h"

/* Usually there are one or two: one that is answered, and what has no answer. */
#define FIRST_CAPACITY 16
/* A call that takes longer is worth a line. So is one that takes so many times as long as the last line says. */
#define SLOW_MS 500
#define MUCH_SLOWER 4
/* A store is quick again when it was for so long. */
#define QUICK_FOR_MS 60000

static const char *reason_of(spb_status status, const spb_error *err) {
    return err->text[0] != '\0' ? err->text : spb_status_name(status);
}

/* ---- answers ---- */

typedef struct answer {
    spb_status status;
    const char *reason;
    const spb_store_info *info; /* of a COMMIT; NULL: not known */
} answer;

/* What has no answer of its own: if the store fails, the next commit tells. */
static bool has_answer(spb_action_kind kind) {
    return kind == SPB_ACTION_SAVE_BDSEQ || kind == SPB_ACTION_SAVE_ALIASES || kind == SPB_ACTION_APPEND ||
           kind == SPB_ACTION_COMMIT || kind == SPB_ACTION_READ;
}

static void give_answer(spb_node *node, const spb_action *action, const answer *a) {
    spb_session *session = node->session;
    spb_lock__take(&node->lock);
    spb_time now = spb_clock__now();
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ: spb_session_on_bdseq_saved(session, a->status, a->reason, now); break;
    case SPB_ACTION_SAVE_ALIASES: spb_session_on_aliases_saved(session, a->status, a->reason, now); break;
    case SPB_ACTION_APPEND: spb_session_on_appended(session, action->as.block.id, a->status, a->reason, now); break;
    case SPB_ACTION_COMMIT: spb_session_on_committed(session, a->status, a->reason, a->info, now); break;
    case SPB_ACTION_READ: spb_session_on_read_done(session, a->status, a->reason, now); break;
    default:
        if (a->status != SPB_OK) {
            spb_session__log(session, SPB_LOG_WARNING, a->reason);
        }
    }
    spb_lock__give(&node->lock);
}

/* ---- calls of the store, with no lock held ---- */

/* A block that cannot be read is left out: the store counts what was in it. */
static spb_status read_journal(spb_node *node, uint64_t from_id, spb_error *err) {
    for (bool is_wanted = true; is_wanted;) {
        spb_block block = {.id = 0};
        bool found;
        spb_status status = node->store->read(node->store, from_id, &block, &found, err);
        bool is_damaged = status == SPB_ERR_STORE && block.id >= from_id;
        if (!is_damaged && (status != SPB_OK || !found)) {
            return status;
        }
        spb_lock__take(&node->lock);
        if (is_damaged) {
            spb_session__log(node->session, SPB_LOG_ERROR, reason_of(status, err));
            *err = (spb_error){.text = ""};
        } else {
            is_wanted = spb_session_on_block(node->session, &block, spb_clock__now());
        }
        spb_lock__give(&node->lock);
        if (is_damaged) { /* many lines, if they are not taken soon, are more than the session holds */
            spb_mailbox__wake(&node->mailbox);
        }
        from_id = block.id + 1;
    }
    return SPB_OK;
}

static spb_status call_store(spb_node *node, const spb_action *action, spb_store_info *info, spb_error *err) {
    spb_store *store = node->store;
    spb_status status;
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ: return store->save_bdseq(store, action->as.bdseq, err);
    case SPB_ACTION_SAVE_ALIASES:
        return store->save_aliases(store, action->as.aliases.items, action->as.aliases.count, err);
    case SPB_ACTION_APPEND: return store->append(store, &action->as.block, err);
    case SPB_ACTION_COMMIT:
        status = store->commit(store, err);
        store->info(store, info);
        return status;
    case SPB_ACTION_READ: return read_journal(node, action->as.read_from_id, err);
    case SPB_ACTION_CONFIRM: return store->confirm(store, action->as.confirm.first_id, action->as.confirm.last_id, err);
    case SPB_ACTION_KEEP:
        return store->keep ? store->keep(store, action->as.keep.kept_for, action->as.keep.first_id,
                                         action->as.keep.last_id, err)
                           : SPB_OK;
    case SPB_ACTION_EXPIRE: return store->expire(store, action->as.before_ms, err);
    default: return store->save_clock(store, action->as.clock.boot, action->as.clock.offset_ms, err);
    }
}

static void carry_out(spb_node *node, const spb_action *action) {
    spb_store_info info = {0};
    spb_error err = {.text = ""};
    spb_status status = call_store(node, action, &info, &err);
    if (has_answer(action->kind) || status != SPB_OK) {
        give_answer(node, action,
                    &(answer){.status = status,
                              .reason = status == SPB_OK ? NULL : reason_of(status, &err),
                              .info = action->kind == SPB_ACTION_COMMIT ? &info : NULL});
    }
}

/* ---- the thread ---- */

static spb_action take_locked(spb_store_thread *self) {
    spb_action action = self->calls[self->first];
    self->first = (self->first + 1) % self->capacity;
    self->count--;
    return action;
}

static void begin_call_locked(spb_store_thread *self, spb_action_kind kind) {
    self->is_busy = true;
    self->busy = kind;
    self->since_ms = spb_clock__now().mono_ms;
}

static void end_call_locked(spb_store_thread *self) {
    uint64_t now_ms = spb_clock__now().mono_ms, took_ms = now_ms - self->since_ms;
    self->is_busy = false;
    if (took_ms > self->slowest_ms) {
        self->slowest = self->busy;
        self->slowest_ms = took_ms;
    }
    if (took_ms >= SLOW_MS) {
        self->last_slow_ms = now_ms;
        self->is_quick_again = false;
    } else if (self->told_ms > 0 && now_ms - self->last_slow_ms >= QUICK_FOR_MS) {
        self->is_quick_again = true;
    }
}

static void *run(void *context) {
    spb_store_thread *self = context;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        while (self->count == 0 && !self->is_ending) {
            spb_clock__wait(&self->wake, &self->lock, SPB_NEVER);
        }
        if (self->count == 0) {
            break;
        }
        spb_action action = take_locked(self);
        begin_call_locked(self, action.kind);
        pthread_mutex_unlock(&self->lock);
        carry_out(self->node, &action);
        pthread_mutex_lock(&self->lock);
        end_call_locked(self);
        bool is_awaited = has_answer(action.kind) || self->count == 0;
        pthread_mutex_unlock(&self->lock);
        if (is_awaited) {
            spb_mailbox__wake(&self->node->mailbox);
        }
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

int spb_store_thread__begin(spb_store_thread *self) {
    self->is_ending = false; /* nobody else looks */
    int failure = spb_thread__start(&self->thread, run, self);
    self->has_thread = failure == 0;
    return failure;
}

void spb_store_thread__end(spb_store_thread *self) {
    pthread_mutex_lock(&self->lock);
    self->is_ending = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
}

void spb_store_thread__join(spb_store_thread *self) {
    if (self->has_thread) {
        pthread_join(self->thread, NULL);
        self->has_thread = false;
    }
}

/* ---- the queue ---- */

/* For one more. False: no memory. */
static bool make_room_locked(spb_store_thread *self) {
    if (self->count < self->capacity) {
        return true;
    }
    spb_action *calls = calloc(2 * self->capacity, sizeof *calls);
    if (!calls) {
        return false;
    }
    for (size_t i = 0; i < self->count; i++) {
        calls[i] = self->calls[(self->first + i) % self->capacity];
    }
    free(self->calls);
    self->calls = calls;
    self->first = 0;
    self->capacity *= 2;
    return true;
}

void spb_store_thread__put(spb_store_thread *self, const spb_action *action) {
    if (!self->has_thread) {
        carry_out(self->node, action);
        return;
    }
    bool is_answered = has_answer(action->kind);
    pthread_mutex_lock(&self->lock);
    bool must_fail = self->has_lost && action->kind == SPB_ACTION_COMMIT;
    bool is_taken = !must_fail && make_room_locked(self);
    if (is_taken) {
        self->calls[(self->first + self->count++) % self->capacity] = *action;
        pthread_cond_signal(&self->wake);
    } else {
        self->has_lost = !must_fail && (self->has_lost || !is_answered);
    }
    pthread_mutex_unlock(&self->lock);
    if (!is_taken && is_answered) {
        give_answer(self->node, action, &(answer){.status = SPB_ERR_NO_MEMORY, .reason = "out of memory"});
    }
}

bool spb_store_thread__is_idle(spb_store_thread *self) {
    pthread_mutex_lock(&self->lock);
    bool is_idle = self->count == 0 && !self->is_busy;
    pthread_mutex_unlock(&self->lock);
    return is_idle;
}

spb_status spb_store_thread__init(spb_store_thread *self, spb_node *node, spb_error *err) {
    *self = (spb_store_thread){.node = node, .capacity = FIRST_CAPACITY};
    self->calls = calloc(self->capacity, sizeof *self->calls);
    if (!self->calls) {
        return spb_error__no_memory(err, "the queue of the store");
    }
    if (pthread_mutex_init(&self->lock, NULL)) {
        free(self->calls);
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the lock of the store's thread");
    }
    if (spb_clock__init_cond(&self->wake)) {
        pthread_mutex_destroy(&self->lock);
        free(self->calls);
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the condition variable of the store's thread");
    }
    return SPB_OK;
}

void spb_store_thread__clear(spb_store_thread *self) {
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self->calls);
}

/* ---- a slow disk ---- */

static const char *name_of(spb_action_kind kind) {
    switch (kind) {
    case SPB_ACTION_SAVE_BDSEQ: return "save_bdseq";
    case SPB_ACTION_SAVE_ALIASES: return "save_aliases";
    case SPB_ACTION_APPEND: return "append";
    case SPB_ACTION_COMMIT: return "commit";
    case SPB_ACTION_READ: return "read";
    case SPB_ACTION_CONFIRM: return "confirm";
    case SPB_ACTION_KEEP: return "keep";
    case SPB_ACTION_EXPIRE: return "expire";
    default: return "save_clock";
    }
}

static uint64_t next_told_ms(const spb_store_thread *self) {
    return self->told_ms > 0 ? MUCH_SLOWER * self->told_ms : SLOW_MS;
}

bool spb_store_thread__take_news(spb_store_thread *self, uint64_t now_ms, spb_log_level *level, char *text,
                                 size_t capacity) {
    pthread_mutex_lock(&self->lock);
    uint64_t so_far_ms = self->is_busy && now_ms > self->since_ms ? now_ms - self->since_ms : 0;
    bool goes_on = so_far_ms > self->slowest_ms;
    uint64_t took_ms = goes_on ? so_far_ms : self->slowest_ms;
    const char *name = name_of(goes_on ? self->busy : self->slowest);
    bool is_slow = took_ms >= next_told_ms(self), is_news = is_slow || self->is_quick_again;
    self->slowest_ms = 0;
    if (is_slow) {
        *level = SPB_LOG_WARNING;
        snprintf(text, capacity, "the store is slow: its %s %s %" PRIu64 " ms; what waits for it comes later", name,
                 goes_on ? "has not returned for" : "took", took_ms);
        self->told_ms = took_ms;
    } else if (self->is_quick_again) {
        *level = SPB_LOG_INFO;
        snprintf(text, capacity, "the store is quick again");
        self->told_ms = 0;
    }
    self->is_quick_again = false;
    pthread_mutex_unlock(&self->lock);
    return is_news;
}

uint64_t spb_store_thread__news_ms(spb_store_thread *self) {
    pthread_mutex_lock(&self->lock);
    uint64_t at_ms = self->is_busy ? self->since_ms + next_told_ms(self) : SPB_NEVER;
    pthread_mutex_unlock(&self->lock);
    return at_ms;
}
