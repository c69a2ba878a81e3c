/* What the benchmarks share: measuring a call, and printing what came out. */
#ifndef SPB_BENCH_H
#define SPB_BENCH_H

#include <stdbool.h>
#include <stddef.h>

/* A call to be measured, and the ns that it took: the best of several rounds, in CPU time of this thread. */
typedef struct bench_run {
    void (*run)(void *context);
    double ns;
} bench_run;

/* Measures all of them in turns, so that whatever else the machine does meets all alike. */
void bench_measure(bench_run *runs, size_t count, void *context);
/* Heap that is in use now. */
size_t bench_heap_bytes(void);

/* Compares with a baseline; per item (metric, sample, message …). */
typedef struct bench_result {
    const char *bench;
    double ns_per_item;
    const char *baseline;
    double baseline_ns_per_item;
    double mb_per_s;            /* 0: says nothing here */
    double heap_bytes_per_item; /* likewise */
} bench_result;

void bench_print(const bench_result *result, bool json);

/* The commands. They return the exit status. */
int bench_codec(bool json);

#endif
