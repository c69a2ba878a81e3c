/*
 * The ledger: everything that the host heard, as it came, in a file. Marks between the messages tell what the faults
 * did.
 */
#ifndef CHAOS_LEDGER_H
#define CHAOS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct chaos_record {
    uint64_t time_ms; /* the true wall clock */
    bool is_mark;     /* `topic` is the text of a mark */
    const char *topic;
    const uint8_t *payload;
    size_t payload_len;
} chaos_record;

/* Opens it to append; a record that was cut off at the end, as its writer was killed, is removed. -1: errno says why.
 */
int chaos_ledger_append_to(const char *path);
/* false: errno says why. */
bool chaos_ledger_write(int file, const chaos_record *record);

typedef struct chaos_ledger {
    uint8_t *bytes;
    size_t len, position;
} chaos_ledger;

/* Reads the whole file. false: errno says why. */
bool chaos_ledger_read(chaos_ledger *ledger, const char *path);
/* The next record, borrowed from the ledger; false at the end, or where it is cut off. */
bool chaos_ledger_next(chaos_ledger *ledger, chaos_record *out);
void chaos_ledger_free(chaos_ledger *ledger);

#endif
