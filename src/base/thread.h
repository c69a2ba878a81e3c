/* Threads of the library. Only rooms that touch the world have some. */
#ifndef SPB_BASE_THREAD_H
#define SPB_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create, for a thread that takes no signals: those of the program are for its own threads. 0, or the
 * system's error number: there is no thread. */
int spb_thread__start(pthread_t *thread, void *(*run)(void *context), void *context);

#endif
