/* Writes payloads by chance, one file per seed: write_payloads DIRECTORY COUNT. */
#include <stdio.h>
#include <stdlib.h>

#include <spb/payload.h>

#include "base/arena.h"
#include "support/random_payload.h"

static int write_payload(const char *directory, unsigned long seed) {
    char path[4096];
    uint8_t *bytes = NULL;
    size_t len;
    spb_error err;
    spb_arena *arena = spb_arena__new((size_t)64 << 20);
    const spb_payload payload = random_payload(arena, seed);
    int failed = 1;
    snprintf(path, sizeof path, "%s/%lu", directory, seed);
    FILE *file = fopen(path, "wb");
    if (!file) {
        fprintf(stderr, "cannot write %s\n", path);
    } else if (spb_payload_encode(&payload, NULL, &bytes, &len, &err) != SPB_OK) {
        fprintf(stderr, "seed %lu: %s\n", seed, err.text);
    } else {
        failed = fwrite(bytes, 1, len, file) != len;
    }
    if (file) {
        failed |= fclose(file) != 0;
    }
    spb_free(bytes);
    spb_arena__free(arena);
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: write_payloads DIRECTORY COUNT\n");
        return 2;
    }
    for (unsigned long seed = 0; seed < strtoul(argv[2], NULL, 10) && !failed; seed++) {
        failed = write_payload(argv[1], seed);
    }
    return failed;
}
