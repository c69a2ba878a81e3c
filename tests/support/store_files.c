#include "support/store_files.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

char store_directory[64];
char store_path[128];

void store_files_setup(void) {
    bool has_memory = access("/dev/shm", W_OK) == 0;
    snprintf(store_directory, sizeof store_directory, "%s/spb-store-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(store_directory));
    snprintf(store_path, sizeof store_path, "%s/node.spb", store_directory);
}

void store_files_remove(void) {
    DIR *listing = opendir(store_directory);
    ck_assert_ptr_nonnull(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        unlinkat(dirfd(listing), entry->d_name, 0);
    }
    closedir(listing);
}

void store_files_teardown(void) {
    store_files_remove();
    rmdir(store_directory);
}

spb_store *store_files_open(const spb_store_options *options) {
    spb_store *store = NULL;
    spb_error err = {.text = ""};
    ck_assert_msg(spb_store_open(&store, store_path, "Plant1", "Edge1", options, &err) == SPB_OK, "%s", err.text);
    return store;
}

static FILE *open_file(const char *suffix, const char *mode) {
    char name[256];
    snprintf(name, sizeof name, "%s%s", store_path, suffix);
    return fopen(name, mode);
}

uint8_t *store_files_read(const char *suffix, size_t *size) {
    FILE *file = open_file(suffix, "rb");
    *size = 0;
    if (!file) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

void store_files_write(const char *suffix, const uint8_t *bytes, size_t size) {
    FILE *file = open_file(suffix, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

int store_files_count(const char *suffix) {
    char begin[128];
    snprintf(begin, sizeof begin, "node.spb%s", suffix);
    DIR *listing = opendir(store_directory);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        count += strncmp(entry->d_name, begin, strlen(begin)) == 0;
    }
    closedir(listing);
    return count;
}

void store_files_sql(const char *sql) {
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}
