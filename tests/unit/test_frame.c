/* Where TCP is in a frame: link layers, tags, IP headers, and everything that ends too early. */
#include <check.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "capture/frame.h"
#include "support/suite.h"

/* Ports 40000 and 1883, seq 0x01020304, ack 0x05060708, PSH and ACK; `data` behind it. */
#define TCP(...) 0x9C, 0x40, 0x07, 0x5B, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0, __VA_ARGS__
#define IPV4(total) 0x45, 0, 0, (total), 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9
#define MACS 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4

typedef struct frame_example {
    const char *name;
    int link_type;
    size_t len;
    uint8_t bytes[112];
} frame_example;

#define EXAMPLE(name, link_type, ...)                                                                                  \
    {                                                                                                                  \
        name, link_type, sizeof((const uint8_t[]){__VA_ARGS__}), {                                                     \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

/* Each holds the same segment with the data "ab" between 10.0.0.1 and 10.0.0.9. */
static const frame_example examples[] = {
    EXAMPLE("Ethernet", DLT_EN10MB, MACS, 8, 0, IPV4(42), TCP('a', 'b')),
    EXAMPLE("padding of a small frame", DLT_EN10MB, MACS, 8, 0, IPV4(42), TCP('a', 'b'), 0, 0, 0, 0),
    EXAMPLE("VLAN", DLT_EN10MB, MACS, 0x81, 0, 0, 7, 8, 0, IPV4(42), TCP('a', 'b')),
    EXAMPLE("QinQ", DLT_EN10MB, MACS, 0x88, 0xA8, 0, 5, 0x81, 0, 0, 7, 8, 0, IPV4(42), TCP('a', 'b')),
    EXAMPLE("old QinQ", DLT_EN10MB, MACS, 0x91, 0, 0, 5, 0x81, 0, 0, 7, 8, 0, IPV4(42), TCP('a', 'b')),
    EXAMPLE("loopback", DLT_NULL, 2, 0, 0, 0, IPV4(42), TCP('a', 'b')),
    EXAMPLE("loopback of OpenBSD", DLT_LOOP, 0, 0, 0, 2, IPV4(42), TCP('a', 'b')),
    EXAMPLE("raw", DLT_RAW, IPV4(42), TCP('a', 'b')),
    EXAMPLE("raw IPv4", DLT_IPV4, IPV4(42), TCP('a', 'b')),
    EXAMPLE("cooked", DLT_LINUX_SLL, 0, 0, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0, 8, 0, IPV4(42), TCP('a', 'b')),
    EXAMPLE("cooked, version 2", DLT_LINUX_SLL2, 8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0, IPV4(42),
            TCP('a', 'b')),
    EXAMPLE("left to the network card to cut", DLT_RAW, IPV4(0), TCP('a', 'b')),
    EXAMPLE("IP options", DLT_RAW, 0x46, 0, 0, 46, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9, 1, 1, 1, 1,
            TCP('a', 'b')),
    EXAMPLE("TCP options", DLT_RAW, IPV4(46), 0x9C, 0x40, 0x07, 0x5B, 1, 2, 3, 4, 5, 6, 7, 8, 0x60, 0x18, 0xFF, 0xFF, 0,
            0, 0, 0, 1, 1, 1, 1, 'a', 'b'),
};
enum { EXAMPLE_COUNT = sizeof examples / sizeof *examples };

static frame_result read(const frame_example *e, size_t len, segment *out) {
    uint8_t *copy = malloc(len > 0 ? len : 1); /* exactly as long, for sanitizers */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, e->bytes, len);
    frame_result result = frame_read(e->link_type, (spb_bytes){copy, len}, out);
    if (result == FRAME_SEGMENT && out->data.len == 2) {
        ck_assert_mem_eq(out->data.data, "ab", 2);
    }
    free(copy);
    return result;
}

START_TEST(the_segment_is_found) {
    segment g;
    ck_assert(frame_knows(examples[_i].link_type));
    ck_assert_msg(read(&examples[_i], examples[_i].len, &g) == FRAME_SEGMENT, "%s", examples[_i].name);
    ck_assert_uint_eq(g.from.family, 4);
    ck_assert_mem_eq(g.from.bytes, "\x0A\0\0\1", 4);
    ck_assert_mem_eq(g.to.bytes, "\x0A\0\0\x09", 4);
    ck_assert_uint_eq(g.from.port, 40000);
    ck_assert_uint_eq(g.to.port, 1883);
    ck_assert_uint_eq(g.seq, 0x01020304);
    ck_assert_uint_eq(g.ack, 0x05060708);
    ck_assert_uint_eq(g.flags, 0x18);
    ck_assert_uint_eq(g.data.len, 2);
    ck_assert_uint_eq(g.data_bytes, 2);
}
END_TEST

START_TEST(cut_anywhere_it_is_none_or_has_less_data) {
    for (size_t len = 0; len < examples[_i].len; len++) {
        segment g;
        frame_result result = read(&examples[_i], len, &g);
        ck_assert(result == FRAME_OTHER || result == FRAME_SEGMENT);
        if (result == FRAME_SEGMENT) {
            ck_assert_uint_le(g.data.len, 2);
            ck_assert_uint_le(g.data.len, g.data_bytes);
        }
    }
}
END_TEST

#define ADDRESSES_6                                                                                                    \
    0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9

START_TEST(ipv6_with_extension_headers) {
    static const frame_example plain = EXAMPLE("", DLT_RAW, 0x60, 0, 0, 0, 0, 22, 6, 64, ADDRESSES_6, TCP('a', 'b'));
    static const frame_example extended =
        EXAMPLE("", DLT_IPV6, 0x60, 0, 0, 0, 0, 54, 0, 64, ADDRESSES_6, /* hop by hop */ 60, 0, 1, 4, 0, 0, 0, 0,
                /* destination, 16 bytes */ 51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                /* authentication, 8 bytes */ 6, 0, 0, 0, 0, 0, 0, 0, TCP('a', 'b'));
    segment g;
    ck_assert(read(&plain, plain.len, &g) == FRAME_SEGMENT);
    ck_assert_uint_eq(g.from.family, 6);
    ck_assert_uint_eq(g.to.bytes[15], 9);
    ck_assert_uint_eq(g.data.len, 2);
    ck_assert(read(&extended, extended.len, &g) == FRAME_SEGMENT);
    ck_assert_uint_eq(g.data.len, 2);
    ck_assert_uint_eq(g.to.port, 1883);
}
END_TEST

START_TEST(fragments_are_told_apart) {
    static const frame_example first =
        EXAMPLE("", DLT_RAW, 0x45, 0, 0, 42, 0, 1, 0x20, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9, TCP('a', 'b'));
    static const frame_example last =
        EXAMPLE("", DLT_RAW, 0x45, 0, 0, 42, 0, 1, 0, 5, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9, TCP('a', 'b'));
    static const frame_example whole =
        EXAMPLE("", DLT_RAW, 0x45, 0, 0, 42, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9, TCP('a', 'b'));
    static const frame_example of_6 =
        EXAMPLE("", DLT_RAW, 0x60, 0, 0, 0, 0, 30, 44, 64, ADDRESSES_6, 6, 0, 0, 1, 0, 0, 0, 1, TCP('a', 'b'));
    segment g;
    ck_assert(read(&first, first.len, &g) == FRAME_FRAGMENT);
    ck_assert(read(&last, last.len, &g) == FRAME_FRAGMENT);
    ck_assert(read(&whole, whole.len, &g) == FRAME_SEGMENT); /* "do not fragment" */
    ck_assert(read(&of_6, of_6.len, &g) == FRAME_FRAGMENT);
}
END_TEST

START_TEST(other_things_are_none) {
    static const frame_example others[] = {
        EXAMPLE("ARP", DLT_EN10MB, MACS, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1),
        EXAMPLE("UDP", DLT_RAW, 0x45, 0, 0, 42, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9, TCP('a', 'b')),
        EXAMPLE("a header of no length", DLT_RAW, 0x40, 0, 0, 42, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
                TCP('a', 'b')),
        EXAMPLE("longer header than packet", DLT_RAW, 0x4F, 0, 0, 42, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
                TCP('a', 'b')),
        EXAMPLE("TCP header of no length", DLT_RAW, IPV4(42), 0x9C, 0x40, 0x07, 0x5B, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0x18,
                0xFF, 0xFF, 0, 0, 0, 0, 'a', 'b'),
        EXAMPLE("IP version 5", DLT_RAW, 0x55, 0, 0, 42, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
                TCP('a', 'b')),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        segment g;
        ck_assert_msg(read(&others[i], others[i].len, &g) == FRAME_OTHER, "%s", others[i].name);
    }
    ck_assert(!frame_knows(DLT_IEEE802_11));
}
END_TEST

START_TEST(a_packet_that_was_cut_tells_how_long_it_was) {
    static const frame_example cut = EXAMPLE("", DLT_RAW, IPV4(240), TCP('a', 'b'));
    segment g;
    ck_assert(read(&cut, cut.len, &g) == FRAME_SEGMENT);
    ck_assert_uint_eq(g.data.len, 2);
    ck_assert_uint_eq(g.data_bytes, 200);
}
END_TEST

int main(void) {
    TCase *frames = tcase_create("frames");
    tcase_add_loop_test(frames, the_segment_is_found, 0, EXAMPLE_COUNT);
    tcase_add_loop_test(frames, cut_anywhere_it_is_none_or_has_less_data, 0, EXAMPLE_COUNT);
    tcase_add_test(frames, ipv6_with_extension_headers);
    tcase_add_test(frames, fragments_are_told_apart);
    tcase_add_test(frames, other_things_are_none);
    tcase_add_test(frames, a_packet_that_was_cut_tells_how_long_it_was);
    Suite *suite = suite_create("frame");
    suite_add_tcase(suite, frames);
    return suite_run(suite);
}
