/*
 * Decides that paho stores nothing. Every put is refused, so that paho goes on with what it has in memory, as it does
 * without persistence; but the put of a message that came with QoS 2 is the first, and the only early, sign of one.
 */
#include "transport/persistence.h"

#include <stddef.h>
#include <string.h>

#define REFUSED (-2) /* MQTTCLIENT_PERSISTENCE_ERROR */

static int open_store(void **handle, const char *client_id, const char *server, void *context) {
    (void)client_id, (void)server;
    *handle = context;
    return 0;
}

static int close_store(void *handle) {
    (void)handle;
    return 0;
}

/* The keys of received messages begin with "r-", and in MQTT 5 with "r5-". */
static int put(void *handle, char *key, int count, char *buffers[], int lengths[]) {
    (void)count, (void)buffers, (void)lengths;
    spb_persistence *self = handle;
    if (strncmp(key, "r-", 2) == 0 || strncmp(key, "r5-", 3) == 0) {
        self->on_qos_2(self->context);
    }
    return REFUSED;
}

static int get(void *handle, char *key, char **buffer, int *length) {
    (void)handle, (void)key;
    *buffer = NULL;
    *length = 0;
    return REFUSED;
}

static int remove_one(void *handle, char *key) {
    (void)handle, (void)key;
    return 0;
}

static int list_keys(void *handle, char ***keys, int *count) {
    (void)handle;
    *keys = NULL;
    *count = 0;
    return 0;
}

static int clear(void *handle) {
    (void)handle;
    return 0;
}

static int contains(void *handle, char *key) {
    (void)handle, (void)key;
    return REFUSED;
}

void spb_persistence__init(spb_persistence *out, spb_persistence_fn *on_qos_2, void *context) {
    *out = (spb_persistence){.for_paho = {.context = out,
                                          .popen = open_store,
                                          .pclose = close_store,
                                          .pput = put,
                                          .pget = get,
                                          .premove = remove_one,
                                          .pkeys = list_keys,
                                          .pclear = clear,
                                          .pcontainskey = contains},
                             .on_qos_2 = on_qos_2,
                             .context = context};
}
