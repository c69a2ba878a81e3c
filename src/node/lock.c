/* Decides in which order the parts of a node's lock are taken. What they guard is said by their users. */
#include "node/lock.h"

#include "base/error.h"
#include "node/clock.h"

static void destroy_lanes(spb_lock *lock, size_t count) {
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_destroy(&lock->lanes[i].lock);
    }
}

spb_status spb_lock__init(spb_lock *lock, spb_error *err) {
    *lock = (spb_lock){.session = NULL};
    for (size_t i = 0; i < SPB_LANES; i++) {
        if (pthread_mutex_init(&lock->lanes[i].lock, NULL)) {
            destroy_lanes(lock, i);
            return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the lock of the node");
        }
    }
    if (pthread_mutex_init(&lock->whole, NULL)) {
        destroy_lanes(lock, SPB_LANES);
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the lock of the node");
    }
    return SPB_OK;
}

void spb_lock__clear(spb_lock *lock) {
    pthread_mutex_destroy(&lock->whole);
    destroy_lanes(lock, SPB_LANES);
}

static void close_lanes(spb_lock *lock) {
    for (size_t i = 0; i < SPB_LANES; i++) {
        pthread_mutex_lock(&lock->lanes[i].lock);
    }
    for (size_t i = 0; i < SPB_LANES; i++) {
        if (lock->lanes[i].tally.accepted > 0) {
            spb_session__settle(lock->session, &lock->lanes[i].tally);
        }
    }
}

static void open_lanes(spb_lock *lock) {
    for (size_t i = SPB_LANES; i-- > 0;) {
        pthread_mutex_unlock(&lock->lanes[i].lock);
    }
}

void spb_lock__take(spb_lock *lock) {
    pthread_mutex_lock(&lock->whole);
    close_lanes(lock);
}

void spb_lock__give(spb_lock *lock) {
    open_lanes(lock);
    pthread_mutex_unlock(&lock->whole);
}

bool spb_lock__wait(spb_lock *lock, pthread_cond_t *cond, uint64_t deadline_ms) {
    open_lanes(lock);
    bool is_in_time = spb_clock__wait(cond, &lock->whole, deadline_ms);
    close_lanes(lock);
    return is_in_time;
}

spb_lane *spb_lock__take_lane(spb_lock *lock, const spb_metric *metric) {
    spb_lane *lane = &lock->lanes[spb_metric__lane(metric) % SPB_LANES];
    pthread_mutex_lock(&lane->lock);
    return lane;
}

void spb_lock__give_lane(spb_lane *lane) {
    pthread_mutex_unlock(&lane->lock);
}
