/* Decides how the system's name for a run of the machine, a UUID as text, becomes a number. */
#include "node/boot.h"

#include <stdio.h>

#define FNV_START UINT64_C(0xCBF29CE484222325) /* FNV-1a */
#define FNV_PRIME UINT64_C(0x100000001B3)

uint64_t spb_boot__id(const char *path) {
    char text[64];
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0;
    }
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    uint64_t id = FNV_START;
    for (size_t i = 0; i < len; i++) {
        id = (id ^ (unsigned char)text[i]) * FNV_PRIME;
    }
    return len == 0 ? 0 : id == 0 ? 1 : id; /* 0 means: not known */
}
