/* Decides which signals threads of the library take: none. */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

int spb_thread__start(pthread_t *thread, void *(*run)(void *context), void *context) {
    sigset_t all, before; /* the thread inherits the mask */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}
