/* Decides nothing: hands everything on to the store in memory, unless the test says otherwise. */
#include "support/kept_store.h"

#include <check.h>

#include "support/deadline.h"

static spb_store *inner_of(spb_store *store) {
    return ((kept_store *)store)->inner;
}

/* Waits while commits are held up; SPB_ERR_STORE when the test's disk fails. */
static spb_status pass(kept_store *self, bool is_commit, spb_error *err) {
    pthread_mutex_lock(&self->lock);
    if (is_commit && self->holds_commit) {
        self->held++;
        pthread_cond_broadcast(&self->changed);
        while (self->holds_commit) {
            pthread_cond_wait(&self->changed, &self->lock);
        }
    }
    bool fails = self->fails;
    self->failed += fails;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (fails && err) {
        *err = (spb_error){.status = SPB_ERR_STORE, .offset = SPB_NO_OFFSET, .text = "the test's disk is full"};
    }
    return fails ? SPB_ERR_STORE : SPB_OK;
}

static spb_status load_bdseq(spb_store *store, uint8_t *bdseq, bool *found, spb_error *err) {
    return inner_of(store)->load_bdseq(inner_of(store), bdseq, found, err);
}

static spb_status save_bdseq(spb_store *store, uint8_t bdseq, spb_error *err) {
    return inner_of(store)->save_bdseq(inner_of(store), bdseq, err);
}

static spb_status load_aliases(spb_store *store, void (*each)(void *context, const spb_alias *alias), void *context,
                               spb_error *err) {
    return inner_of(store)->load_aliases(inner_of(store), each, context, err);
}

static spb_status save_aliases(spb_store *store, const spb_alias *items, size_t count, spb_error *err) {
    return inner_of(store)->save_aliases(inner_of(store), items, count, err);
}

static spb_status append(spb_store *store, const spb_block *block, spb_error *err) {
    spb_status status = pass((kept_store *)store, false, err);
    return status == SPB_OK ? inner_of(store)->append(inner_of(store), block, err) : status;
}

static spb_status confirm(spb_store *store, uint64_t first_id, uint64_t last_id, spb_error *err) {
    return inner_of(store)->confirm(inner_of(store), first_id, last_id, err);
}

static spb_status keep(spb_store *store, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err) {
    return inner_of(store)->keep(inner_of(store), kept_for, first_id, last_id, err);
}

static spb_status commit(spb_store *store, spb_error *err) {
    spb_status status = pass((kept_store *)store, true, err);
    return status == SPB_OK ? inner_of(store)->commit(inner_of(store), err) : status;
}

static spb_status read_block(spb_store *store, uint64_t from_id, spb_block *out, bool *found, spb_error *err) {
    return inner_of(store)->read(inner_of(store), from_id, out, found, err);
}

static spb_status expire(spb_store *store, uint64_t before_ms, spb_error *err) {
    return inner_of(store)->expire(inner_of(store), before_ms, err);
}

static spb_status save_clock(spb_store *store, uint64_t boot, int64_t offset_ms, spb_error *err) {
    return inner_of(store)->save_clock(inner_of(store), boot, offset_ms, err);
}

static void info(spb_store *store, spb_store_info *out) {
    inner_of(store)->info(inner_of(store), out);
    out->damage = ((kept_store *)store)->damage;
}

static void close_store(spb_store *store) {
    ((kept_store *)store)->freed++;
}

void kept_store_init(kept_store *self) {
    *self = (kept_store){.store = {.load_bdseq = load_bdseq,
                                   .save_bdseq = save_bdseq,
                                   .load_aliases = load_aliases,
                                   .save_aliases = save_aliases,
                                   .append = append,
                                   .confirm = confirm,
                                   .keep = keep,
                                   .commit = commit,
                                   .read = read_block,
                                   .expire = expire,
                                   .save_clock = save_clock,
                                   .info = info,
                                   .free = close_store}};
    ck_assert_int_eq(spb_store_new_in_memory(&self->inner, NULL, NULL), SPB_OK);
    ck_assert_int_eq(pthread_mutex_init(&self->lock, NULL), 0);
    ck_assert_int_eq(pthread_cond_init(&self->changed, NULL), 0);
}

void kept_store_clear(kept_store *self) {
    self->inner->free(self->inner);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}

void kept_store_fail(kept_store *self, bool fails) {
    pthread_mutex_lock(&self->lock);
    self->fails = fails;
    pthread_mutex_unlock(&self->lock);
}

void kept_store_hold_commit(kept_store *self, bool hold) {
    pthread_mutex_lock(&self->lock);
    self->holds_commit = hold;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void await_count(kept_store *self, const unsigned *counter, unsigned count, const char *what) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&self->lock);
    while (*counter < count && deadline_wait(&self->changed, &self->lock, &deadline)) {
    }
    unsigned noted = *counter;
    pthread_mutex_unlock(&self->lock);
    ck_assert_msg(noted >= count, "%s: %u within %d s, expected: %u", what, noted, DEADLINE_S, count);
}

void kept_store_await_failed(kept_store *self, unsigned count) {
    await_count(self, &self->failed, count, "calls that failed");
}

void kept_store_await_held(kept_store *self, unsigned count) {
    await_count(self, &self->held, count, "commits that were held up");
}
