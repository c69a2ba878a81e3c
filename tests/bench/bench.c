/* Decides how things are measured and printed. What is measured is left to the commands. */
#include "bench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 60
#define ROUND_NS 1e6

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double round_ns(void (*run)(void *context), void *context, size_t calls) {
    double begin = now_ns();
    for (size_t i = 0; i < calls; i++) {
        run(context);
    }
    return now_ns() - begin;
}

void bench_measure(bench_run *runs, size_t count, void *context) {
    size_t calls[8] = {0};
    for (size_t i = 0; i < count; i++) {
        calls[i] = 1;
        while (round_ns(runs[i].run, context, calls[i]) < ROUND_NS) {
            calls[i] *= 2;
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            double ns = round_ns(runs[i].run, context, calls[i]) / (double)calls[i];
            runs[i].ns = round == 0 || ns < runs[i].ns ? ns : runs[i].ns;
        }
    }
}

size_t bench_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void bench_print(const bench_result *r, bool json) {
    double ratio = r->baseline_ns_per_item / r->ns_per_item;
    if (json) {
        printf("{\"bench\":\"%s\",\"ns_per_metric\":%.2f,\"baseline\":\"%s\",\"baseline_ns_per_metric\":%.2f,"
               "\"ratio\":%.2f,\"mb_per_s\":%.0f,\"heap_bytes_per_metric\":%.1f}\n",
               r->bench, r->ns_per_item, r->baseline, r->baseline_ns_per_item, ratio, r->mb_per_s,
               r->heap_bytes_per_item);
        return;
    }
    printf("%-24s %8.1f ns   %-22s %8.1f ns   %6.2f x   %6.0f MB/s", r->bench, r->ns_per_item, r->baseline,
           r->baseline_ns_per_item, ratio, r->mb_per_s);
    if (r->heap_bytes_per_item > 0) {
        printf("   %5.0f B heap", r->heap_bytes_per_item);
    }
    printf("\n");
}

static int usage(void) {
    fprintf(stderr, "usage: spb-bench codec [--json]\n");
    return 2;
}

int main(int argc, char **argv) {
    bool json = argc == 3 && strcmp(argv[2], "--json") == 0;
    if (argc < 2 || (argc > 2 && !json)) {
        return usage();
    }
    if (strcmp(argv[1], "codec") == 0) {
        return bench_codec(json);
    }
    return usage();
}
