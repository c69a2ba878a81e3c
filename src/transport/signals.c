/* Decides what becomes of a SIGPIPE that paho causes: nothing. */
#include "transport/signals.h"

#include <semaphore.h>
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

static void *wait_for_end(void *arg) {
    while (sem_wait(arg) != 0) {
    }
    return NULL;
}

bool spb_signals__can_start_two(void) {
    pthread_t threads[2];
    size_t count = 0;
    sem_t end;
    if (sem_init(&end, 0, 0) != 0) {
        return true; /* nothing is known */
    }
    while (count < 2 && spb_thread__start(&threads[count], wait_for_end, &end) == 0) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        sem_post(&end);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    sem_destroy(&end);
    return count == 2;
}
