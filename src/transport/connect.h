/* The CONNECT of a link: what paho is told to send. */
#ifndef SPB_TRANSPORT_CONNECT_H
#define SPB_TRANSPORT_CONNECT_H

#include <MQTTAsync.h>

#include <spb/transport.h>

#include "transport/persistence.h"

/* Who hears how it went, by the version of MQTT. */
typedef struct spb_connect_callbacks {
    MQTTAsync_onSuccess *on_success;
    MQTTAsync_onFailure *on_failure;
    MQTTAsync_onSuccess5 *on_success5;
    MQTTAsync_onFailure5 *on_failure5;
    void *context;
} spb_connect_callbacks;

/* A client of paho for that URI; the persistence outlives it. The code is paho's. */
int spb_connect__create(MQTTAsync *out, const char *uri, const char *client_id, spb_mqtt_version version,
                        spb_persistence *persistence);
/* Starts to connect; nothing is kept. `tls` is NULL without TLS. The code is paho's. */
int spb_connect__start(MQTTAsync client, const spb_transport_connect *request, const spb_mqtt_options *settings,
                       const char *password, MQTTAsync_SSLOptions *tls, const spb_connect_callbacks *callbacks);

#endif
