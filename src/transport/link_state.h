/* What a link is made of: for link.c, begin.c, events.c and answers.c alone. */
#ifndef SPB_TRANSPORT_LINK_STATE_H
#define SPB_TRANSPORT_LINK_STATE_H

#include <pthread.h>

#include <MQTTAsync.h>

#include "transport/address.h"
#include "transport/dial.h"
#include "transport/guard.h"
#include "transport/link.h"
#include "transport/persistence.h"
#include "transport/tls.h"

typedef struct spb_subscribe_request spb_subscribe_request;

/* One filter, which has a SUBSCRIBE of its own; the context of its answer. */
typedef struct spb_subscribe_item {
    spb_subscribe_request *request;
    char *filter;
} spb_subscribe_item;

/* What is answered by one SUBSCRIBED; kept as long as the link. */
struct spb_subscribe_request {
    spb_subscribe_request *next;
    spb_link *link;
    size_t unanswered_count; /* under the link's lock */
    bool is_refused;         /* likewise: nothing more is said of it */
    size_t count;
    spb_subscribe_item items[];
};

/* A form of fence; the context of its answers. */
typedef struct spb_fence_asked {
    spb_link *link;
    spb_fence_form form;
    uint32_t refused; /* of paho's threads: SUBACKs that said no, and so were the answer instead of the UNSUBACK */
} spb_fence_asked;

struct spb_link {
    spb_transport_connect request; /* a copy of its own, without the server */
    spb_address address;
    spb_dial dial;
    spb_endpoint place;                 /* the address of the host that was chosen */
    char place_text[SPB_ENDPOINT_TEXT]; /* "": none was, paho has the URI as it is */
    const spb_mqtt_options *settings;
    spb_tls_log tls_log; /* of paho's threads, one after the other */
    spb_tls_peer tls_peer;
    spb_guard guard;
    spb_persistence persistence;
    bool is_connected; /* of paho's threads, too */
    spb_link_listener listener;
    spb_subscribe_request *requests; /* the worker's alone */
    spb_fence_asked fences[SPB_FENCE_FORMS];

    pthread_mutex_t lock;
    pthread_cond_t changed;  /* is_broken or has_ended */
    MQTTAsync client;        /* NULL: not made yet */
    bool is_silent;          /* nothing is reported any more */
    bool has_ended;          /* the connection is gone */
    bool has_left;           /* with a DISCONNECT that was asked for */
    bool is_broken;          /* what lets the will out is written */
    char refusal[400];       /* why this side has ended the connection, or "" */
    bool disconnect_wanted;  /* DISCONNECT follows when unanswered_count has come down to 0 */
    size_t unanswered_count; /* publishes taken and not yet reported */
    size_t held_count;       /* how many will be, when the kernel need not wait for more; 0: it does not */
};

#endif
