/* The golden vectors of tests/data/vectors.tsv. */
#ifndef SPB_TEST_VECTORS_H
#define SPB_TEST_VECTORS_H

#include <spb/value.h>

typedef struct vector {
    spb_value value;     /* borrows from the vectors */
    const char *text;    /* the value as the file has it */
    const char *wire;    /* hex of the canonical field */
    const char *also[8]; /* further accepted forms; NULL behind the last */
    void *items;         /* private */
    void *json;          /* private */
} vector;

typedef struct vectors {
    vector *items;
    size_t count;
    char *file; /* private */
} vectors;

/* Ends the test when the file is not as its first lines say. */
vectors vectors_load(void);
void vectors_free(vectors *all);

#endif
