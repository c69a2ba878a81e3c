/* Any bytes as the file of a store, which the first one tells: 0, the file alone; 1, the file and its log, with the length
 * of the file in the next four; 2, likewise with a journal. All that is done with a store is done with it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/store_ordeal.h"

#define MOST_BYTES 400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
