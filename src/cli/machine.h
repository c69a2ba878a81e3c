/*
 * Measurements of the machine that the program runs on, from what a Linux kernel tells in /proc and /sys.
 *
 * What the kernel does not tell, or tells in a form that is not understood, is not reported. So the set of readings may
 * change from one call to the next: CPUs, disks, network interfaces and sensors come and go.
 */
#ifndef SPB_CLI_MACHINE_H
#define SPB_CLI_MACHINE_H

#include <spb/value.h>

/* Where to look. */
typedef struct machine_roots {
    const char *proc; /* /proc */
    const char *sys;  /* /sys */
    const char *disk; /* a file or directory of the file system to be measured: / */
} machine_roots;

#define MACHINE_ROOTS_INIT                                                                                             \
    { .proc = "/proc", .sys = "/sys", .disk = "/" }

/* One measurement; borrowed for the call. The datatype of a name never changes. */
typedef struct machine_reading {
    const char *name; /* System/CPU/0/Use; valid UTF-8; a name may come twice: the first one counts */
    const char *unit; /* NULL: none */
    spb_value value;  /* null: there will be a value, but not yet */
} machine_reading;

typedef void (*machine_reading_fn)(const machine_reading *reading, void *user);

typedef struct machine machine;

/* The strings of `roots` must outlive it. NULL: no memory. Use it from one thread at a time. */
machine *machine_new(const machine_roots *roots);
void machine_free(machine *m);
/* Measures, and calls `each` for every reading, in the same order each time. CPU use is that since the call before. */
void machine_read(machine *m, machine_reading_fn each, void *user);

#endif
