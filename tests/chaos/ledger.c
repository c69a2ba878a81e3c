/* Decides how records lie in the file of the ledger. It knows nothing of what they say. */
#include "chaos/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The topic follows, with its NUL, and the payload. */
typedef struct record_head {
    uint64_t time_ms;
    uint32_t payload_len;
    uint16_t topic_len;
    uint16_t is_mark;
} record_head;

bool chaos_ledger_write(int file, const chaos_record *record) {
    record_head head = {.time_ms = record->time_ms,
                        .payload_len = (uint32_t)record->payload_len,
                        .topic_len = (uint16_t)strlen(record->topic),
                        .is_mark = record->is_mark};
    struct iovec parts[] = {{.iov_base = &head, .iov_len = sizeof head},
                            {.iov_base = (void *)record->topic, .iov_len = (size_t)head.topic_len + 1},
                            {.iov_base = (void *)record->payload, .iov_len = record->payload_len}};
    ssize_t len = (ssize_t)(parts[0].iov_len + parts[1].iov_len + parts[2].iov_len);
    ssize_t written = writev(file, parts, 3);
    if (written >= 0 && written != len) {
        errno = ENOSPC;
    }
    return written == len;
}

bool chaos_ledger_read(chaos_ledger *ledger, const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    *ledger = (chaos_ledger){.bytes = NULL};
    if (file < 0 || fstat(file, &status) != 0) {
        return false;
    }
    ledger->len = (size_t)status.st_size;
    void *bytes = ledger->len > 0 ? mmap(NULL, ledger->len, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
    close(file);
    if (bytes == MAP_FAILED) {
        return false;
    }
    ledger->bytes = bytes;
    return true;
}

bool chaos_ledger_next(chaos_ledger *ledger, chaos_record *out) {
    record_head head;
    size_t left = ledger->len - ledger->position;
    if (left < sizeof head) {
        return false;
    }
    const uint8_t *at = ledger->bytes + ledger->position;
    memcpy(&head, at, sizeof head);
    size_t len = sizeof head + head.topic_len + 1 + head.payload_len;
    if (left < len) {
        return false;
    }
    at += sizeof head;
    *out = (chaos_record){.time_ms = head.time_ms,
                          .is_mark = head.is_mark != 0,
                          .topic = (const char *)at,
                          .payload = at + head.topic_len + 1,
                          .payload_len = head.payload_len};
    ledger->position += len;
    return true;
}

void chaos_ledger_free(chaos_ledger *ledger) {
    if (ledger->bytes) {
        munmap(ledger->bytes, ledger->len);
    }
}

int chaos_ledger_append_to(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    chaos_ledger ledger;
    chaos_record record;
    if (file < 0 || !chaos_ledger_read(&ledger, path)) {
        return -1;
    }
    while (chaos_ledger_next(&ledger, &record)) {
    }
    int failure = ftruncate(file, (off_t)ledger.position);
    chaos_ledger_free(&ledger);
    return failure ? -1 : file;
}
