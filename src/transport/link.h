/* One connection to an MQTT server: one client of paho, from connect to the end. */
#ifndef SPB_TRANSPORT_LINK_H
#define SPB_TRANSPORT_LINK_H

#include <spb/transport.h>

#include "transport/endpoint.h"

typedef struct spb_link spb_link;

/* Who hears of the events. */
typedef struct spb_link_listener {
    spb_transport_listener call;
    void *context;
} spb_link_listener;

/* Starts to connect. The settings outlive the link, the request does not. The address `avoid` is tried after the others
 * of its host; it may be AF_UNSPEC. The statuses are those of spb_transport.connect. */
spb_status spb_link__open(spb_link **out, const spb_transport_connect *request, const spb_mqtt_options *settings,
                          const spb_endpoint *avoid, spb_link_listener listener, spb_error *err);
/* Ends it in any state, without DISCONNECT when it is connected. Blocks for a fraction of a second at most (what that
 * is for: see link.c). No event is reported after the return, nor from inside. Tells in *avoid, which may be NULL, what
 * the next link is to avoid, if it has learned something. NULL is fine. */
void spb_link__free(spb_link *link, spb_endpoint *avoid);

uint32_t spb_link__number(const spb_link *link);
/* As in spb_transport. */
spb_status spb_link__subscribe(spb_link *link, const spb_subscription *items, size_t count, spb_error *err);
spb_status spb_link__publish(spb_link *link, const spb_transport_message *message, spb_error *err);
spb_status spb_link__fence(spb_link *link, spb_fence_form form, const spb_subscription *item, spb_error *err);
/* As in spb_transport. */
uint64_t spb_link__carried(spb_link *link, uint64_t *left);
void spb_link__hold(spb_link *link);
void spb_link__disconnect(spb_link *link);

#endif
