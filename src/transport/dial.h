/* The way to one address of a server: from its name to the one that answers. */
#ifndef SPB_TRANSPORT_DIAL_H
#define SPB_TRANSPORT_DIAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <spb/status.h>

#include "transport/address.h"
#include "transport/lookup.h"

/* Both are called on the thread of the dial. */
typedef struct spb_dial_calls {
    /* The connection can be made, within left_ms. Place NULL: the address as it was given. False: not yet; it is called
     * again when the eventfd has been written. */
    bool (*on_found)(void *context, const spb_endpoint *place, uint32_t left_ms);
    /* SPB_ERR_CONNECT, SPB_ERR_TIMEOUT. */
    void (*on_failed)(void *context, spb_status status, const char *why);
    void *context;
} spb_dial_calls;

typedef struct spb_dial {
    const spb_address *address;
    spb_dial_calls calls;
    spb_endpoint avoid; /* AF_UNSPEC: none */
    uint32_t timeout_ms;
    uint64_t deadline_ms;
    spb_lookup_wait lookup;
    bool is_started;
    int wake; /* an eventfd: look again */
    atomic_bool is_stopped;
    pthread_t thread;
} spb_dial;

/*
 * Asks for the addresses of the name, if it is one, and finds the first of them that takes a TCP connection. One that
 * `avoid` names (which may be NULL) comes last. Ends with one of the calls, unless it is stopped. The address outlives
 * it. SPB_ERR_SYSTEM: there is no thread, or no descriptor, for it.
 */
spb_status spb_dial__start(spb_dial *dial, const spb_address *address, uint32_t timeout_ms, const spb_endpoint *avoid,
                           const spb_dial_calls *calls, spb_error *err);
/* After the return there are no more calls. Never waits for a name server. Fine for a zeroed one. */
void spb_dial__stop(spb_dial *dial);
/* When nobody writes to its eventfd any more. Fine for a zeroed one. */
void spb_dial__clear(spb_dial *dial);

#endif
