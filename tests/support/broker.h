/*
 * A mosquitto of the test's own, on a free port of 127.0.0.1, with its files in a temporary directory.
 *
 * Every function ends the program with a message when it cannot do its work: a test cannot go on without its broker.
 * The broker dies with the test, also when that crashes.
 */
#ifndef SPB_TEST_BROKER_H
#define SPB_TEST_BROKER_H

#include <stdint.h>

typedef struct broker broker;

/* Makes the directory and picks the port; nothing runs yet. */
broker *broker_new(void);
/* Writes a file into the directory (a password file, an access list). */
void broker_write_file(broker *self, const char *name, const char *text);
/* Lines for the configuration. %s stands for the directory, as often as it is needed: "acl_file %s/acl\n". */
void broker_configure(broker *self, const char *lines);
/* Starts it and returns when it accepts connections. May be called again after broker_stop and broker_kill: same port.
 */
void broker_start(broker *self);
/* SIGTERM, and SIGKILL; they return when it has ended. Nothing happens when it does not run. */
void broker_stop(broker *self);
void broker_kill(broker *self);
/* SIGSTOP, and SIGCONT: a server that is there and says nothing. */
void broker_freeze(broker *self);
void broker_thaw(broker *self);
/* Kills it and removes its directory. NULL is fine. */
void broker_free(broker *self);

/* Makes certificates in the directory; their names are in certificates.sh. */
void broker_make_certificates(broker *self);
/* Room for the path of a file in the directory: "…/ca.pem". */
typedef struct broker_path {
    char text[128];
} broker_path;
broker_path broker_file(const broker *self, const char *name);

uint16_t broker_port(const broker *self);
/* "mqtt://127.0.0.1:port" */
const char *broker_uri(const broker *self);

/* A port of 127.0.0.1 that nobody listens on at this moment. */
uint16_t broker_free_port(void);

#endif
