/* Decides which temperatures there are and how they are called. How a line becomes a number is left to
 * kernel_file.c. */
#include "cli/sensors.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kernel_file.h"

enum { MAX_CHIPS = 64 };

static const double absolute_zero_c = -273.15;

typedef struct search {
    const char *sys;
    sensors_fn each;
    void *user;
    char chips[MAX_CHIPS][KERNEL_WORD_SIZE]; /* seen so far */
    size_t chip_count;
    size_t monitor_count; /* the first of them are hardware monitors */
} search;

static size_t count_chips(const search *s, size_t among, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < among; i++) {
        count += strcmp(s->chips[i], name) == 0;
    }
    return count;
}

/* Gives a chip its own name: the second of a kind is "nvme 2". False: there are too many chips. */
static bool add_chip(search *s, const char *name, char own[2 * KERNEL_WORD_SIZE]) {
    if (s->chip_count == MAX_CHIPS) {
        return false;
    }
    size_t before = count_chips(s, s->chip_count, name);
    memcpy(s->chips[s->chip_count++], name, strlen(name) + 1);
    snprintf(own, (size_t)2 * KERNEL_WORD_SIZE, before > 0 ? "%s %zu" : "%s", name, before + 1);
    return true;
}

static bool join(char path[KERNEL_PATH_SIZE], const char *directory, const char *name) {
    int len = snprintf(path, KERNEL_PATH_SIZE, "%s/%s", directory, name);
    return len > 0 && len < KERNEL_PATH_SIZE;
}

static bool read_name(const search *s, const char *directory, const char *file, char name[KERNEL_WORD_SIZE]) {
    char path[KERNEL_PATH_SIZE];
    if (!join(path, directory, file) || !kernel_file_first(name, KERNEL_WORD_SIZE, s->sys, path)) {
        return false;
    }
    kernel_clean(name);
    return true;
}

/* A file with thousandths of a degree. */
static void read_temperature(const search *s, const char *directory, const char *file, const char *chip,
                             const char *label) {
    char text[KERNEL_WORD_SIZE];
    const char *at = text;
    double milli;
    if (read_name(s, directory, file, text) && kernel_next_double(&at, &milli) && milli / 1000 >= absolute_zero_c) {
        s->each(chip, label, milli / 1000, s->user);
    }
}

typedef void (*visit_fn)(search *s, const char *directory, const char *entry, const char *chip);

/* Visits the entries of a directory that begin with `prefix`, by name. `chip` is passed on. */
static void walk(search *s, const char *directory, const char *prefix, visit_fn visit, const char *chip) {
    char path[KERNEL_PATH_SIZE];
    struct dirent **entries;
    int count = join(path, s->sys, directory) ? scandir(path, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        return;
    }
    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, prefix, strlen(prefix)) == 0) {
            visit(s, directory, entries[i]->d_name, chip);
        }
        free(entries[i]);
    }
    free(entries);
}

/* hwmonN/tempM_input, with a name in tempM_label if the chip has one. */
static void visit_input(search *s, const char *directory, const char *entry, const char *chip) {
    char file[KERNEL_WORD_SIZE], label[KERNEL_WORD_SIZE];
    size_t len = strcspn(entry, "_");
    if (strcmp(entry + len, "_input") != 0 || len + sizeof "_label" > sizeof file) {
        return;
    }
    snprintf(file, sizeof file, "%.*s_label", (int)len, entry);
    if (!read_name(s, directory, file, label)) {
        snprintf(label, sizeof label, "%.*s", (int)len, entry);
    }
    read_temperature(s, directory, entry, chip, label);
}

static void visit_monitor(search *s, const char *directory, const char *entry, const char *chip) {
    char path[KERNEL_PATH_SIZE], name[KERNEL_WORD_SIZE], own[2 * KERNEL_WORD_SIZE];
    (void)chip;
    if (join(path, directory, entry) && read_name(s, path, "name", name) && add_chip(s, name, own)) {
        walk(s, path, "temp", visit_input, own);
    }
}

/* The kernel shows many zones as hardware monitors too, under the same name with '_' for '-'. */
static bool is_monitor(const search *s, const char *name) {
    char other[KERNEL_WORD_SIZE];
    size_t len = 0;
    for (; name[len] && len < sizeof other - 1; len++) {
        other[len] = name[len] == '-' ? '_' : name[len];
    }
    other[len] = '\0';
    return count_chips(s, s->monitor_count, other) > 0;
}

static void visit_zone(search *s, const char *directory, const char *entry, const char *chip) {
    char path[KERNEL_PATH_SIZE], name[KERNEL_WORD_SIZE], own[2 * KERNEL_WORD_SIZE];
    (void)chip;
    if (join(path, directory, entry) && read_name(s, path, "type", name) && !is_monitor(s, name) &&
        add_chip(s, name, own)) {
        read_temperature(s, path, "temp", own, "temp1");
    }
}

void sensors_read(const char *sys, sensors_fn each, void *user) {
    search s = {.sys = sys, .each = each, .user = user};
    walk(&s, "class/hwmon", "hwmon", visit_monitor, NULL);
    s.monitor_count = s.chip_count;
    walk(&s, "class/thermal", "thermal_zone", visit_zone, NULL);
}
