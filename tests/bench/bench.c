/* Decides how things are measured and printed. What is measured is left to the commands. */
#include "bench.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 60
#define ROUND_NS 1e6

noreturn void bench_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "spb-bench: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_FAILURE);
}

void *bench_allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) {
        bench_fail("out of memory");
    }
    return memory;
}

/* ---- clocks ---- */

static double thread_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

uint64_t bench_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

double bench_cpu_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e9 +
           ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) * 1e3;
}

static double round_ns(void (*run)(void *context), void *context, size_t calls) {
    double begin = thread_cpu_ns();
    for (size_t i = 0; i < calls; i++) {
        run(context);
    }
    return thread_cpu_ns() - begin;
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

/* ---- memory ---- */

size_t bench_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

size_t bench_resident_bytes(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    size_t total = 0;
    size_t resident = 0;
    if (file) {
        if (fscanf(file, "%zu %zu", &total, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- results ---- */

static bool is_reached(const bench_figure *f) {
    return f->more_is_better ? f->value >= f->target : f->value <= f->target;
}

static void print_json(const bench_figure *f, double ratio) {
    printf("{\"bench\":\"%s\",\"unit\":\"%s\",\"value\":%.6g", f->name, f->unit, f->value);
    if (f->baseline) {
        printf(",\"baseline\":\"%s\",\"baseline_value\":%.6g,\"ratio\":%.3f", f->baseline, f->baseline_value, ratio);
    }
    if (f->target > 0) {
        printf(",\"target\":%.6g,\"reached\":%s", f->target, is_reached(f) ? "true" : "false");
    }
    printf("}\n");
}

static void print_text(const bench_figure *f, double ratio) {
    printf("%-44s %12.6g %-10s", f->name, f->value, f->unit);
    if (f->baseline) {
        printf(" %-20s %12.6g %7.2f x", f->baseline, f->baseline_value, ratio);
    }
    if (f->target > 0) {
        printf("   %s %.6g%s", f->more_is_better ? "at least" : "at most", f->target, is_reached(f) ? "" : ": missed");
    }
    printf("\n");
}

void bench_print(const bench_figure *f, bool json) {
    double ratio = f->more_is_better ? f->value / f->baseline_value : f->baseline_value / f->value;
    if (json) {
        print_json(f, ratio);
    } else {
        print_text(f, ratio);
    }
    fflush(stdout);
}

void bench_print_as(bench_figure figure, bool json, const char *format, ...) {
    char name[96];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    figure.name = name;
    bench_print(&figure, json);
}

/* ---- the program ---- */

static const struct command {
    const char *name;
    int (*run)(bool json);
} commands[] = {{"codec", bench_codec},         {"publish", bench_publish}, {"update", bench_update},
                {"store", bench_store},         {"latency", bench_latency}, {"scale", bench_scale},
                {"footprint", bench_footprint}, {"soak", bench_soak}};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static int usage(void) {
    fprintf(stderr, "usage: spb-bench COMMAND [--json]\ncommands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(stderr, " %s", commands[i].name);
    }
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv) {
    bool json = argc == 3 && strcmp(argv[2], "--json") == 0;
    if (argc < 2 || argc > 3 || (argc == 3 && !json)) {
        return usage();
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(json);
        }
    }
    return usage();
}
