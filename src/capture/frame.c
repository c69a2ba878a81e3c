/* Decides where TCP is in a frame. What the segments mean for a stream is left to stream.c. */
#include "capture/frame.h"

#include <pcap/dlt.h>
#include <string.h>

#include "capture/bytes.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86DD,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88A8,
    ETHERTYPE_QINQ_OLD = 0x9100,
    MAX_VLAN_TAGS = 8
};

enum { PROTOCOL_TCP = 6, MAX_EXTENSIONS = 16 };

bool frame_knows(int link_type) {
    switch (link_type) {
    case DLT_EN10MB:
    case DLT_NULL:
    case DLT_LOOP:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2: return true;
    default: return false;
    }
}

/* ---- TCP ---- */

/* `ip_bytes`: what the IP packet holds, of which `ip` was captured. */
static frame_result read_tcp(cursor ip, size_t ip_bytes, segment *out) {
    enum { TCP_HEADER = 20 };
    out->from.port = cursor_u16(&ip);
    out->to.port = cursor_u16(&ip);
    out->seq = cursor_u32(&ip);
    out->ack = cursor_u32(&ip);
    size_t header_bytes = (size_t)(cursor_u8(&ip) >> 4) * 4;
    out->flags = cursor_u8(&ip);
    (void)cursor_take(&ip, TCP_HEADER - 14); /* window, checksum, urgent pointer */
    if (ip.is_short || header_bytes < TCP_HEADER || header_bytes > ip_bytes) {
        return FRAME_OTHER;
    }
    out->data = bytes_after(ip.left, header_bytes - TCP_HEADER);
    out->data_bytes = ip_bytes - header_bytes;
    out->data.len = out->data.len < out->data_bytes ? out->data.len : out->data_bytes;
    return FRAME_SEGMENT;
}

/* ---- IP ---- */

static void set_address(capture_address *address, uint8_t family, spb_bytes bytes) {
    address->family = family;
    memset(address->bytes, 0, sizeof address->bytes);
    if (bytes.len > 0) {
        memcpy(address->bytes, bytes.data, bytes.len);
    }
}

/* A length of 0 is that of a packet which the network card was to cut into segments: all that is there belongs to it.
 * What follows a shorter packet is the padding of a small Ethernet frame. */
static frame_result read_ipv4(cursor frame, segment *out) {
    size_t frame_bytes = frame.left.len;
    size_t header_bytes = (size_t)(cursor_u8(&frame) & 15) * 4;
    (void)cursor_u8(&frame);
    size_t total = cursor_u16(&frame);
    (void)cursor_u16(&frame);
    uint16_t fragment = cursor_u16(&frame);
    (void)cursor_u8(&frame);
    uint8_t protocol = cursor_u8(&frame);
    (void)cursor_u16(&frame);
    set_address(&out->from, 4, cursor_take(&frame, 4));
    set_address(&out->to, 4, cursor_take(&frame, 4));
    total = total == 0 ? frame_bytes : total;
    if (frame.is_short || protocol != PROTOCOL_TCP || header_bytes < 20 || header_bytes > total) {
        return FRAME_OTHER;
    }
    if ((fragment & 0x3FFF) != 0) { /* more fragments, or not the first one */
        return FRAME_FRAGMENT;
    }
    (void)cursor_take(&frame, header_bytes - 20);
    return frame.is_short ? FRAME_OTHER : read_tcp(frame, total - header_bytes, out);
}

/* Walks the extension headers (RFC 8200, 4). */
static frame_result read_ipv6_next(cursor frame, uint8_t next, size_t ip_bytes, segment *out) {
    enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60, MOBILITY = 135 };
    for (int i = 0; i < MAX_EXTENSIONS && next != PROTOCOL_TCP; i++) {
        if (next == FRAGMENT) {
            return FRAME_FRAGMENT;
        }
        if (next != HOP_BY_HOP && next != ROUTING && next != AUTHENTICATION && next != DESTINATION &&
            next != MOBILITY) {
            return FRAME_OTHER;
        }
        bool is_authentication = next == AUTHENTICATION;
        next = cursor_u8(&frame);
        size_t len = cursor_u8(&frame);
        len = is_authentication ? (len + 2) * 4 : (len + 1) * 8;
        (void)cursor_take(&frame, len - 2);
        if (frame.is_short || len > ip_bytes) {
            return FRAME_OTHER;
        }
        ip_bytes -= len;
    }
    return next == PROTOCOL_TCP ? read_tcp(frame, ip_bytes, out) : FRAME_OTHER;
}

static frame_result read_ipv6(cursor frame, segment *out) {
    (void)cursor_u32(&frame);
    size_t ip_bytes = cursor_u16(&frame);
    uint8_t next = cursor_u8(&frame);
    (void)cursor_u8(&frame);
    set_address(&out->from, 6, cursor_take(&frame, 16));
    set_address(&out->to, 6, cursor_take(&frame, 16));
    if (frame.is_short) {
        return FRAME_OTHER;
    }
    return read_ipv6_next(frame, next, ip_bytes == 0 ? frame.left.len : ip_bytes, out);
}

static frame_result read_ip(cursor frame, segment *out) {
    uint8_t version = frame.left.len > 0 ? frame.left.data[0] >> 4 : 0;
    return version == 4 ? read_ipv4(frame, out) : version == 6 ? read_ipv6(frame, out) : FRAME_OTHER;
}

/* ---- link layers ---- */

static frame_result read_ethertype(cursor frame, uint16_t type, segment *out) {
    for (int i = 0; i < MAX_VLAN_TAGS; i++) {
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ && type != ETHERTYPE_QINQ_OLD) {
            break;
        }
        (void)cursor_u16(&frame);
        type = cursor_u16(&frame);
    }
    return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6 ? read_ip(frame, out) : FRAME_OTHER;
}

static frame_result read_ethernet(cursor frame, segment *out) {
    (void)cursor_take(&frame, 12);
    uint16_t type = cursor_u16(&frame);
    return read_ethertype(frame, type, out);
}

/* "Linux cooked", of captures on all interfaces. */
static frame_result read_sll(cursor frame, segment *out) {
    (void)cursor_take(&frame, 14);
    uint16_t type = cursor_u16(&frame);
    return read_ethertype(frame, type, out);
}

static frame_result read_sll2(cursor frame, segment *out) {
    uint16_t type = cursor_u16(&frame);
    (void)cursor_take(&frame, 18);
    return read_ethertype(frame, type, out);
}

/* A number of four bytes that each system writes in its own way; the version of IP tells as much. */
static frame_result read_loopback(cursor frame, segment *out) {
    (void)cursor_take(&frame, 4);
    return read_ip(frame, out);
}

frame_result frame_read(int link_type, spb_bytes frame, segment *out) {
    cursor all = {.left = frame};
    switch (link_type) {
    case DLT_EN10MB: return read_ethernet(all, out);
    case DLT_NULL:
    case DLT_LOOP: return read_loopback(all, out);
    case DLT_LINUX_SLL: return read_sll(all, out);
    case DLT_LINUX_SLL2: return read_sll2(all, out);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6: return read_ip(all, out);
    default: return FRAME_OTHER;
    }
}
