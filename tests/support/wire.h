/*
 * A session under a fake clock and a fake transport. Everything it wants done is written into a ledger of short words,
 * and everything it publishes is decoded and held against the rules of the wire at once.
 */
#ifndef TESTS_SUPPORT_WIRE_H
#define TESTS_SUPPORT_WIRE_H

#include <spb/session.h>

typedef struct wire_message {
    spb_kind kind;
    char device[64]; /* empty: of the node */
    spb_payload *payload;
} wire_message;

typedef struct wire {
    spb_session *session;
    spb_time now;
    bool is_silent; /* the transport does not answer by itself, nor does what is asked for the bdSeq */
    uint32_t link;  /* of the last CONNECT */
    bool is_open;   /* that link was not closed */

    char ledger[8192]; /* "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1, DDATA/Press 2, …" */
    char states[2048]; /* "SAVING CONNECTING …" */
    char logs[16384];  /* one line each */
    wire_message messages[512];
    size_t message_count;
    char server[128];                                        /* of the last CONNECT, */
    uint32_t keep_alive_s;                                   /* and its keep-alive */
    const char *state_topic;                                 /* that must be subscribed to; NULL: none */
    bool is_deaf;                                            /* fences are not answered */
    void (*store)(struct wire *w, const spb_action *action); /* answers what is of the store; NULL: nobody does */
    void *journal;                                           /* its own */
    bool is_slow_to_confirm;                                 /* time alone does */
    size_t hole;                                             /* what is as large vanishes, and all behind it; 0: none */
    uint8_t deaf_forms;                                      /* nor are those of these forms: 1 << spb_fence_form */
    uint32_t fences, fences_of[SPB_FENCE_FORMS];
    uint64_t carried; /* what the transport says of the link when it is looked at; 0: it has no such function */
    uint64_t left;    /* and what is left of what was written */
    spb_transport_event welcome; /* what CONNECTED says of the server: its limits */
    spb_metric *written;         /* of the last WRITE */
    spb_value wanted;
    spb_status refusal;  /* of the last COMMAND */
    spb_action last;     /* the last action; its pointers are as valid as the contract says */
    uint32_t unanswered; /* messages not yet reported as published */

    /* what hosts know */
    bool is_node_born;
    uint8_t seq, bdseq;
    char born[64][64]; /* devices */
    size_t born_count;
    uint32_t alias_owners[16384]; /* by alias: a hash of the device whose last birth had it; 0: none */
} wire;

/* A wire whose session waits 100 ms for a batch, at t = 1,000,000 ms. */
void wire_open(wire *w, const spb_session_options *options);
void wire_close(wire *w);
/* The options of the tests: group G, node N. */
spb_session_options wire_options(void);

/* Pulls one action and writes it down; false when there is none. */
bool wire_step(wire *w);
/* Pulls until there is none. */
void wire_run(wire *w);
/* Lets time pass, with a tick at each deadline. */
void wire_sleep(wire *w, uint64_t ms);
/* Every sample is where the session says, or counted as dropped; wire_run checks it, too. */
void wire_check_balance(const wire *w);
/* How many there are in the log. */
size_t wire_log_lines(const wire *w);
/* Forgets the ledger, states, logs and messages so far. */
void wire_forget(wire *w);
/* From here on nothing is answered but by the test. Connected; SUBSCRIBE is out. */
void wire_connect_silently(wire *w);
/* Starts the session and takes it online, or, where the births are not confirmed at once, as far as it may send data;
 * forgets how, and the fences behind the births. */
void wire_go_online(wire *w);

void wire_event(wire *w, spb_transport_event_kind kind, spb_status status, const char *reason);
/* A fence of this form is answered. */
void wire_fenced(wire *w, spb_fence_form form);
/* All that are under way are, in the form that most servers answer. */
void wire_answer_fences(wire *w);
void wire_published(wire *w, uint32_t count);
void wire_lose(wire *w);
/* A command with one metric. `device` NULL: NCMD. */
void wire_command(wire *w, const char *device, const spb_payload_metric *metric);
/* STATE of the primary host application H. */
void wire_host(wire *w, bool online, uint64_t timestamp_ms);
void wire_message_in(wire *w, const char *topic, spb_bytes payload, bool retained);
void wire_request_rebirth(wire *w);

spb_device *wire_add_device(wire *w, const char *id);
spb_metric *wire_add(wire *w, spb_device *device, spb_metric_def def);
spb_metric *wire_add_metric(wire *w, spb_device *device, const char *name, spb_value value);
/* The way of spb_metric_update: the short one, if the sample may take it. */
spb_status wire_update(wire *w, spb_metric *metric, spb_value value);

typedef enum wire_samples_kind { WIRE_LIVE, WIRE_REPLAYED, WIRE_BOTH } wire_samples_kind;
/* The samples of all data messages, in order: "1 2h 3h" (h: historical), or those of one kind alone: "2 3".
 * Borrowed until the next call. */
const char *wire_samples(const wire *w, wire_samples_kind wanted);

/* The last message of that kind; NULL if there is none. */
const wire_message *wire_last(const wire *w, spb_kind kind);
spb_stats wire_stats(const wire *w);

#endif
