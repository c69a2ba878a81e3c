/* Decides what a CONNECT holds, in both versions of MQTT. What comes of it is left to link.c. */
#include "transport/connect.h"

#include <limits.h>
#include <string.h>

#include "transport/signals.h"

#define RECEIVE_MAXIMUM 64  /* QoS 1 messages that the server may send before they are acknowledged */
#define MAX_IN_FLIGHT 65534 /* QoS 1 and requests; one less than there are packet identifiers */

int spb_connect__create(MQTTAsync *out, const char *uri, const char *client_id, spb_mqtt_version version,
                        spb_persistence *persistence) {
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.MQTTVersion = version == SPB_MQTT_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.maxBufferedMessages = INT_MAX; /* the caller has a limit of his own */
    options.persistQoS0 = 0;
    return MQTTAsync_createWithOptions(out, uri, client_id, MQTTCLIENT_PERSISTENCE_USER, &persistence->for_paho,
                                       &options);
}

/* ---- properties of MQTT 5 ---- */

static MQTTLenString paho_string(const char *text) {
    return (MQTTLenString){.data = (char *)text, .len = (int)strlen(text)};
}

static int add_number(MQTTProperties *properties, enum MQTTPropertyCodes identifier, uint32_t number) {
    MQTTProperty property = {.identifier = identifier};
    if (identifier == MQTTPROPERTY_CODE_RECEIVE_MAXIMUM) {
        property.value.integer2 = (uint16_t)number;
    } else {
        property.value.integer4 = number;
    }
    return MQTTProperties_add(properties, &property);
}

/* The session ends with the connection (tck-id-principles-persistence-clean-session-50). */
static int add_properties(MQTTProperties *properties, const spb_mqtt_options *settings) {
    int code = add_number(properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, 0);
    if (code == 0) {
        code = add_number(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, settings->max_packet_bytes);
    }
    if (code == 0) {
        code = add_number(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, RECEIVE_MAXIMUM);
    }
    for (size_t i = 0; code == 0 && i < settings->user_property_count; i++) {
        MQTTProperty property = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
        property.value.data = paho_string(settings->user_properties[i].name);
        property.value.value = paho_string(settings->user_properties[i].value);
        code = MQTTProperties_add(properties, &property);
    }
    return code;
}

/* ---- CONNECT ---- */

static MQTTAsync_connectOptions options_for(const spb_connect_callbacks *callbacks, spb_mqtt_version version) {
    if (version == SPB_MQTT_5) {
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
        options.cleanstart = 1;
        options.onSuccess5 = callbacks->on_success5;
        options.onFailure5 = callbacks->on_failure5;
        return options;
    }
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.cleansession = 1;
    options.onSuccess = callbacks->on_success;
    options.onFailure = callbacks->on_failure;
    return options;
}

/* paho's threads begin in here. */
static int connect_without_sigpipe(MQTTAsync client, const MQTTAsync_connectOptions *options) {
    sigset_t before;
    spb_signals__block_pipe(&before);
    int code = MQTTAsync_connect(client, options);
    spb_signals__restore(&before);
    return code;
}

int spb_connect__start(MQTTAsync client, const spb_transport_connect *request, const spb_mqtt_options *settings,
                       const char *password, MQTTAsync_SSLOptions *tls, const spb_connect_callbacks *callbacks) {
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    will.topicName = request->will.topic;
    will.qos = request->will.qos;
    will.retained = request->will.retain;
    will.payload.data = request->will.payload.data;
    will.payload.len = (int)request->will.payload.len;

    MQTTAsync_connectOptions options = options_for(callbacks, settings->version);
    /* the default would try again with another version, and so repeat the will */
    options.MQTTVersion = settings->version == SPB_MQTT_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.context = callbacks->context;
    options.automaticReconnect = 0;
    options.maxInflight = MAX_IN_FLIGHT;
    options.keepAliveInterval = (int)request->keep_alive_s;
    options.connectTimeout = (int)(request->timeout_ms / 1000 + (request->timeout_ms % 1000 != 0));
    options.username = settings->user;
    options.password = password;
    options.will = request->will.topic ? &will : NULL;
    options.ssl = tls;
    MQTTProperties properties = MQTTProperties_initializer;
    int code = 0;
    if (settings->version == SPB_MQTT_5) {
        options.connectProperties = &properties;
        code = add_properties(&properties, settings);
    }
    if (code == 0) {
        code = connect_without_sigpipe(client, &options);
    }
    MQTTProperties_free(&properties);
    return code;
}
