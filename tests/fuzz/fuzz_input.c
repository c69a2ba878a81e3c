/* Any bytes as what `spb decode` reads; the first one chooses the format. Every record is looked at, to its end. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_input: %s\n", what);
        abort();
    }
}

/* A pipe holds 64 KiB, so that writing all of it first cannot block. */
static int pipe_with(const uint8_t *data, size_t size) {
    int ends[2];
    demand(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size, "no pipe");
    close(ends[1]);
    return ends[0];
}

static void read_all(input *in) {
    static volatile uint8_t sum; /* so that the bytes are read */
    input_status status;
    do {
        input_record record;
        spb_error err = {.status = SPB_OK};
        status = input_next(in, &record, &err);
        demand(status != INPUT_BAD || err.text[0] != '\0', "a damaged record without a text");
        demand(status != INPUT_FAILED, err.text);
        for (size_t i = 0; status == INPUT_RECORD && i < record.payload.len; i++) {
            sum = (uint8_t)(sum + record.payload.data[i]);
        }
        for (size_t i = 0; status == INPUT_RECORD && i < record.topic.len; i++) {
            sum = (uint8_t)(sum + (uint8_t)record.topic.data[i]);
        }
    } while (status != INPUT_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 32768) {
        return 0;
    }
    int fd = pipe_with(data + 1, size - 1);
    input in;
    input_init(&in, fd, (input_format)(data[0] % (INPUT_TSV + 1)), NULL, NULL);
    read_all(&in);
    input_clear(&in);
    close(fd);
    return 0;
}
