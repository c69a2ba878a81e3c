/* Decides how signals reach the loop of a command. */
#include "cli/patience.h"

#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#include "base/monotonic.h"

static volatile sig_atomic_t is_over, is_resized;
static sigset_t while_waiting;

static void on_signal(int number) {
    if (number == SIGWINCH) {
        is_resized = 1;
    } else {
        is_over = 1;
    }
}

void patience_begin(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaddset(&blocked, signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, &blocked, &while_waiting);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigdelset(&while_waiting, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
}

void patience_wait(int a, int b, int limit_ms, bool *a_is_readable, bool *b_is_readable) {
    struct timespec limit = {.tv_sec = limit_ms / 1000, .tv_nsec = (long)(limit_ms % 1000) * 1000000};
    fd_set readable;
    FD_ZERO(&readable);
    if (a >= 0) {
        FD_SET(a, &readable);
    }
    if (b >= 0) {
        FD_SET(b, &readable);
    }
    int count = pselect((a > b ? a : b) + 1, &readable, NULL, NULL, limit_ms >= 0 ? &limit : NULL, &while_waiting);
    *a_is_readable = count > 0 && a >= 0 && FD_ISSET(a, &readable);
    *b_is_readable = count > 0 && b >= 0 && FD_ISSET(b, &readable);
}

bool patience_is_over(void) {
    return is_over;
}

bool patience_is_resized(void) {
    bool was = is_resized;
    is_resized = 0;
    return was;
}

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t patience_now_ms(void) {
    return spb_monotonic__ms();
}

uint64_t patience_unix_ms(void) {
    return read_clock(CLOCK_REALTIME);
}
