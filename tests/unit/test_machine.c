/* What is measured of a machine: a whole fixture of /proc and /sys, and files that are missing or odd. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/machine.h"
#include "support/suite.h"

enum { MAX_READINGS = 128, MAX_FILES = 16 };

typedef struct reading {
    char name[128], unit[8], text[64];
    spb_value value;
} reading;

static reading readings[MAX_READINGS];
static size_t reading_count;

static void keep(const machine_reading *from, void *user) {
    ck_assert_ptr_eq(user, readings);
    ck_assert_uint_lt(reading_count, MAX_READINGS);
    reading *to = &readings[reading_count++];
    *to = (reading){.value = from->value};
    ck_assert_uint_lt(strlen(from->name), sizeof to->name);
    strcpy(to->name, from->name);
    strcpy(to->unit, from->unit ? from->unit : "");
    if (from->value.type == SPB_STRING) {
        ck_assert_uint_lt(from->value.as.str.len, sizeof to->text);
        memcpy(to->text, from->value.as.str.data, from->value.as.str.len);
    }
}

static void measure(machine *m) {
    reading_count = 0;
    machine_read(m, keep, readings);
}

static const reading *find(const char *name) {
    for (size_t i = 0; i < reading_count; i++) {
        if (strcmp(readings[i].name, name) == 0) {
            return &readings[i];
        }
    }
    return NULL;
}

static const reading *expect(const char *name, spb_type type, const char *unit) {
    const reading *found = find(name);
    ck_assert_msg(found != NULL, "no %s", name);
    ck_assert_int_eq(found->value.type, type);
    ck_assert_str_eq(found->unit, unit);
    return found;
}

static void expect_double(const char *name, const char *unit, double wanted) {
    const reading *found = expect(name, SPB_DOUBLE, unit);
    ck_assert(!found->value.is_null);
    ck_assert_double_eq(found->value.as.f64, wanted);
}

static void expect_uint(const char *name, spb_type type, const char *unit, uint64_t wanted) {
    const reading *found = expect(name, type, unit);
    ck_assert(!found->value.is_null);
    ck_assert_uint_eq(found->value.as.u64, wanted);
}

static void expect_text(const char *name, const char *wanted) {
    ck_assert_str_eq(expect(name, SPB_STRING, "")->text, wanted);
}

static size_t count(const char *prefix) {
    size_t found = 0;
    for (size_t i = 0; i < reading_count; i++) {
        found += strncmp(readings[i].name, prefix, strlen(prefix)) == 0;
    }
    return found;
}

/* ---- the fixture ---- */

static machine *fixture;

static void read_fixture(void) {
    static const machine_roots roots = {
        .proc = TEST_DATA_DIR "/proc-fixture/proc", .sys = TEST_DATA_DIR "/proc-fixture/sys", .disk = TEST_DATA_DIR};
    fixture = machine_new(&roots);
    ck_assert_ptr_nonnull(fixture);
    measure(fixture);
}

static void free_fixture(void) {
    machine_free(fixture);
}

START_TEST(names_and_times) {
    expect_text("System/Host Name", "press-hall-7");
    expect_text("System/Kernel", "6.1.0-28-amd64");
    expect_uint("System/Uptime", SPB_UINT64, "s", 1422);
    expect_uint("System/Boot Time", SPB_DATETIME, "", UINT64_C(1763827200000));
}
END_TEST

START_TEST(load_and_processes) {
    expect_double("System/Load/1 min", "", 0.20);
    expect_double("System/Load/5 min", "", 1.07);
    expect_double("System/Load/15 min", "", 12.5);
    expect_uint("System/Processes/Total", SPB_UINT32, "", 3);
    expect_uint("System/Processes/Running", SPB_UINT32, "", 3);
    expect_uint("System/Processes/Blocked", SPB_UINT32, "", 1);
}
END_TEST

START_TEST(memory_and_swap) {
    expect_uint("System/Memory/Total", SPB_UINT64, "B", UINT64_C(16384000) * 1024);
    expect_uint("System/Memory/Available", SPB_UINT64, "B", UINT64_C(12288000) * 1024);
    expect_double("System/Memory/Used", "%", 25);
    expect_uint("System/Swap/Total", SPB_UINT64, "B", UINT64_C(2000000) * 1024);
    expect_uint("System/Swap/Free", SPB_UINT64, "B", UINT64_C(1500000) * 1024);
    expect_double("System/Swap/Used", "%", 25);
}
END_TEST

START_TEST(file_system) {
    uint64_t total = expect("System/File System/Total", SPB_UINT64, "B")->value.as.u64;
    ck_assert_uint_gt(total, 0);
    ck_assert_uint_le(expect("System/File System/Free", SPB_UINT64, "B")->value.as.u64, total);
    double used = expect("System/File System/Used", SPB_DOUBLE, "%")->value.as.f64;
    ck_assert(used >= 0 && used <= 100);
}
END_TEST

START_TEST(whole_disks_only) {
    ck_assert_uint_eq(count("System/Disk/"), 4);
    expect_uint("System/Disk/sda/Read", SPB_UINT64, "B", UINT64_C(2789170) * 512);
    expect_uint("System/Disk/sda/Written", SPB_UINT64, "B", UINT64_C(1375632) * 512);
    expect_uint("System/Disk/nvme0n1/Read", SPB_UINT64, "B", 3 * 512);
    expect_uint("System/Disk/nvme0n1/Written", SPB_UINT64, "B", 7 * 512);
}
END_TEST

START_TEST(interfaces_but_lo_and_veth) {
    ck_assert_uint_eq(count("System/Network/"), 12);
    expect_uint("System/Network/eth0/Received", SPB_UINT64, "B", 101319698);
    expect_uint("System/Network/eth0/Packets Received", SPB_UINT64, "", 2564);
    expect_uint("System/Network/eth0/Receive Errors", SPB_UINT64, "", 7);
    expect_uint("System/Network/eth0/Sent", SPB_UINT64, "B", 136780);
    expect_uint("System/Network/eth0/Packets Sent", SPB_UINT64, "", 1402);
    expect_uint("System/Network/eth0/Send Errors", SPB_UINT64, "", 8);
    expect_uint("System/Network/wlan0/Received", SPB_UINT64, "B", UINT64_MAX);
}
END_TEST

START_TEST(temperatures) {
    ck_assert_uint_eq(count("System/Temperature/"), 6);
    expect_double("System/Temperature/coretemp/Package id 0", "°C", 54);
    expect_double("System/Temperature/coretemp/Core 0_left", "°C", 51.5);
    expect_double("System/Temperature/nvme/temp1", "°C", 38.85);
    expect_double("System/Temperature/nvme 2/temp1", "°C", -1.25);
    expect_double("System/Temperature/cpu_thermal/temp1", "°C", 60.123);
    expect_double("System/Temperature/acpitz/temp1", "°C", 27.8);
}
END_TEST

START_TEST(cpus_have_no_use_at_first) {
    ck_assert_uint_eq(count("System/CPU/"), 3);
    ck_assert(expect("System/CPU/Use", SPB_DOUBLE, "%")->value.is_null);
    ck_assert(expect("System/CPU/0/Use", SPB_DOUBLE, "%")->value.is_null);
    ck_assert(expect("System/CPU/2/Use", SPB_DOUBLE, "%")->value.is_null);
}
END_TEST

START_TEST(same_order_each_time) {
    static reading before[MAX_READINGS];
    memcpy(before, readings, sizeof before);
    size_t before_count = reading_count;
    measure(fixture);
    ck_assert_uint_eq(reading_count, before_count);
    for (size_t i = 0; i < reading_count; i++) {
        ck_assert_str_eq(readings[i].name, before[i].name);
    }
}
END_TEST

/* ---- files of a temporary directory ---- */

static char directory[] = "/tmp/spb-machine-XXXXXX";
static char files[MAX_FILES][128];
static size_t file_count;
static machine *made;

static void make_directory(void) {
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    file_count = 0;
    made = machine_new(&(machine_roots){.proc = directory, .sys = directory, .disk = "/nowhere"});
    ck_assert_ptr_nonnull(made);
}

static void remove_directory(void) {
    machine_free(made);
    while (file_count > 0) {
        ck_assert_int_eq(remove(files[--file_count]), 0);
    }
    ck_assert_int_eq(rmdir(directory), 0);
}

static void write_bytes(const char *name, const char *content, size_t len) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (access(path, F_OK) != 0) {
        ck_assert_uint_lt(file_count, MAX_FILES);
        strcpy(files[file_count++], path);
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_text(const char *name, const char *content) {
    write_bytes(name, content, strlen(content));
}

static void make_subdirectory(const char *name) {
    ck_assert_uint_lt(file_count, MAX_FILES);
    snprintf(files[file_count], sizeof *files, "%s/%s", directory, name);
    ck_assert_int_eq(mkdir(files[file_count++], 0700), 0);
}

START_TEST(cpu_use_is_the_difference) {
    write_text("stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 100 0 100 800 0 0 0 0 0 0\n");
    measure(made);
    ck_assert(expect("System/CPU/0/Use", SPB_DOUBLE, "%")->value.is_null);
    write_text("stat", "cpu  110 5 105 860 10 3 3 4 9 9\ncpu0 100 0 100 900 0 0 0 0 0 0\ncpu1 1 1 1 1 1 1 1 1 1 1\n");
    measure(made);
    expect_double("System/CPU/Use", "%", 30); /* 30 busy, 70 idle or waiting; guests are not counted twice */
    expect_double("System/CPU/0/Use", "%", 0);
    ck_assert(expect("System/CPU/1/Use", SPB_DOUBLE, "%")->value.is_null);
}
END_TEST

START_TEST(cpu_use_stays_when_no_tick_passed) {
    write_text("stat", "cpu  0 0 0 0 0 0 0 0\n");
    measure(made);
    write_text("stat", "cpu  1 0 0 2 0 0 0 0\n");
    measure(made);
    expect_double("System/CPU/Use", "%", 33.3);
    measure(made);
    expect_double("System/CPU/Use", "%", 33.3);
}
END_TEST

START_TEST(cpu_counters_may_step_back) {
    write_text("stat", "cpu  500 0 0 500 90 0 0 0\n");
    measure(made);
    write_text("stat", "cpu  510 0 0 500 80 0 0 0\n");
    measure(made);
    expect_double("System/CPU/Use", "%", 100);
}
END_TEST

START_TEST(odd_cpu_lines_are_left_out) {
    write_text("stat", "cpu\ncpu \ncpu0\ncpu1 1 2 3\ncpu2 1 2 x 4 5 6 7 8\ncpu99999999 1 2 3 4 5 6 7 8\n"
                       "cpu3 1 2 3 99999999999999999999999 5 6 7 8\ncpu-1 1 2 3 4 5 6 7 8\ncpux 1 2 3 4 5 6 7 8\n"
                       "btime soon\nprocs_running 5000000000\nprocs_blocked -1\n");
    measure(made);
    ck_assert_uint_eq(reading_count, 0);
}
END_TEST

START_TEST(nothing_there_nothing_read) {
    measure(made);
    ck_assert_uint_eq(reading_count, 0);
}
END_TEST

START_TEST(empty_files_read_nothing) {
    static const char *const names[] = {"loadavg", "uptime", "stat", "meminfo", "diskstats"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_text(names[i], "");
    }
    measure(made);
    ck_assert_uint_eq(reading_count, 0);
}
END_TEST

START_TEST(directories_for_files_read_nothing) {
    static const char *const names[] = {"loadavg", "uptime", "stat", "meminfo", "diskstats"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_subdirectory(names[i]);
    }
    measure(made);
    ck_assert_uint_eq(reading_count, 0);
}
END_TEST

START_TEST(noise_reads_nothing) {
    static const char *const names[] = {"loadavg", "uptime", "stat", "meminfo", "diskstats"};
    static char noise[70000];
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (char)(i * 7 + 1);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_bytes(names[i], noise, sizeof noise);
    }
    measure(made);
    ck_assert_uint_eq(reading_count, 0);
}
END_TEST

START_TEST(odd_numbers_are_left_out) {
    write_text("loadavg", "nan inf 1\n");
    write_text("uptime", "-3.5 1\n");
    write_text("meminfo", "MemTotal: 99999999999999999999 kB\nMemAvailable: 5 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
    write_text("diskstats", "8 0 sda 1 2 3\n8 0 sda 1 2 3 4 5 6 7x\nsda\n");
    measure(made);
    ck_assert_uint_eq(reading_count, 2);
    expect_uint("System/Swap/Total", SPB_UINT64, "B", 0); /* no swap: no share of it */
    expect_uint("System/Swap/Free", SPB_UINT64, "B", 0);
}
END_TEST

START_TEST(names_are_made_printable) {
    make_subdirectory("sys");
    make_subdirectory("sys/kernel");
    write_text("sys/kernel/hostname", "caf\xe9/\x1b[31m two\n");
    make_subdirectory("net");
    write_text("net/dev", "\xff\xfe:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nshort: 1 2 3\n: 1 2 3 4 5 6 7 8 9 10 11\n");
    measure(made);
    expect_text("System/Host Name", "caf___[31m two");
    ck_assert_uint_eq(count("System/Network/__/"), 6);
    ck_assert_uint_eq(count("System/Network/"), 6);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine");
    TCase *whole = tcase_create("fixture");
    tcase_add_checked_fixture(whole, read_fixture, free_fixture);
    tcase_add_test(whole, names_and_times);
    tcase_add_test(whole, load_and_processes);
    tcase_add_test(whole, memory_and_swap);
    tcase_add_test(whole, file_system);
    tcase_add_test(whole, whole_disks_only);
    tcase_add_test(whole, interfaces_but_lo_and_veth);
    tcase_add_test(whole, temperatures);
    tcase_add_test(whole, cpus_have_no_use_at_first);
    tcase_add_test(whole, same_order_each_time);
    suite_add_tcase(suite, whole);

    TCase *odd = tcase_create("files");
    tcase_add_checked_fixture(odd, make_directory, remove_directory);
    tcase_add_test(odd, cpu_use_is_the_difference);
    tcase_add_test(odd, cpu_use_stays_when_no_tick_passed);
    tcase_add_test(odd, cpu_counters_may_step_back);
    tcase_add_test(odd, odd_cpu_lines_are_left_out);
    tcase_add_test(odd, nothing_there_nothing_read);
    tcase_add_test(odd, empty_files_read_nothing);
    tcase_add_test(odd, directories_for_files_read_nothing);
    tcase_add_test(odd, noise_reads_nothing);
    tcase_add_test(odd, odd_numbers_are_left_out);
    tcase_add_test(odd, names_are_made_printable);
    suite_add_tcase(suite, odd);

    return suite_run(suite);
}
