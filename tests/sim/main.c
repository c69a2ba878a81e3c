/*
 * sim [--seeds N] [--seed S] [--steps N] [--level live|outage|durable] [--trace]
 *
 * Runs N seeds from 1 (or from S), or the seed S alone, at one delivery level or at all. A seed that breaks a rule is
 * run once more for its last events, which are printed; so is the command that repeats it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/sim.h"

#define DEFAULT_SEEDS 1000
#define DEFAULT_STEPS 500
#define TAIL 120

/* ---- the last events of a run ---- */

typedef struct tail {
    char lines[TAIL][512];
    size_t count;
} tail;

static void remember(void *context, const char *line) {
    tail *t = context;
    snprintf(t->lines[t->count++ % TAIL], sizeof t->lines[0], "%s", line);
}

static void print_tail(const tail *t) {
    for (size_t i = t->count > TAIL ? t->count - TAIL : 0; i < t->count; i++) {
        printf("%s\n", t->lines[i % TAIL]);
    }
}

static void print_line(void *context, const char *line) {
    (void)context;
    printf("%s\n", line);
}

/* ---- a crash must name its seed, too ---- */

static char crash_text[64];

static void on_crash(int number) {
    ssize_t written = write(STDERR_FILENO, crash_text, strlen(crash_text));
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

/* ---- runs ---- */

typedef struct totals {
    uint64_t actions, checks, steps, joined;
} totals;

typedef struct arguments {
    uint64_t seeds, first, steps;
    spb_delivery level;
    bool has_trace;
} arguments;

/* True when no rule was broken. */
static bool run(const arguments *args, uint64_t seed, void (*trace)(void *, const char *), void *context, totals *sum) {
    static sim world;
    world = (sim){.trace = trace, .trace_context = context, .wanted_level = args->level};
    snprintf(crash_text, sizeof crash_text, "sim: seed %llu crashed\n", (unsigned long long)seed);
    sim_run(&world, seed, args->steps);
    sim_clear(&world);
    sum->actions += world.actions;
    sum->checks += world.checks;
    sum->joined += world.joined;
    sum->steps += world.steps - 1;
    if (world.has_failed && trace) {
        printf("sim: seed %llu broke a rule at step %llu\n  %s: %s\n", (unsigned long long)seed,
               (unsigned long long)world.steps, world.rule, world.failure);
    }
    return !world.has_failed;
}

static const char *const level_names[] = {"", "live", "outage", "durable"};

static void explain(const arguments *args, uint64_t seed) {
    static tail last;
    totals ignored = {0};
    last.count = 0;
    bool has_passed = run(args, seed, remember, &last, &ignored);
    print_tail(&last);
    if (has_passed) {
        printf("sim: seed %llu does not repeat\n", (unsigned long long)seed);
    }
    printf("  to repeat: sim --seed %llu --steps %llu%s%s --trace\n", (unsigned long long)seed,
           (unsigned long long)args->steps, args->level == SPB_DELIVERY_AUTO ? "" : " --level ",
           level_names[args->level]);
}

static bool parse_level(arguments *out, const char *name) {
    for (size_t i = 1; i < sizeof level_names / sizeof *level_names; i++) {
        out->level = strcmp(name, level_names[i]) == 0 ? (spb_delivery)i : out->level;
    }
    return out->level != SPB_DELIVERY_AUTO;
}

static bool parse(arguments *out, int argc, char **argv) {
    *out = (arguments){.first = 1, .steps = DEFAULT_STEPS};
    bool has_seed = false;
    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "--seeds") == 0   ? &out->seeds
                           : strcmp(argv[i], "--seed") == 0  ? &out->first
                           : strcmp(argv[i], "--steps") == 0 ? &out->steps
                                                             : NULL;
        has_seed |= number == &out->first;
        if (number && i + 1 < argc) {
            char *end;
            *number = strtoull(argv[++i], &end, 10);
            if (*end != '\0') {
                return false;
            }
        } else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc) {
            if (!parse_level(out, argv[++i])) {
                return false;
            }
        } else if (strcmp(argv[i], "--trace") == 0) {
            out->has_trace = true;
        } else {
            return false;
        }
    }
    out->seeds = out->seeds ? out->seeds : has_seed ? 1 : DEFAULT_SEEDS;
    return true;
}

int main(int argc, char **argv) {
    arguments args;
    totals sum = {0};
    if (!parse(&args, argc, argv)) {
        fprintf(stderr, "usage: sim [--seeds N] [--seed S] [--steps N] [--level live|outage|durable] [--trace]\n");
        return 2;
    }
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    for (uint64_t seed = args.first; seed < args.first + args.seeds; seed++) {
        if (!run(&args, seed, args.has_trace ? print_line : NULL, NULL, &sum)) {
            if (!args.has_trace) {
                explain(&args, seed);
            }
            return 1;
        }
    }
    printf("sim: %llu seeds passed: %llu steps, %llu actions, %llu samples took the short way, hosts questioned %llu "
           "times\n",
           (unsigned long long)args.seeds, (unsigned long long)sum.steps, (unsigned long long)sum.actions,
           (unsigned long long)sum.joined, (unsigned long long)sum.checks);
    return 0;
}
