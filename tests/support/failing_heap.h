/*
 * A heap that fails when it is told to. The test executable must be linked with --wrap for malloc, calloc, realloc and
 * free, which puts it between our code and malloc.
 */
#ifndef SPB_TEST_FAILING_HEAP_H
#define SPB_TEST_FAILING_HEAP_H

#include <stddef.h>

/* The n-th allocation from now on fails, and all after it succeed; 0: none fails. Resets the counts. */
void failing_heap_fail_at(size_t n);
/* Allocations since then, and how many more blocks were taken than given back. */
size_t failing_heap_count(void);
long failing_heap_held(void);

#endif
