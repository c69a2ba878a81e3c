/* What the benchmarks share: measuring a call, and printing what came out. */
#ifndef SPB_BENCH_H
#define SPB_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* Says what and ends the program. */
noreturn void bench_fail(const char *format, ...);
void *bench_allocate(size_t count, size_t size);

/* A call to be measured, and the ns that it took: the best of several rounds, in CPU time of this thread. */
typedef struct bench_run {
    void (*run)(void *context);
    double ns;
} bench_run;

/* Measures all of them in turns, so that whatever else the machine does meets all alike. */
void bench_measure(bench_run *runs, size_t count, void *context);
/* Heap that is in use now. */
size_t bench_heap_bytes(void);
/* Resident memory of a process; 0: it has ended. */
size_t bench_resident_bytes(int pid);
/* Monotonic, the same in all processes. */
uint64_t bench_now_ns(void);
/* CPU time of this process with all its threads. */
double bench_cpu_ns(void);

/* One number, and what it is held against. */
typedef struct bench_figure {
    const char *name; /* "publish/100/samples" */
    const char *unit;
    double value;
    const char *baseline; /* NULL: there is none */
    double baseline_value;
    bool more_is_better;
    double target; /* what is to be reached; 0: nothing is */
} bench_figure;

/* A line for people, or an object of JSON. `ratio` is how many times better than the baseline it is. */
void bench_print(const bench_figure *figure, bool json);
/* The same with a name made of parts. */
void bench_print_as(bench_figure figure, bool json, const char *format, ...);

/* The commands. They return the exit status. */
int bench_codec(bool json);
int bench_publish(bool json);
int bench_update(bool json);
int bench_store(bool json);
int bench_latency(bool json);
int bench_scale(bool json);
int bench_soak(bool json);
int bench_footprint(bool json);

#endif
