/* The files of one store in a directory of its own, for tests. */
#ifndef SPB_TEST_STORE_FILES_H
#define SPB_TEST_STORE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spb/store.h>

extern char store_directory[64];
extern char store_path[128];

/* Makes the directory, in memory if there is such a place, and removes it with all that is in it. */
void store_files_setup(void);
void store_files_teardown(void);
void store_files_remove(void);

/* Opens the store of Plant1/Edge1, or fails the test. */
spb_store *store_files_open(const spb_store_options *options);
/* The content of the file with that suffix, from malloc; NULL: there is none. */
uint8_t *store_files_read(const char *suffix, size_t *size);
void store_files_write(const char *suffix, const uint8_t *bytes, size_t size);
/* How many files there are whose name, behind that of the store, begins like that. */
int store_files_count(const char *suffix);
/* Runs SQL on the file behind the store's back. */
void store_files_sql(const char *sql);

#endif
