/* Decides what the codes of MQTT, and of paho, are called and to which status they belong. */
#include "transport/reason.h"

#include <stdio.h>

#include <MQTTAsync.h>

#include "base/error.h"

#define PAHO_NO_MEMORY (-99) /* PAHO_MEMORY_ERROR of its sources; its public headers do not name it */

/* MQTT 5, 2.4, those from 0x80 on. */
static const struct {
    int code;
    spb_reason reason;
} reasons[] = {{0x80, {SPB_ERR_REFUSED, "no reason is given"}},
               {0x81, {SPB_ERR_REFUSED, "malformed packet"}},
               {0x82, {SPB_ERR_REFUSED, "protocol error"}},
               {0x83, {SPB_ERR_REFUSED, "a reason of its own"}},
               {0x84, {SPB_ERR_REFUSED, "it does not speak this version of MQTT"}},
               {0x85, {SPB_ERR_AUTH, "the client identifier is not accepted"}},
               {0x86, {SPB_ERR_AUTH, "user name or password is wrong"}},
               {0x87, {SPB_ERR_AUTH, "not authorised"}},
               {0x88, {SPB_ERR_REFUSED, "the MQTT service is unavailable"}},
               {0x89, {SPB_ERR_REFUSED, "it is busy"}},
               {0x8A, {SPB_ERR_AUTH, "this client is banned"}},
               {0x8B, {SPB_ERR_CONNECT, "it is shutting down"}},
               {0x8C, {SPB_ERR_AUTH, "bad authentication method"}},
               {0x8D, {SPB_ERR_TIMEOUT, "nothing was heard within the keep-alive time"}},
               {0x8E, {SPB_ERR_REFUSED, "another client has connected with the same client identifier"}},
               {0x8F, {SPB_ERR_REFUSED, "the topic filter is not accepted"}},
               {0x90, {SPB_ERR_REFUSED, "the topic is not accepted"}},
               {0x93, {SPB_ERR_REFUSED, "more messages than its receive maximum"}},
               {0x94, {SPB_ERR_REFUSED, "invalid topic alias"}},
               {0x95, {SPB_ERR_REFUSED, "the packet is too large"}},
               {0x96, {SPB_ERR_REFUSED, "the message rate is too high"}},
               {0x97, {SPB_ERR_REFUSED, "a quota is exceeded"}},
               {0x98, {SPB_ERR_REFUSED, "administrative action"}},
               {0x99, {SPB_ERR_REFUSED, "the payload has not the format that it declares"}},
               {0x9A, {SPB_ERR_REFUSED, "retained messages are not supported"}},
               {0x9B, {SPB_ERR_REFUSED, "this QoS is not supported"}},
               {0x9C, {SPB_ERR_REFUSED, "another server is to be used for now"}},
               {0x9D, {SPB_ERR_REFUSED, "the server has moved"}},
               {0x9E, {SPB_ERR_REFUSED, "shared subscriptions are not supported"}},
               {0x9F, {SPB_ERR_REFUSED, "too many connections in a short time"}},
               {0xA0, {SPB_ERR_REFUSED, "the longest time for a connection is over"}},
               {0xA1, {SPB_ERR_REFUSED, "subscription identifiers are not supported"}},
               {0xA2, {SPB_ERR_REFUSED, "wildcards in subscriptions are not supported"}}};

spb_reason spb_reason__find(int code) {
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].code == code) {
            return reasons[i].reason;
        }
    }
    return (spb_reason){SPB_ERR_REFUSED, "a reason that MQTT does not know"};
}

/* MQTT 3.1.1, table 3.1. A server that does not know MQTT 5 answers with these, too. */
static const spb_reason return_codes[] = {
    {SPB_OK, ""},
    {SPB_ERR_REFUSED, "does not speak MQTT 3.1.1"},
    {SPB_ERR_AUTH, "does not accept the client identifier"},
    {SPB_ERR_REFUSED, "says that its MQTT service is unavailable"},
    {SPB_ERR_AUTH, "does not accept user name and password"},
    {SPB_ERR_AUTH, "does not authorise this client to connect"},
};

spb_status spb_reason__connack(int code, spb_mqtt_version version, const char *server, char *text, size_t capacity) {
    if (version == SPB_MQTT_5 && code == 1) {
        snprintf(text, capacity, "%s does not speak MQTT 5", server);
        return SPB_ERR_REFUSED;
    }
    if (code >= 0 && code < (int)(sizeof return_codes / sizeof *return_codes)) {
        snprintf(text, capacity, "%s %s", server, return_codes[code].words);
        return return_codes[code].status;
    }
    if (version == SPB_MQTT_5) {
        spb_reason reason = spb_reason__find(code);
        snprintf(text, capacity, "%s refuses the connection: %s (0x%02X)", server, reason.words, (unsigned)code);
        return reason.status;
    }
    snprintf(text, capacity, "%s refuses the connection with return code %d", server, code);
    return SPB_ERR_REFUSED;
}

spb_status spb_reason__paho(spb_error *err, const char *what, int code) {
    spb_status status = SPB_ERR_ARGUMENT;
    if (code == MQTTASYNC_DISCONNECTED) {
        status = SPB_ERR_CONNECT;
    } else if (code == PAHO_NO_MEMORY) {
        status = SPB_ERR_NO_MEMORY;
    }
    const char *words = code == PAHO_NO_MEMORY ? "out of memory" : MQTTAsync_strerror(code); /* it has none for that */
    return spb_error__set(err, status, "%s: %s", what, words ? words : "MQTT client error");
}
