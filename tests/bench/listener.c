/* Decides how arrivals are counted: MQTT frames out of the stream, metrics out of the frames. What is expected to
 * arrive is left to the benchmarks. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BUFFER_BYTES ((size_t)64 * 1024 * 1024) /* a birth of 100,000 metrics fits */
#define PATIENCE_NS UINT64_C(5000000000)
#define READ_BYTES ((size_t)256 * 1024)

/* What both processes see. */
typedef struct board {
    _Atomic uint64_t messages, samples, historical, bytes, births, birth_bytes, last_ns, latencies, out_of_order;
    uint32_t latency_ns[LISTENER_MAX_LATENCIES];
} board;

struct listener {
    board *board;
    pid_t pid;
};

/* ---- the other process ---- */

typedef struct reader {
    board *board;
    int seq; /* of the last message; -1: none */
} reader;

static void add(_Atomic uint64_t *count, uint64_t more) {
    /* One writer: no need for a locked instruction. */
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more, memory_order_relaxed);
}

static const uint8_t *read_varint(const uint8_t *p, const uint8_t *end, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        *out |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            return p;
        }
    }
    bench_fail("the listener got a damaged payload");
}

/* Behind the field; a length-delimited one is entered by the caller. */
static const uint8_t *read_field(const uint8_t *p, const uint8_t *end, unsigned *id, uint64_t *value) {
    uint64_t tag;
    p = read_varint(p, end, &tag);
    *id = (unsigned)(tag >> 3);
    switch (tag & 7) {
    case 0: return read_varint(p, end, value);
    case 1: return p + 8;
    case 2: p = read_varint(p, end, value); return p + *value;
    default: return p + 4;
    }
}

static void note_latency(board *b, uint64_t made_ns, uint64_t now_ns) {
    uint64_t count = atomic_load_explicit(&b->latencies, memory_order_relaxed);
    uint64_t took_ns = now_ns - made_ns;
    if (count < LISTENER_MAX_LATENCIES) {
        b->latency_ns[count] = took_ns < UINT32_MAX ? (uint32_t)took_ns : UINT32_MAX;
        atomic_store_explicit(&b->latencies, count + 1, memory_order_relaxed);
    }
}

static void count_metric(board *b, const uint8_t *p, const uint8_t *end, uint64_t now_ns) {
    bool is_historical = false;
    uint64_t made_ns = 0;
    while (p < end) {
        unsigned id;
        uint64_t value = 0;
        p = read_field(p, end, &id, &value);
        if (id == 5) {
            is_historical = value != 0;
        } else if (id == 11) {
            made_ns = value;
        }
    }
    add(&b->samples, 1);
    add(&b->historical, is_historical);
    if (made_ns != 0 && !is_historical) {
        note_latency(b, made_ns, now_ns);
    }
}

/* Metrics are field 2 of a payload, the sequence number is field 3. */
static void count_data(reader *r, const uint8_t *p, const uint8_t *end, uint64_t now_ns) {
    while (p < end) {
        unsigned id;
        uint64_t value = 0;
        const uint8_t *behind = read_field(p, end, &id, &value);
        if (id == 2) {
            count_metric(r->board, behind - value, behind, now_ns);
        } else if (id == 3) {
            add(&r->board->out_of_order, r->seq >= 0 && value != (uint64_t)(r->seq + 1) % 256);
            r->seq = (int)value;
        }
        p = behind;
    }
}

static void count_publish(reader *r, const uint8_t *body, size_t len, uint64_t now_ns) {
    size_t topic_len = (size_t)body[0] << 8 | body[1];
    const char *topic = (const char *)body + 2;
    const uint8_t *payload = body + 2 + topic_len;
    const uint8_t *end = body + len;
    board *b = r->board;
    if (memmem(topic, topic_len, "DATA/", 5)) {
        add(&b->messages, 1);
        add(&b->bytes, (uint64_t)(end - payload));
        count_data(r, payload, end, now_ns);
    } else if (memmem(topic, topic_len, "BIRTH/", 6)) {
        add(&b->births, 1);
        add(&b->birth_bytes, (uint64_t)(end - payload));
        r->seq = -1; /* baselines begin anew, too */
    }
}

/* Handles all whole packets; returns how many bytes those were. */
static size_t count_packets(reader *r, const uint8_t *data, size_t len) {
    uint64_t now_ns = bench_now_ns();
    size_t at = 0;
    for (;;) {
        size_t header = 1;
        size_t rest = 0;
        while (at + header < len && header <= 4) {
            uint8_t byte = data[at + header];
            rest |= (size_t)(byte & 0x7f) << 7 * (header - 1);
            header++;
            if (!(byte & 0x80)) {
                if (at + header + rest > len) {
                    return at;
                }
                if (data[at] >> 4 == 3) {
                    count_publish(r, data + at + header, rest, now_ns);
                    atomic_store(&r->board->last_ns, now_ns);
                }
                at += header + rest;
                header = 0;
                break;
            }
        }
        if (header != 0) {
            return at;
        }
    }
}

static int connect_to(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* CONNECT without keep-alive; then SUBSCRIBE spBv1.0/#, QoS 0 */
    static const uint8_t hello[] = {0x10, 20,  0,   4,   'M', 'Q', 'T', 'T', 4,   2,    0,   0, 0,
                                    8,    'l', 'i', 's', 't', 'e', 'n', 'e', 'r', 0x82, 14,  0, 1,
                                    0,    9,   's', 'p', 'B', 'v', '1', '.', '0', '/',  '#', 0};
    uint8_t answer[9]; /* CONNACK, SUBACK */
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(fd, hello, sizeof hello) != (ssize_t)sizeof hello ||
        recv(fd, answer, sizeof answer, MSG_WAITALL) != (ssize_t)sizeof answer || answer[3] != 0 || answer[8] > 2) {
        bench_fail("the listener cannot subscribe at port %u", (unsigned)port);
    }
    return fd;
}

static noreturn void listen_for_ever(reader r, int fd) {
    uint8_t *buffer = bench_allocate(BUFFER_BYTES, 1);
    size_t len = 0;
    for (;;) {
        size_t room = BUFFER_BYTES - len < READ_BYTES ? BUFFER_BYTES - len : READ_BYTES;
        ssize_t got = recv(fd, buffer + len, room, 0);
        if (got <= 0) {
            _exit(got == 0 ? 0 : 1); /* the broker has ended */
        }
        len += (size_t)got;
        size_t used = count_packets(&r, buffer, len);
        memmove(buffer, buffer + used, len - used);
        len -= used;
    }
}

/* ---- this process ---- */

listener *listener_start(uint16_t port) {
    listener *self = bench_allocate(1, sizeof *self);
    self->board = mmap(NULL, sizeof *self->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ready[2];
    if (self->board == MAP_FAILED || pipe(ready) != 0) {
        bench_fail("no memory or pipe for the listener: %s", strerror(errno));
    }
    self->pid = fork();
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = connect_to(port);
        if (write(ready[1], "", 1) != 1) {
            _exit(1);
        }
        close(ready[0]);
        close(ready[1]);
        listen_for_ever((reader){.board = self->board, .seq = -1}, fd);
    }
    close(ready[1]);
    char byte;
    if (self->pid < 0 || read(ready[0], &byte, 1) != 1) {
        bench_fail("the listener did not start");
    }
    close(ready[0]);
    return self;
}

void listener_stop(listener *self) {
    kill(self->pid, SIGTERM);
    waitpid(self->pid, NULL, 0);
    munmap(self->board, sizeof *self->board);
    free(self);
}

void listener_reset(listener *self) {
    board *b = self->board;
    b->messages = b->samples = b->historical = b->bytes = b->births = b->birth_bytes = b->latencies = 0;
    b->out_of_order = 0;
}

/* Looks every millisecond: when what came is noted by the listener itself. */
bool listener_wait(const listener *self, uint64_t samples, uint64_t births) {
    static const struct timespec moment = {.tv_nsec = 1000000};
    const board *b = self->board;
    uint64_t begin_ns = bench_now_ns();
    while (atomic_load(&b->samples) < samples || atomic_load(&b->births) < births) {
        uint64_t last_ns = atomic_load(&b->last_ns);
        if (bench_now_ns() - (last_ns > begin_ns ? last_ns : begin_ns) > PATIENCE_NS) {
            return false;
        }
        nanosleep(&moment, NULL);
    }
    return true;
}

listener_counts listener_read(const listener *self) {
    const board *b = self->board;
    return (listener_counts){.messages = b->messages,
                             .samples = b->samples,
                             .historical = b->historical,
                             .bytes = b->bytes,
                             .births = b->births,
                             .birth_bytes = b->birth_bytes,
                             .last_ns = b->last_ns,
                             .latencies = b->latencies,
                             .out_of_order = b->out_of_order};
}

const uint32_t *listener_latencies(const listener *self) {
    return self->board->latency_ns;
}

int listener_pid(const listener *self) {
    return self->pid;
}
