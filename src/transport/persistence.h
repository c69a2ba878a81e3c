/* What paho is given for a store of messages: nothing is kept, but QoS 2 is noticed. */
#ifndef SPB_TRANSPORT_PERSISTENCE_H
#define SPB_TRANSPORT_PERSISTENCE_H

#include <MQTTClientPersistence.h>

/* A message with QoS 2 has come in; called before paho keeps it, on its receive thread, under its lock. */
typedef void spb_persistence_fn(void *context);

typedef struct spb_persistence {
    MQTTClient_persistence for_paho; /* lives as long as paho's client */
    spb_persistence_fn *on_qos_2;
    void *context;
} spb_persistence;

void spb_persistence__init(spb_persistence *out, spb_persistence_fn *on_qos_2, void *context);

#endif
