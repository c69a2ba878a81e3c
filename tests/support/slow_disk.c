/*
 * To be preloaded: each sync of a file takes so many milliseconds longer as stand in the file that the environment
 * variable SLOW_DISK names. The number may change while the program runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void be_slow(void) {
    const char *path = getenv("SLOW_DISK");
    FILE *file = path ? fopen(path, "re") : NULL;
    unsigned ms = 0;
    if (file) {
        ms = fscanf(file, "%u", &ms) == 1 ? ms : 0;
        fclose(file);
    }
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int fdatasync(int fd) {
    be_slow();
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
    be_slow();
    return (int)syscall(SYS_fsync, fd);
}
