/* paho's callbacks: what it is told to call, and what that means as events of the link. */
#ifndef SPB_TRANSPORT_EVENTS_H
#define SPB_TRANSPORT_EVENTS_H

#include <MQTTAsync.h>

#include "transport/connect.h"
#include "transport/link_state.h"

/* Codes from here on say no: of a SUBACK, and all reason codes of MQTT 5. */
#define SPB_REFUSED_FROM 0x80
#define SPB_QOS_MAX 2

/* ---- events.c ---- */

/* Hands the event to the listener, unless the link is to be silent. After one that ends the link it is. */
void spb_events__report(spb_link *link, spb_transport_event event);
/* Adds ": " and what the server says in its own words, or nothing. */
void spb_events__append_words(char *text, size_t capacity, MQTTProperties *properties);
/* For messages, and for the end of the connection. The code is paho's. */
int spb_events__listen(spb_link *link);
/* For a message with QoS 2, before paho keeps it; the context is the link. */
void spb_events__on_qos_2(void *link);
/* Whether this side ends the connection because of what the server has sent, and the words for it. Any thread. */
bool spb_events__explain_end(spb_link *link, char *text, size_t capacity);
/* For the answer to CONNECT. */
spb_connect_callbacks spb_events__of_connect(spb_link *link);

/* ---- answers.c ---- */

/* For the answers to the requests of this link, in its version of MQTT. */
MQTTAsync_responseOptions spb_events__of_subscribe(spb_subscribe_item *item);
MQTTAsync_responseOptions spb_events__of_publish(spb_link *link, uint8_t qos);
/* For the SUBACK, and for the UNSUBACK. */
MQTTAsync_responseOptions spb_events__of_fence_subscribed(spb_fence_asked *fence);
MQTTAsync_responseOptions spb_events__of_fence_unsubscribed(spb_fence_asked *fence);

/* Sends DISCONNECT, which is answered by DISCONNECTED. */
void spb_events__disconnect(spb_link *link);
/* Sends what lets the will out: link->is_broken when it is written. The code is paho's; MQTTASYNC_FAILURE: there is no
 * will. */
int spb_events__break(spb_link *link);

#endif
