/* Any bytes as the file of a store, which the first one tells: 0, the file alone; 1, the file and its log, with the
 * length of the file in the next four; 2, likewise with a journal. All that is done with a store is done with it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/store_ordeal.h"

#define MOST_BYTES 400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);

static char directory[64], path[100];

static void remove_files(void) {
    DIR *listing = opendir(directory);
    if (!listing) {
        abort();
    }
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(listing), entry->d_name, 0);
        }
    }
    closedir(listing);
}

static void leave(void) {
    remove_files();
    rmdir(directory);
}

static void make_directory(void) {
    bool has_memory = access("/dev/shm", W_OK) == 0;
    snprintf(directory, sizeof directory, "%s/spb-fuzz-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
    if (!mkdtemp(directory) || atexit(leave) != 0) {
        abort();
    }
    snprintf(path, sizeof path, "%s/node.spb", directory);
}

static void write_file(const char *suffix, const uint8_t *bytes, size_t size) {
    char name[120];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        abort();
    }
}

static void write_files(const uint8_t *data, size_t size) {
    int kind = data[0] % 3;
    if (kind == 0 || size < 5) {
        write_file("", data + 1, size - 1);
        return;
    }
    size_t len = (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | data[4];
    len = len < size - 5 ? len : size - 5;
    write_file("", data + 5, len);
    write_file(kind == 1 ? "-wal" : "-journal", data + 5 + len, size - 5 - len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > MOST_BYTES) {
        return 0;
    }
    if (!directory[0]) {
        make_directory();
    }
    write_files(data, size);
    store_ordeal_result result;
    const char *wrong = store_ordeal(path, &result);
    if (wrong) {
        fprintf(stderr, "fuzz_store: %s\n", wrong);
        abort();
    }
    remove_files();
    return 0;
}

/* ---- how the fuzzer changes a file ---- */

static uint64_t random_state;

static size_t next_random(size_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % below;
}

/* Pages are empty for the most part; what is in them is worth a change. */
static size_t choose_place(const uint8_t *data, size_t size) {
    size_t at = next_random(size);
    for (int i = 0; i < 1000 && data[at] == 0; i++) {
        at = next_random(size);
    }
    return at + next_random(3) < size ? at + next_random(size - at < 3 ? size - at : 3) : at;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed) {
    static const uint8_t odd[] = {0x00, 0x01, 0x02, 0x05, 0x0a, 0x0d, 0x7f, 0x80, 0xff};
    random_state = seed;
    if (size == 0) {
        data[0] = 0;
        return capacity > 0 ? 1 : 0;
    }
    for (size_t i = 1 + next_random(4); i > 0; i--) {
        size_t at = choose_place(data, size), len = 1 + next_random(9), from = choose_place(data, size);
        len = len < size - at ? len : size - at;
        len = len < size - from ? len : size - from;
        switch (next_random(next_random(20) ? 4 : 5)) {
        case 0: data[at] ^= (uint8_t)(1 << next_random(8)); break;
        case 1: memset(data + at, odd[next_random(sizeof odd)], len); break;
        case 2: memmove(data + at, data + from, len); break;
        case 3: data[at] = (uint8_t)(data[at] + 1 - 2 * next_random(2)); break;
        default: size -= size > 4096 ? next_random(4096) : 0;
        }
    }
    return size;
}
