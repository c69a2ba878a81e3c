/*
 * The host side: subscribes to everything of Sparkplug and writes it to the ledger, as it comes. With --primary it is
 * the primary host application, too: a second connection says STATE online, and has the will that says offline.
 *
 * It knows nothing of libspb, and of Sparkplug only the topics. So that it loses nothing itself it never waits for the
 * server, reads all there is before anything else, and sends nothing on the connection that listens: when the server is
 * killed, what it has written to that connection is then still delivered by the system.
 *
 * Options: --port, --ledger FILE, --mark TEXT (before anything else is heard), --primary.
 * On stdin: `mark TEXT`, `rebirth`; its end is the end of the program. On stdout: `subscribed`, `online`, and the kind
 * of each NBIRTH and NDEATH.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mosquitto.h>

#include "chaos/ledger.h"
#include "chaos/samples.h"

#define RETRY_MS 20
#define KEEP_ALIVE_S 3600

typedef struct host {
    struct mosquitto *listener, *application; /* application NULL: not the primary host */
    bool is_linked, is_application_linked;    /* the connection is there, or begins */
    bool is_subscribed;
    int port, ledger;
    char state[128]; /* STATE: "…":true, and a place for its counterpart */
} host;

static void die(const char *what, const char *why) {
    fprintf(stderr, "host: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static uint64_t wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void record(host *self, const chaos_record *record) {
    if (!chaos_ledger_write(self->ledger, record)) {
        die("ledger", strerror(errno));
    }
}

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

/* ---- the listener ---- */

static void on_connect(struct mosquitto *client, void *user, int code) {
    (void)user;
    if (code == 0) {
        mosquitto_subscribe(client, NULL, "spBv1.0/#", 0);
    }
}

static void on_subscribe(struct mosquitto *client, void *user, int id, int count, const int *granted) {
    (void)client, (void)id, (void)count, (void)granted;
    ((host *)user)->is_subscribed = true;
    say("subscribed");
}

static void on_message(struct mosquitto *client, void *user, const struct mosquitto_message *message) {
    (void)client;
    record(user, &(chaos_record){.time_ms = wall_ms(),
                                 .topic = message->topic,
                                 .payload = message->payload,
                                 .payload_len = (size_t)message->payloadlen});
    if (strstr(message->topic, "/NBIRTH/")) {
        say("NBIRTH");
    } else if (strstr(message->topic, "/NDEATH/")) {
        say("NDEATH");
    }
}

/* ---- the host application ---- */

static const char *state_of(host *self, bool is_online, uint64_t time_ms) {
    snprintf(self->state, sizeof self->state, "{\"online\":%s,\"timestamp\":%" PRIu64 "}", is_online ? "true" : "false",
             time_ms);
    return self->state;
}

/* Will and birth have the same timestamp (tck-id-host-topic-phid-birth-payload-timestamp). */
static void link_application(host *self) {
    uint64_t now = wall_ms();
    const char *text = state_of(self, false, now);
    mosquitto_will_clear(self->application);
    mosquitto_will_set(self->application, "spBv1.0/STATE/" CHAOS_HOST, (int)strlen(text), text, 1, true);
    self->is_application_linked =
        mosquitto_connect(self->application, "127.0.0.1", self->port, KEEP_ALIVE_S) == MOSQ_ERR_SUCCESS;
    state_of(self, true, now);
}

static void on_application_connect(struct mosquitto *client, void *user, int code) {
    host *self = user;
    if (code == 0) {
        mosquitto_publish(client, NULL, "spBv1.0/STATE/" CHAOS_HOST, (int)strlen(self->state), self->state, 1, true);
        say("online");
    }
}

/* ---- commands ---- */

static void ask_for_rebirth(host *self) {
    /* Payload: one metric, `Node Control/Rebirth`, datatype Boolean, true. */
    static const char name[] = "Node Control/Rebirth";
    uint8_t bytes[64] = {0x12, 0, 0x0a, sizeof name - 1};
    size_t len = 4;
    memcpy(bytes + len, name, sizeof name - 1);
    len += sizeof name - 1;
    static const uint8_t rest[] = {0x20, 11, 0x70, 1};
    memcpy(bytes + len, rest, sizeof rest);
    len += sizeof rest;
    bytes[1] = (uint8_t)(len - 2);
    struct mosquitto *client = self->application ? self->application : self->listener;
    mosquitto_publish(client, NULL, "spBv1.0/" CHAOS_GROUP "/NCMD/" CHAOS_NODE, (int)len, bytes, 0, false);
}

static void obey(host *self, char *line) {
    if (strncmp(line, "mark ", 5) == 0) {
        record(self, &(chaos_record){.time_ms = wall_ms(), .is_mark = true, .topic = line + 5});
    } else if (strcmp(line, "rebirth") == 0) {
        ask_for_rebirth(self);
    } else {
        die("no such command", line);
    }
}

/* All complete lines of stdin; false at its end. */
static bool read_commands(host *self) {
    static char text[4096];
    static size_t len;
    ssize_t got = read(STDIN_FILENO, text + len, sizeof text - 1 - len);
    if (got <= 0) {
        return false;
    }
    len += (size_t)got;
    text[len] = '\0';
    char *line = text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        obey(self, line);
    }
    len -= (size_t)(line - text);
    memmove(text, line, len);
    return true;
}

/* ---- its life ---- */

static struct mosquitto *client_new(host *self) {
    struct mosquitto *client = mosquitto_new(NULL, true, self);
    if (!client) {
        die("mosquitto_new", strerror(errno));
    }
    return client;
}

static void open_links(host *self) {
    if (!self->is_linked) {
        self->is_subscribed = false;
        self->is_linked = mosquitto_connect(self->listener, "127.0.0.1", self->port, KEEP_ALIVE_S) == MOSQ_ERR_SUCCESS;
    }
    if (self->application && self->is_subscribed && !self->is_application_linked) {
        link_application(self);
    }
}

static void watch(struct pollfd *entry, struct mosquitto *client, bool is_linked) {
    entry->fd = is_linked ? mosquitto_socket(client) : -1;
    entry->events = (short)(POLLIN | (is_linked && mosquitto_want_write(client) ? POLLOUT : 0));
    entry->revents = 0;
}

/* false: the link is lost. */
static bool serve(struct mosquitto *client, short events) {
    int code = MOSQ_ERR_SUCCESS;
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        code = mosquitto_loop_read(client, 1);
    }
    if (code == MOSQ_ERR_SUCCESS && events & POLLOUT) {
        code = mosquitto_loop_write(client, 1);
    }
    return code == MOSQ_ERR_SUCCESS && mosquitto_loop_misc(client) == MOSQ_ERR_SUCCESS;
}

static void run(host *self) {
    for (;;) {
        open_links(self);
        bool is_complete = self->is_linked && (!self->application || self->is_application_linked);
        struct pollfd entries[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
        watch(&entries[1], self->listener, self->is_linked);
        watch(&entries[2], self->application, self->is_application_linked);
        if (poll(entries, 3, is_complete ? -1 : RETRY_MS) < 0 && errno != EINTR) {
            die("poll", strerror(errno));
        }
        if (self->is_linked) {
            self->is_linked = serve(self->listener, entries[1].revents);
        }
        if (self->is_application_linked) {
            self->is_application_linked = serve(self->application, entries[2].revents);
        }
        if (entries[0].revents && !read_commands(self)) {
            return;
        }
    }
}

static int open_ledger(const char *path) {
    int file = chaos_ledger_append_to(path);
    if (file < 0) {
        die(path, strerror(errno));
    }
    return file;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"ledger", required_argument, NULL, 'l'},
                                            {"mark", required_argument, NULL, 'm'},
                                            {"primary", no_argument, NULL, 'P'},
                                            {0}};
    host self = {.ledger = -1};
    mosquitto_lib_init();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'p') {
            self.port = atoi(optarg);
        } else if (option == 'l') {
            self.ledger = open_ledger(optarg);
        } else if (option == 'm') {
            record(&self, &(chaos_record){.time_ms = wall_ms(), .is_mark = true, .topic = optarg});
        } else if (option == 'P') {
            self.application = client_new(&self);
            mosquitto_connect_callback_set(self.application, on_application_connect);
        } else {
            return 2;
        }
    }
    self.listener = client_new(&self);
    mosquitto_connect_callback_set(self.listener, on_connect);
    mosquitto_subscribe_callback_set(self.listener, on_subscribe);
    mosquitto_message_callback_set(self.listener, on_message);
    run(&self);
    mosquitto_destroy(self.listener);
    mosquitto_destroy(self.application);
    mosquitto_lib_cleanup();
    return EXIT_SUCCESS;
}
