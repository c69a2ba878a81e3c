/* Decides what becomes of a SIGPIPE that paho causes: nothing. */
#include "transport/signals.h"

#include <stddef.h>
#include <time.h>

#include "base/thread.h"

static sigset_t pipe_alone(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void spb_signals__block_pipe(sigset_t *before) {
    sigset_t set = pipe_alone();
    pthread_sigmask(SIG_BLOCK, &set, before);
}

void spb_signals__restore(const sigset_t *before) {
    if (!sigismember(before, SIGPIPE)) {
        sigset_t set = pipe_alone();
        sigtimedwait(&set, NULL, &(struct timespec){0});
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

bool spb_signals__start_thread(pthread_t *thread, void *(*run)(void *arg), void *arg) {
    return spb_thread__start(thread, run, arg) == 0;
}
