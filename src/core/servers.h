/* The servers of a session: an ordered list, tried one at a time. */
#ifndef SPB_CORE_SERVERS_H
#define SPB_CORE_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include <spb/transport.h>

#include "core/cause.h"

typedef struct spb_server {
    const char *uri;
    bool has_state;    /* a STATE of the primary host was accepted on it, with this timestamp */
    uint64_t state_ms; /* for the rest, see host.c: the newest that was accepted */
    uint64_t near_ms;  /* of those that our clock could vouch for, */
    uint64_t far_ms;   /* and of the others; 0: none */
    bool has_fenced;   /* it has answered a fence, of this form: the first to be tried on the next connection */
    spb_fence_form fence;
    bool is_too_narrow; /* a birth was larger than it, or the options, allow: see oversize.c */
    spb_omens omens;    /* how its connections ended */
} spb_server;

typedef struct spb_servers {
    spb_server *items;
    size_t count;
    size_t current; /* index */
    size_t tried;   /* in this round, the present one included */
    char *text;     /* the memory of the URIs */
} spb_servers;

/* Reads "URI, URI, …". SPB_ERR_ARGUMENT: none, or an empty one. SPB_ERR_NO_MEMORY. On failure there is nothing to
 * clear. */
spb_status spb_servers__init(spb_servers *servers, const char *list, spb_error *err);
void spb_servers__clear(spb_servers *servers);
spb_server *spb_servers__current(const spb_servers *servers);
/* The next one is the present one now, the first after the last. True when a round is over: each was tried once. */
bool spb_servers__walk(spb_servers *servers);
/* The present one is the first of a new round. */
void spb_servers__begin_round(spb_servers *servers);

#endif
