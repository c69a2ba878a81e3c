/* Limits how much one packet of the server may bring, before paho has kept it. */
#ifndef SPB_TRANSPORT_GUARD_H
#define SPB_TRANSPORT_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <spb/status.h>

/*
 * paho reserves what the length of a packet announces and reads until it is there; nothing of ours is called before.
 * So one thread of the process watches the sockets of all links: how many bytes paho has taken from each since the last
 * packet that it has reported. The socket is a duplicate of paho's, which names it in its trace when CONNECT is
 * written.
 */
typedef struct spb_guard {
    struct spb_guard *next;
    const char *client_id;
    uint64_t limit;
    int fd;                   /* −1: not known (yet) */
    bool is_waiting;          /* for its socket */
    bool is_over;             /* the limit was passed */
    unsigned seen_count;      /* packet_count when the bytes were counted last */
    uint64_t seen_bytes;      /* taken by then */
    uint64_t seen_ms;         /* when that was */
    uint64_t asked_ms;        /* when CONNECT was written */
    atomic_uint packet_count; /* packets that paho has reported */
} spb_guard;

/* To be called between MQTTAsync_create and MQTTAsync_connect. The client ID outlives the guard. SPB_ERR_NO_MEMORY,
 * SPB_ERR_SYSTEM: there is no thread, or no descriptor, for it. */
spb_status spb_guard__start(spb_guard *guard, const char *client_id, uint64_t limit, spb_error *err);
/* Ends it; also fine for one that is zeroed. Not from a callback of paho. */
void spb_guard__stop(spb_guard *guard);

/* No other link of the process has one. */
bool spb_guard__is_alone(const spb_guard *guard);

/* In each of paho's callbacks that tells of a packet. */
void spb_guard__count_packet(spb_guard *guard);
/* Ends the connection without a byte, as a network would: paho gets nothing more of what the server has sent. False:
 * the socket is not known. Any thread. */
bool spb_guard__cut(spb_guard *guard);
/* CONNECT was answered: if that took long, the kernel keeps little that the link has not carried, and the rest of a
 * large message stays with paho, which goes on with it: its watch over PINGREQ, and so its last write, counts from
 * there. */
void spb_guard__note_answer(spb_guard *guard);
/* How many bytes the other side's system has acknowledged, and how many are left in this one; 0: the socket is not
 * known. Any thread. */
uint64_t spb_guard__carried(spb_guard *guard, uint64_t *left);
/* Whether the kernel is to wait for more before it sends less than a full packet: for 0.2 s at most. */
void spb_guard__cork(spb_guard *guard, bool is_corked);
/* Resets the connection if the kernel has not sent all that was written, or in vain: nothing of it is sent any
 * more. Nothing happens when the socket is not known. Not from a callback of paho. */
void spb_guard__reset_unsent(spb_guard *guard);
/* Whether the guard has ended the connection because a packet was too large. */
bool spb_guard__is_over(spb_guard *guard);

#endif
