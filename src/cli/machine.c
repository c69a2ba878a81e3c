/* Decides what is measured and how it is called. How the kernel's files are read is left to kernel_file.c and
 * sensors.c; when, and what becomes of the readings, to cmd_edge.c. */
#include "cli/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/kernel_file.h"
#include "cli/sensors.h"

enum {
    NAME_SIZE = 256,
    MAX_CPUS = 4096,
    SECTOR_BYTES = 512 /* of /proc/diskstats, whatever the sectors of the disk are */
};

typedef struct cpu {
    uint64_t busy_ticks, idle_ticks;
    bool is_known; /* it was seen before */
    bool has_use;
    double use_percent;
} cpu;

struct machine {
    machine_roots roots;
    cpu *cpus; /* [0] all together, [n + 1] number n */
    size_t cpu_count;
    machine_reading_fn each; /* of the read that is under way */
    void *user;
};

static void report(const machine *m, spb_value value, const char *unit, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void report(const machine *m, spb_value value, const char *unit, const char *format, ...) {
    char name[NAME_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    m->each(&(machine_reading){.name = name, .unit = unit, .value = value}, m->user);
}

/* To 0.1 %, so that a machine at rest is a quiet one. */
static double percent(uint64_t part, uint64_t whole) {
    return (double)(uint64_t)((double)part / (double)whole * 1000 + 0.5) / 10;
}

static void read_text(const machine *m, const char *path, const char *name) {
    char text[NAME_SIZE];
    if (kernel_file_first(text, sizeof text, m->roots.proc, path)) {
        kernel_clean(text);
        report(m, spb_string(text), NULL, "%s", name);
    }
}

static void read_uptime(const machine *m) {
    char line[NAME_SIZE];
    const char *at = line;
    double uptime_s;
    if (kernel_file_first(line, sizeof line, m->roots.proc, "uptime") && kernel_next_double(&at, &uptime_s) &&
        uptime_s >= 0 && uptime_s < 1e12) {
        report(m, spb_uint64((uint64_t)uptime_s), "s", "System/Uptime");
    }
}

static void read_load(const machine *m) {
    static const char *const names[] = {"1 min", "5 min", "15 min"};
    char line[NAME_SIZE];
    const char *at = line;
    double load;
    if (!kernel_file_first(line, sizeof line, m->roots.proc, "loadavg")) {
        return;
    }
    for (size_t i = 0; i < 3 && kernel_next_double(&at, &load); i++) {
        report(m, spb_double(load), NULL, "System/Load/%s", names[i]);
    }
}

static bool read_u64s(const char **at, uint64_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!kernel_next_u64(at, &numbers[i])) {
            return false;
        }
    }
    return true;
}

static cpu *cpu_at(machine *m, size_t index) {
    if (index >= m->cpu_count) {
        cpu *more = index <= MAX_CPUS ? realloc(m->cpus, (index + 1) * sizeof *more) : NULL;
        if (!more) {
            return NULL;
        }
        memset(more + m->cpu_count, 0, (index + 1 - m->cpu_count) * sizeof *more);
        m->cpus = more;
        m->cpu_count = index + 1;
    }
    return &m->cpus[index];
}

/* Some of the kernel's counters step back now and then. */
static uint64_t growth(uint64_t before, uint64_t now) {
    return now > before ? now - before : 0;
}

/* at: user nice system idle iowait irq softirq steal; the two of guests are contained in user and nice. */
static bool update_cpu(cpu *c, const char *at) {
    uint64_t ticks[8];
    if (!read_u64s(&at, ticks, 8)) {
        return false;
    }
    uint64_t idle = ticks[3] + ticks[4];
    uint64_t busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
    uint64_t more_busy = growth(c->busy_ticks, busy), more_idle = growth(c->idle_ticks, idle);
    if (c->is_known && more_busy + more_idle > 0) {
        c->use_percent = percent(more_busy, more_busy + more_idle);
        c->has_use = true;
    }
    c->busy_ticks = busy;
    c->idle_ticks = idle;
    c->is_known = true;
    return true;
}

/* A line cpu… of /proc/stat, behind these letters. */
static void read_cpu(machine *m, const char *at) {
    uint64_t number = 0;
    bool is_all = *at == ' ';
    if (!is_all && (!kernel_next_u64(&at, &number) || number >= MAX_CPUS)) {
        return;
    }
    cpu *c = cpu_at(m, is_all ? 0 : (size_t)number + 1);
    if (!c || !update_cpu(c, at)) {
        return;
    }
    spb_value use = c->has_use ? spb_double(c->use_percent) : spb_null(SPB_DOUBLE);
    if (is_all) {
        report(m, use, "%", "System/CPU/Use");
    } else {
        report(m, use, "%", "System/CPU/%u/Use", (unsigned)number);
    }
}

static void read_stat(machine *m) {
    kernel_file file;
    if (!kernel_file_open(&file, m->roots.proc, "stat")) {
        return;
    }
    const char *at;
    while ((at = kernel_file_next(&file))) {
        char key[KERNEL_WORD_SIZE];
        uint64_t number;
        if (strncmp(at, "cpu", 3) == 0) {
            read_cpu(m, at + 3);
        } else if (!kernel_next_word(&at, key) || !kernel_next_u64(&at, &number)) {
            continue;
        } else if (strcmp(key, "btime") == 0 && number < INT64_MAX / 1000) {
            report(m, spb_datetime(number * 1000), NULL, "System/Boot Time");
        } else if (strcmp(key, "procs_running") == 0 && number <= UINT32_MAX) {
            report(m, spb_uint32((uint32_t)number), NULL, "System/Processes/Running");
        } else if (strcmp(key, "procs_blocked") == 0 && number <= UINT32_MAX) {
            report(m, spb_uint32((uint32_t)number), NULL, "System/Processes/Blocked");
        }
    }
    kernel_file_close(&file);
}

static void count_processes(const machine *m) {
    DIR *proc = opendir(m->roots.proc);
    if (!proc) {
        return;
    }
    uint32_t count = 0;
    for (struct dirent *entry; (entry = readdir(proc));) {
        count += isdigit((unsigned char)*entry->d_name) != 0;
    }
    closedir(proc);
    if (count > 0) {
        report(m, spb_uint32(count), NULL, "System/Processes/Total");
    }
}

/* Total and what is left of it, in bytes, and the share that is used. */
static void report_space(const machine *m, const char *name, uint64_t total, const char *rest_name, uint64_t rest) {
    report(m, spb_uint64(total), "B", "System/%s/Total", name);
    report(m, spb_uint64(rest), "B", "System/%s/%s", name, rest_name);
    if (total > 0 && rest <= total) {
        report(m, spb_double(percent(total - rest, total)), "%", "System/%s/Used", name);
    }
}

static void read_memory(const machine *m) {
    enum { TOTAL, AVAILABLE, SWAP_TOTAL, SWAP_FREE, COUNT };
    static const char *const keys[COUNT] = {"MemTotal:", "MemAvailable:", "SwapTotal:", "SwapFree:"};
    uint64_t bytes[COUNT] = {0};
    bool found[COUNT] = {false};
    kernel_file file;
    if (!kernel_file_open(&file, m->roots.proc, "meminfo")) {
        return;
    }
    const char *at;
    while ((at = kernel_file_next(&file))) {
        char key[KERNEL_WORD_SIZE];
        uint64_t kib;
        if (!kernel_next_word(&at, key) || !kernel_next_u64(&at, &kib) || kib > UINT64_MAX / 1024) {
            continue;
        }
        for (size_t i = 0; i < COUNT; i++) {
            if (strcmp(key, keys[i]) == 0) {
                bytes[i] = kib * 1024;
                found[i] = true;
            }
        }
    }
    kernel_file_close(&file);
    if (found[TOTAL] && found[AVAILABLE]) {
        report_space(m, "Memory", bytes[TOTAL], "Available", bytes[AVAILABLE]);
    }
    if (found[SWAP_TOTAL] && found[SWAP_FREE]) {
        report_space(m, "Swap", bytes[SWAP_TOTAL], "Free", bytes[SWAP_FREE]);
    }
}

static void read_file_system(const machine *m) {
    struct statvfs fs;
    if (statvfs(m->roots.disk, &fs) != 0 || fs.f_blocks == 0 || fs.f_bfree > fs.f_blocks) {
        return;
    }
    uint64_t block_bytes = fs.f_frsize, used = fs.f_blocks - fs.f_bfree;
    report(m, spb_uint64(fs.f_blocks * block_bytes), "B", "System/File System/Total");
    report(m, spb_uint64(fs.f_bavail * block_bytes), "B", "System/File System/Free");
    if (used + fs.f_bavail > 0) { /* as df does: what is reserved for root is neither used nor free */
        report(m, spb_double(percent(used, used + fs.f_bavail)), "%", "System/File System/Used");
    }
}

/* Partitions, and devices made of other ones (loop, dm, md, zram), have no `device`; they would count bytes twice. */
static bool is_whole_disk(const machine *m, const char *name) {
    char path[KERNEL_PATH_SIZE];
    int len = snprintf(path, sizeof path, "%s/block/%s/device", m->roots.sys, name);
    return len > 0 && len < KERNEL_PATH_SIZE && access(path, F_OK) == 0;
}

static void read_disk(const machine *m, const char *at) {
    uint64_t numbers[2], counters[7]; /* major, minor; reads, merged, sectors, ms, writes, merged, sectors */
    char name[KERNEL_WORD_SIZE];
    if (!read_u64s(&at, numbers, 2) || !kernel_next_word(&at, name) || !read_u64s(&at, counters, 7) ||
        !is_whole_disk(m, name)) {
        return;
    }
    kernel_clean(name);
    report(m, spb_uint64(counters[2] * SECTOR_BYTES), "B", "System/Disk/%s/Read", name);
    report(m, spb_uint64(counters[6] * SECTOR_BYTES), "B", "System/Disk/%s/Written", name);
}

static void read_disks(const machine *m) {
    kernel_file file;
    if (!kernel_file_open(&file, m->roots.proc, "diskstats")) {
        return;
    }
    const char *line;
    while ((line = kernel_file_next(&file))) {
        read_disk(m, line);
    }
    kernel_file_close(&file);
}

/* The loopback says nothing of the network; veth interfaces come and go with each container, under ever new names. */
static bool is_wanted_interface(const char *name) {
    return strcmp(name, "lo") != 0 && strncmp(name, "veth", 4) != 0;
}

static void read_interface(const machine *m, const char *at) {
    static const struct {
        size_t index;
        const char *name, *unit;
    } wanted[] = {{0, "Received", "B"},          {8, "Sent", "B"},
                  {1, "Packets Received", NULL}, {9, "Packets Sent", NULL},
                  {2, "Receive Errors", NULL},   {10, "Send Errors", NULL}};
    uint64_t counters[11]; /* received: bytes, packets, errors and five more; sent: bytes, packets, errors */
    char name[KERNEL_WORD_SIZE];
    if (!kernel_next_word(&at, name) || !is_wanted_interface(name) || !read_u64s(&at, counters, 11)) {
        return;
    }
    kernel_clean(name);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        report(m, spb_uint64(counters[wanted[i].index]), wanted[i].unit, "System/Network/%s/%s", name, wanted[i].name);
    }
}

static void read_network(const machine *m) {
    kernel_file file;
    if (!kernel_file_open(&file, m->roots.proc, "net/dev")) {
        return;
    }
    char *line;
    while ((line = kernel_file_next(&file))) {
        char *colon = strchr(line, ':'); /* the two head lines have none */
        if (colon) {
            *colon = ' ';
            read_interface(m, line);
        }
    }
    kernel_file_close(&file);
}

static void report_temperature(const char *chip, const char *label, double celsius, void *user) {
    report(user, spb_double(celsius), "°C", "System/Temperature/%s/%s", chip, label);
}

/* ---- */

machine *machine_new(const machine_roots *roots) {
    machine *m = calloc(1, sizeof *m);
    if (m) {
        m->roots = *roots;
    }
    return m;
}

void machine_free(machine *m) {
    if (m) {
        free(m->cpus);
        free(m);
    }
}

void machine_read(machine *m, machine_reading_fn each, void *user) {
    m->each = each;
    m->user = user;
    read_text(m, "sys/kernel/hostname", "System/Host Name");
    read_text(m, "sys/kernel/osrelease", "System/Kernel");
    read_uptime(m);
    read_load(m);
    read_stat(m);
    count_processes(m);
    read_memory(m);
    read_file_system(m);
    read_disks(m);
    read_network(m);
    sensors_read(m->roots.sys, report_temperature, m);
}
