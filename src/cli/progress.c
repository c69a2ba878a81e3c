/* Decides when a bar is worth its place, and how it looks. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/monotonic.h"

enum { CALLS_PER_LOOK = 256, FIRST_MS = 300, EVERY_MS = 100, WORTH_MS = 1000, WIDTH = 30 };

void progress_begin(progress *p, int fd) {
    struct stat file;
    bool is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size > 0;
    bool is_wanted = is_file && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    *p = (progress){.fd = is_wanted ? fd : -1,
                    .bytes = is_file ? (uint64_t)file.st_size : 0,
                    .to = stderr,
                    .now_ms = spb_monotonic__ms,
                    .started_ms = spb_monotonic__ms()};
}

static void show(progress *p, uint64_t done, uint64_t passed_ms) {
    char bar[WIDTH + 1];
    size_t filled = (size_t)(done * WIDTH / p->bytes);
    memset(bar, ' ', WIDTH);
    memset(bar, '#', filled < WIDTH ? filled : WIDTH);
    bar[WIDTH] = '\0';
    double rate = (double)done / (double)(passed_ms > 0 ? passed_ms : 1) / 1000;
    uint64_t left_s = done > 0 ? (p->bytes - done) * passed_ms / done / 1000 : 0;
    fprintf(p->to, "\r[%s] %3u %%  %.0f MB/s  %llu s left \033[K", bar, (unsigned)(done * 100 / p->bytes), rate,
            (unsigned long long)left_s);
    fflush(p->to);
    p->is_shown = true;
}

void progress_step(progress *p) {
    if (p->fd < 0 || ++p->calls % CALLS_PER_LOOK != 0) {
        return;
    }
    uint64_t now = p->now_ms();
    uint64_t passed_ms = now - p->started_ms;
    off_t at = lseek(p->fd, 0, SEEK_CUR);
    if (passed_ms < FIRST_MS || now - p->shown_ms < EVERY_MS || at <= 0) {
        return;
    }
    uint64_t done = (uint64_t)at < p->bytes ? (uint64_t)at : p->bytes;
    if (p->is_shown || passed_ms * p->bytes / done > WORTH_MS) {
        p->shown_ms = now;
        show(p, done, passed_ms);
    }
}

void progress_hide(void *user) {
    progress *p = user;
    if (p->is_shown) {
        fputs("\r\033[K", p->to);
        fflush(p->to);
        p->is_shown = false;
        p->shown_ms = 0;
    }
}
