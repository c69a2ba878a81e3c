/* The beginning of a link: what is copied and checked, and the connection to the address that was found. */
#ifndef SPB_TRANSPORT_BEGIN_H
#define SPB_TRANSPORT_BEGIN_H

#include "transport/link_state.h"

/* A link that does nothing yet. The settings outlive it, the request does not. SPB_ERR_ARGUMENT, SPB_ERR_NO_MEMORY. */
spb_status spb_begin__new(spb_link **out, const spb_transport_connect *request, const spb_mqtt_options *settings,
                          spb_link_listener listener, spb_error *err);
/* Starts to connect. After a failure the link is as good as one that has ended. */
spb_status spb_begin__start(spb_link *link, const spb_endpoint *avoid, spb_error *err);
/* Frees what spb_begin__new has made. */
void spb_begin__free(spb_link *link);

#endif
