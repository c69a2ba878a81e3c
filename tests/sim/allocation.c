/* The linker puts these in the place of malloc, calloc, realloc and strdup (--wrap), in the session's code as well. */
#include "sim/allocation.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

static uint64_t *random_state;
static unsigned chance;
static bool has_failed;

void sim_allocation_arm(uint64_t *random, unsigned permille) {
    random_state = random;
    chance = permille;
    has_failed = false;
}

bool sim_allocation_disarm(void) {
    chance = 0;
    return has_failed;
}

static bool fails(void) {
    if (chance == 0) {
        return false;
    }
    uint64_t x = *random_state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *random_state = x;
    bool does = (x >> 32) % 1000 < chance;
    has_failed |= does;
    return does;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : __real_strdup(text);
}
