/* The primary host application: what its STATE messages say, and which of them count. */
#ifndef SPB_CORE_HOST_H
#define SPB_CORE_HOST_H

#include <spb/session.h>

#include "core/servers.h"

typedef enum spb_host_news {
    SPB_HOST_NONE,    /* not a STATE of this host */
    SPB_HOST_ONLINE,  /* it is online */
    SPB_HOST_OFFLINE, /* it is offline */
    SPB_HOST_IGNORED  /* older than what is known, or not readable: *err says why */
} spb_host_news;

typedef struct spb_host {
    char *topic;    /* of its STATE; NULL: no primary host */
    bool is_legacy; /* ONLINE and OFFLINE as text, without a timestamp */
    bool is_known;  /* a STATE was accepted on this connection */
    bool is_online; /* what it said */
} spb_host;

/* `host_id` NULL: no primary host. SPB_ERR_NAME, SPB_ERR_NO_MEMORY: nothing to clear. */
spb_status spb_host__init(spb_host *host, const char *host_id, bool is_legacy, spb_error *err);
void spb_host__clear(spb_host *host);
/* A new connection knows nothing yet; the timestamps of the servers stay. */
void spb_host__forget(spb_host *host);
/* Judges a message that came from `server`; wall_ms is now. */
spb_host_news spb_host__judge(spb_host *host, spb_server *server, spb_str topic, spb_bytes payload, uint64_t wall_ms,
                              spb_error *err);
/* The timestamp lies so far ahead of our clock that it is wrong, or that clock is, as one that was not set. */
bool spb_host__is_ahead(uint64_t timestamp_ms, uint64_t wall_ms);

#endif
