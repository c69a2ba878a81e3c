#include "support/failing_heap.h"

#include <stdatomic.h>
#include <stdbool.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

/* Threads of a test allocate, too. */
static atomic_size_t count, fail_at;
static atomic_long held;

void failing_heap_fail_at(size_t n) {
    fail_at = n;
    count = 0;
    held = 0;
}

size_t failing_heap_count(void) {
    return count;
}

long failing_heap_held(void) {
    return held;
}

static bool fails(void) {
    return ++count == fail_at;
}

static void *hold(void *memory) {
    held += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : hold(__real_malloc(size));
}

void *__wrap_calloc(size_t items, size_t size) {
    return fails() ? NULL : hold(__real_calloc(items, size));
}

void *__wrap_realloc(void *memory, size_t size) {
    if (fails()) {
        return NULL;
    }
    void *moved = __real_realloc(memory, size);
    held += memory == NULL && moved != NULL;
    return moved;
}

void __wrap_free(void *memory) {
    held -= memory != NULL;
    __real_free(memory);
}
