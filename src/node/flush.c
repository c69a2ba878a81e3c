/* Decides how long a thread waits for its samples to be safe, and when it is woken. When they are is the session's
 * decision. */
#include "node/clock.h"
#include "node/node.h"

/* On the stack of the thread that waits. */
struct spb_flush_wait {
    struct spb_flush_wait *next;
    uint64_t ticket;
};

void spb_node__tell_flushes_locked(spb_node *node) {
    for (const spb_flush_wait *wait = node->flushes; wait; wait = wait->next) {
        if (spb_session_flushed(node->session, wait->ticket) != SPB_FLUSH_PENDING) {
            pthread_cond_broadcast(&node->flushed);
            return;
        }
    }
}

/* While a stop is under way it goes on: what cannot be sent any more is stored, or counted as lost. */
static bool runs_locked(const spb_node *node) {
    return node->is_wanted || node->is_stopping;
}

static spb_flush wait_locked(spb_node *node, uint64_t deadline_ms) {
    spb_flush_wait self = {.next = node->flushes, .ticket = spb_session_flush(node->session, spb_clock__now())};
    spb_flush state;
    bool is_in_time = true;
    node->flushes = &self;
    spb_mailbox__wake(&node->mailbox);
    while ((state = spb_session_flushed(node->session, self.ticket)) == SPB_FLUSH_PENDING && is_in_time &&
           runs_locked(node)) {
        is_in_time = spb_lock__wait(&node->lock, &node->flushed, deadline_ms);
    }
    spb_flush_wait **at = &node->flushes;
    while (*at != &self) {
        at = &(*at)->next;
    }
    *at = self.next;
    return state;
}

spb_status spb_node_flush(spb_node *node, uint32_t timeout_ms, spb_flush *how) {
    uint64_t deadline_ms = spb_clock__now().mono_ms + timeout_ms;
    spb_flush state = SPB_FLUSH_PENDING;
    spb_status status = SPB_ERR_STATE;
    spb_lock__take(&node->lock);
    if (runs_locked(node) && !spb_node__is_worker_locked(node)) {
        state = wait_locked(node, deadline_ms);
        status = state != SPB_FLUSH_PENDING ? SPB_OK : runs_locked(node) ? SPB_ERR_TIMEOUT : SPB_ERR_STATE;
    }
    spb_lock__give(&node->lock);
    if (how) {
        *how = state;
    }
    return status;
}
