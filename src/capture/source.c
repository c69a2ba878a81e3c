/* Decides how libpcap comes to the bytes of a file or pipe. What they hold is left to frame.c. */
#define _GNU_SOURCE /* fopencookie: some bytes were read from a pipe before it was known to be a capture */
#include "capture/source.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 256 << 10, MAGIC_BYTES = 4 };

struct source {
    int fd;
    size_t head_from, head_to; /* of `head`: what is not yet handed out */
    uint64_t bytes;
    void (*before_wait)(void *user);
    void *user;
    pcap_t *pcap;
    uint8_t head[]; /* what was read already */
};

static spb_status fail(spb_error *err, spb_status status, const char *text) {
    if (err) {
        *err = (spb_error){.status = status, .offset = SPB_NO_OFFSET};
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return status;
}

static size_t take_head(source *s, char *to, size_t size) {
    size_t left = s->head_to - s->head_from;
    size_t count = left < size ? left : size;
    memcpy(to, s->head + s->head_from, count);
    s->head_from += count;
    return count;
}

static ssize_t read_some(void *cookie, char *to, size_t size) {
    source *s = cookie;
    ssize_t got = (ssize_t)take_head(s, to, size);
    if (got == 0) {
        struct pollfd input = {.fd = s->fd, .events = POLLIN};
        if (s->before_wait && poll(&input, 1, 0) == 0) {
            s->before_wait(s->user);
        }
        do {
            got = read(s->fd, to, size);
        } while (got < 0 && errno == EINTR);
    }
    s->bytes += got > 0 ? (uint64_t)got : 0;
    return got;
}

/* libpcap closes the stream with the pcap_t; the descriptor is the caller's. */
static spb_status open_pcap(source *s, spb_error *err) {
    FILE *stream = fopencookie(s, "r", (cookie_io_functions_t){.read = read_some});
    if (!stream) {
        return fail(err, SPB_ERR_NO_MEMORY, "out of memory for the capture");
    }
    setvbuf(stream, NULL, _IOFBF, READ_SIZE);
    char text[PCAP_ERRBUF_SIZE] = "";
    s->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_MICRO, text);
    if (!s->pcap) {
        fclose(stream);
        return fail(err, SPB_ERR_MALFORMED, text);
    }
    return SPB_OK;
}

spb_status source_new(source **out, int fd, spb_bytes head, const capture_options *options, spb_error *err) {
    *out = NULL;
    source *s = calloc(1, sizeof *s + head.len);
    if (!s) {
        return fail(err, SPB_ERR_NO_MEMORY, "out of memory for the capture");
    }
    s->fd = fd;
    s->before_wait = options->before_wait;
    s->user = options->user;
    s->head_to = head.len;
    if (head.len > 0) {
        memcpy(s->head, head.data, head.len);
    }
    spb_status status = open_pcap(s, err);
    if (status != SPB_OK) {
        source_free(s);
        return status;
    }
    *out = s;
    return SPB_OK;
}

void source_free(source *s) {
    if (s) {
        if (s->pcap) {
            pcap_close(s->pcap);
        }
        free(s);
    }
}

int source_link_type(const source *s) {
    return pcap_datalink(s->pcap);
}

uint64_t source_bytes(const source *s) {
    return s->bytes;
}

capture_status source_next(source *s, source_packet *packet, spb_error *err) {
    struct pcap_pkthdr *header;
    const u_char *data;
    int got = pcap_next_ex(s->pcap, &header, &data);
    if (got == PCAP_ERROR_BREAK) {
        return CAPTURE_END;
    }
    if (got != 1) {
        (void)fail(err, SPB_ERR_MALFORMED, pcap_geterr(s->pcap));
        return CAPTURE_FAILED;
    }
    packet->time_us = (uint64_t)header->ts.tv_sec * 1000000 + (uint64_t)header->ts.tv_usec;
    packet->data = (spb_bytes){data, header->caplen};
    packet->is_cut = header->caplen < header->len;
    return CAPTURE_MORE;
}

/* The magic numbers of pcap in both byte orders, with micro- and nanoseconds and in its modified form, and of pcapng's
 * first block. */
bool capture_is_capture(spb_bytes head) {
    static const uint8_t known[][MAGIC_BYTES] = {
        {0xA1, 0xB2, 0xC3, 0xD4}, {0xD4, 0xC3, 0xB2, 0xA1}, {0xA1, 0xB2, 0x3C, 0x4D}, {0x4D, 0x3C, 0xB2, 0xA1},
        {0xA1, 0xB2, 0xCD, 0x34}, {0x34, 0xCD, 0xB2, 0xA1}, {0x0A, 0x0D, 0x0D, 0x0A}};
    size_t len = head.len < MAGIC_BYTES ? head.len : MAGIC_BYTES;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (len == 0 || memcmp(head.data, known[i], len) == 0) {
            return true;
        }
    }
    return false;
}
