/*
 * The simulation: one session core in a world of its own (transport, broker, host, application, store, clock), driven
 * by one seeded generator. Everything happens in simulated time, in one thread; a seed always gives the same run.
 *
 * Actors (one file each) do things: an actor is a list of moves, each with a weight, and what it leads to later is put
 * on the calendar. Rules (rules_*.c) watch what the session does and says, and know nothing of its inside.
 * A new actor: a file with its moves, a line in scenario.c, its state in struct sim. Its faults: an entry in sim_fault.
 */
#ifndef SIM_H
#define SIM_H

#include <spb/session.h>

#include "sim/delivery.h"
#include "support/witness.h"

#define SIM_MAX_DEVICES 20
#define SIM_MAX_HOLDERS (SIM_MAX_DEVICES + 1) /* the node is holder 0 */
#define SIM_MAX_METRICS 100
#define SIM_MAX_NAME 32
#define SIM_GROUP "G"
#define SIM_NODE "N"
#define SIM_HOST "P"
#define SIM_TEMPLATE "Motor"
#define SIM_MAX_COMMAND_AGE_MS 60000
/* These make the values of commands that are much too old, and just too old. */
#define SIM_OLD_SEED UINT64_C(1002)
#define SIM_STALE_SEED UINT64_C(1003)
#define SIM_MAX_SERVERS 3
#define SIM_QUALITY (SPB_SAMPLE_BAD | SPB_SAMPLE_STALE)

/* ---- what may go wrong by itself, with a chance of its own in each run ---- */

typedef enum sim_fault {
    SIM_CONNECT_REFUSED,
    SIM_CONNECT_SILENT,    /* no answer at all, not even from the transport */
    SIM_CONNECT_TIMES_OUT, /* the transport says so */
    SIM_CONNECT_LATE,      /* answered after about the timeout */
    SIM_CALL_REFUSED,      /* connect or subscribe fails at once */
    SIM_SUBSCRIBE_REFUSED,
    SIM_SUBSCRIBE_SILENT,
    SIM_PUBLISH_REFUSED,
    SIM_DUPLICATE_CALLBACK,
    SIM_REORDERED_CALLBACK,
    SIM_STALE_CALLBACK,  /* after close, or on a link that never was */
    SIM_SLOW_WRITE,      /* PUBLISHED comes late */
    SIM_DEATH_UNNOTICED, /* the transport never says that a link is dead */
    SIM_KEEP_ALIVE,      /* the broker wants another keep-alive */
    SIM_SAVE_FAILS,
    SIM_SAVE_SLOW,
    SIM_LATE_TICK,
    SIM_ALLOCATION_FAILS,
    SIM_BUSY,        /* several events before the next action is pulled */
    SIM_PULL_SLOWLY, /* events between two actions, and between an action and its execution */
    SIM_HOST_MISSES, /* the broker drops a message on the way to the host */
    SIM_APPEND_FAILS,
    SIM_COMMIT_FAILS,
    SIM_READ_FAILS,
    SIM_STORE_SLOW,
    SIM_FAULT_COUNT
} sim_fault;

/* ---- actors ---- */

typedef struct sim_move {
    const char *name;
    unsigned weight; /* usual share among all moves; a run scales it */
    bool is_abrupt;  /* not between an action and its execution */
    void (*act)(sim *s);
} sim_move;

/* Each list ends with an empty entry. */
extern const sim_move sim_transport_moves[];
extern const sim_move sim_host_moves[];
extern const sim_move sim_application_moves[];
extern const sim_move sim_model_moves[];
extern const sim_move sim_process_moves[];
extern const sim_move sim_primary_moves[];
extern const sim_move sim_journal_moves[];
extern const sim_move sim_broker_moves[];
extern const sim_move sim_fence_moves[];

#define SIM_MAX_MOVES 64

typedef struct sim_scenario {
    const sim_move *moves[SIM_MAX_MOVES];
    unsigned weights[SIM_MAX_MOVES];
    size_t move_count;
    unsigned total_weight;
    unsigned permille[SIM_FAULT_COUNT];
    unsigned gap_ms; /* usual time between two moves */
} sim_scenario;

/* ---- what the primary host says ---- */

typedef enum sim_state_kind { SIM_STATE_NONE, SIM_STATE_ONLINE, SIM_STATE_OFFLINE, SIM_STATE_GARBAGE } sim_state_kind;

typedef struct sim_state {
    sim_state_kind kind;
    uint64_t timestamp_ms;
    char text[64];
} sim_state;

/* ---- the calendar ---- */

/* Something that will happen. Who puts it in fills what its function needs. */
struct sim_event {
    uint64_t at_ms;
    uint64_t order; /* among those of the same time */
    void (*happen)(sim *s, struct sim_event *event);
    uint32_t link;       /* on the way to the session */
    uint64_t connection; /* on the way to the broker */
    spb_transport_event_kind callback;
    spb_fence_form fence;
    spb_status status;
    uint32_t number;
    uint64_t written_ms; /* on the way to the broker: when it left the process */
    int metric;
    uint16_t keep_alive_s; /* of a CONNACK */
    uint32_t max_packet_bytes;
    unsigned server; /* of a CONNECT */
    sim_state state; /* of a message */
    bool retained;
    bool is_unsent;  /* of an attempt: nothing of it has left */
    bool is_junk;    /* delivered though its link has ended */
    bool of_process; /* ends with the process */
    bool is_void;    /* it will not happen */
    char topic[96];
    uint8_t *payload; /* freed with the event */
    size_t payload_len;
    uint32_t *records; /* of the ledger, that it carries; freed with the event */
    uint32_t record_count;
    uint64_t id; /* of a block */
};

/* ---- the world's parts ---- */

/* One link as the transport sees it, and the way to the broker. */
typedef struct sim_link {
    uint32_t number;
    uint64_t connection; /* the number may come again in the next process, this one never */
    unsigned server;
    bool is_open; /* from connect to its end as reported, or close */
    bool is_up;   /* CONNECTED was reported */
    bool up_cut, down_cut;
    bool is_stalled;         /* nothing can be written */
    uint64_t up_ms, down_ms; /* arrival of the last packet in each direction */
    uint64_t written_ms;     /* when the last packet leaves the process, */
    uint64_t busy_ms;        /* and when all of it is carried */
    uint64_t sent_bytes;     /* that were written, and will be carried */
} sim_link;

/* The broker's session of our client ID. */
typedef struct sim_broker {
    uint64_t connection; /* 0: none */
    bool is_subscribed;
    bool is_mute;  /* it answers no fences any more */
    uint8_t forms; /* those that it answers: 1 << spb_fence_form */
    uint8_t *will;
    size_t will_len;
} sim_broker;

/* What the session may know of a broker's fences. */
typedef struct sim_form_memory {
    bool has_form;   /* it has answered one */
    bool is_certain; /* also on the last connection on which one was asked for */
    spb_fence_form form;
} sim_form_memory;

/* What the application has, and what it knows to be true. */
struct sim_metric {
    spb_metric *handle;
    unsigned holder;
    char name[SIM_MAX_NAME];
    spb_type type;
    bool is_writable;
    uint64_t hash; /* of the last accepted value */
    uint64_t timestamp_ms;
    uint64_t alias;       /* as first seen in a birth; 0: not yet */
    bool in_birth;        /* of the present birth of its holder */
    bool is_unsent;       /* an accepted sample that no message took; the next birth will */
    uint64_t choice_seed; /* makes the two values that hosts may write; 0: any */
    bool has_age_limit;   /* for commands */
    bool is_time_given;   /* by the application, not by the session */
    bool is_removed;      /* its name is not used again in this run */
    bool is_behind;       /* its last sample was dropped by overflow */
    uint32_t changes;     /* values that no message was owed for */
    spb_keep keep;
    uint64_t first_hash; /* of the value that this process has defined it with */
    witness_rule rule;   /* report by exception: see exception.c */
    bool has_rule, is_urgent;
    witness witness;
    uint64_t due_ms;      /* when a sample that is held, or put off, is to leave; SPB_NEVER */
    uint64_t told_hash;   /* of the newest one that hosts were told of, */
    uint64_t told_ms;     /* and its timestamp */
    bool is_ahead;        /* the newest value is another one, and held or not worth a message */
    bool is_unsure;       /* until the next birth, what is worth a message is not known for sure */
    bool was_unsure;      /* in this process */
    uint64_t given_alias; /* by this process; the births show it */
    uint32_t record;      /* of its last sample in the ledger that was worth a message, or waits to be; */
    uint32_t newest;      /* of the newest one; */
    /* and what follows the last one that was stored, and replayed on this link: of the present, and of the past */
    uint32_t stored_before[2], replayed_before[2];
};

/* A sample that the session owes. */
typedef struct sim_sample {
    int metric;
    uint64_t hash;
    uint64_t timestamp_ms;
    uint64_t since_ms;
    uint64_t due_ms;   /* it may wait until then, and a window; in a scan until its end, too */
    uint64_t leave_ms; /* when it has to leave, if nothing is in its way */
    uint32_t cut;      /* the number of its holder when it was owed */
    uint32_t turn;     /* of the same turn: in any order; 0: in none */
    uint32_t scan;     /* of its holder, which must be in one message; 0: none */
    bool is_urgent;
    bool is_past;     /* it is marked as historical */
    bool is_optional; /* it may be sent: the value after an overflow, */
    uint32_t changes; /* that of the metric at that time */
} sim_sample;

typedef struct sim_holder {
    spb_device *handle; /* NULL: the node */
    char id[SIM_MAX_NAME];
    bool is_online; /* as the application says */
    bool is_removed;
    bool is_flushing; /* a metric was removed: what waits goes ahead of the next birth */
    bool is_born;     /* births and deaths that were pulled */
    bool is_due;      /* was online when the last NBIRTH was pulled, no DBIRTH since */
    bool has_cause;   /* for a DBIRTH */
    bool is_dying;    /* went offline while born: a DDEATH is owed */
    bool may_lose;    /* went offline between an NBIRTH and its own DBIRTH: samples of before may be dropped */
    bool is_scanning;
    uint32_t scan; /* a number; a cut begins another one */
    sim_sample *owed;
    size_t owed_first, owed_count, owed_capacity;
} sim_holder;

/* One connection, as its messages tell. */
typedef struct sim_wire {
    uint32_t link; /* 0: none */
    uint8_t will_bdseq;
    bool is_subscribed; /* the session was told that it will hear commands */
    bool is_born;       /* an NBIRTH, and no NDEATH since */
    bool is_dead;       /* an NDEATH: only DISCONNECT and CLOSE may follow */
    bool is_over;       /* only CLOSE may follow */
    uint8_t next_seq;
    uint32_t in_flight;              /* as the session was told */
    uint64_t stall_ms;               /* when those call for a fence, in case that the client sleeps; 0: never */
    size_t unfenced;                 /* bytes of all messages since the last fence, */
    size_t unanswered;               /* since the last one that was answered, */
    size_t fenced[SIM_FENCE_ROOM];   /* and between one and the next of those that are not */
    uint64_t messages;               /* that left */
    uint64_t covers[SIM_FENCE_ROOM]; /* of these, how many each fence without an answer is behind, */
    uint64_t covered;                /* the last fence of all, */
    uint64_t passed;                 /* and the last one that was answered */
    uint64_t births_handed, births_handed_ms; /* the last message when all births were handed over, as the session
                                                 says, and when that was; 0: not yet */
    uint64_t births_last, births_ms;          /* the last one of an NBIRTH and its DBIRTHs, and when it left */
    bool wants_birth;                         /* a request that no NBIRTH has answered */
    bool has_cause;                           /* for another NBIRTH */
    bool has_change;                          /* the same, and it is no request: it does not wait for the window */
    uint64_t birth_ms;                        /* when the last NBIRTH left */
    uint64_t keep_alive_ms;
    uint64_t answered_ms;                     /* the broker's last answer to a request */
    uint8_t tried;                            /* forms of fences: 1 << spb_fence_form */
    spb_fence_form form;                      /* of the last one, */
    bool is_form_known;                       /* which the broker has answered; */
    bool is_without;                          /* it has given up waiting for one: time alone confirms */
    uint64_t without_ms;                      /* since then */
    uint64_t asked_ms;                        /* its first one, */
    uint64_t first_ms;                        /* and the first one of all, */
    size_t first_ahead;                       /* with so much unanswered; */
    uint64_t seen_last, seen_limit, moved_ms; /* what the link was seen to carry since: see sim_fence_see */
    uint64_t subscribed_ms;
    uint32_t max_packet_bytes;          /* 0: any */
    bool is_host_known, is_host_online; /* the primary host, as of the last STATE that counts */
    bool lacks_template;                /* its definition came or went after the last NBIRTH */
    bool must_leave;                    /* for the next server */
    bool is_leaving;                    /* it does, so what waits is kept */
} sim_wire;

/* What a host application knows, from what arrived. */
typedef struct sim_host_metric {
    bool is_known;
    uint64_t alias;
    uint64_t hash;
    uint64_t timestamp_ms;
    spb_value value; /* of a datatype without contents; else null */
    uint32_t quality;
} sim_host_metric;

typedef struct sim_host {
    bool is_node_born;
    bool is_born[SIM_MAX_HOLDERS];
    bool has_missed; /* it needs a rebirth to know the truth */
    uint8_t bdseq;
    uint8_t next_seq;
    sim_host_metric metrics[SIM_MAX_METRICS];
    uint64_t asked_ms;
} sim_host;

/* What the rules count on their own, to be held against spb_stats. */
typedef struct sim_counts {
    uint64_t accepted, suppressed, published, dropped_offline, overflowed, carried, caught_up, uncertain;
    uint64_t messages, bytes, births, connects, rebirth_requests, writes_accepted;
    bool has_guessed;     /* something of a metric that is unsure */
    uint64_t commands_in; /* metrics of commands that were delivered and not yet answered */
} sim_counts;

struct sim {
    uint64_t seed;
    uint64_t random;
    uint64_t allocation_random;
    spb_time now;
    uint64_t steps;
    sim_scenario scenario;
    unsigned moves_between; /* in this step, between actions */
    bool is_calm;
    bool has_converged;    /* in this calm: what a host has asked for since may still be kept for it */
    uint32_t message_turn; /* of the last sample in it */
    uint32_t message_scan; /* of the samples in the message that was pulled last; 0: of none */
    uint32_t message_cut;
    bool is_message_early; /* none of its samples had to leave yet */
    bool is_message_paid;  /* all of them were owed for sure */
    uint32_t turn;         /* of samples that leave together; */
    uint32_t first_turn;   /* the first one of the call of the session */
    uint64_t turn_ms;
    bool is_turn_open;
    bool is_running;            /* after the last call of the session */
    uint64_t overflowed_before; /* the call of the session in which they do */
    bool has_rules;             /* metrics of this run may have some */
    uint64_t calm_ms;           /* since then, */
    uint64_t calm_replay_ms;    /* and what the journal held then needs so long for its pace */

    sim_event **calendar;
    size_t event_count, event_capacity;
    uint64_t event_order;

    spb_session *session;
    spb_session_options options;
    uint64_t wake_ms;       /* when the application will call spb_session_on_tick */
    uint64_t busy_until_ms; /* the application does something else; SPB_NEVER: it does not */
    uint64_t idle_since_ms;
    uint64_t idle_ticks;
    bool wants_up;       /* the application wants the session to run */
    uint64_t stop_by_ms; /* SPB_NEVER: not being stopped */

    spb_delivery wanted_level; /* AUTO: any */
    bool has_journal;          /* in this run */
    spb_delivery level;        /* as it comes out: LIVE, OUTAGE or DURABLE */
    bool has_unset_clocks;     /* in this run, the machine starts without the time */
    int64_t clock_offset_ms;   /* between wall clock and monotonic clock, when it was set */
    uint64_t host_offline_ms;  /* when the primary host went while the node was born; SPB_NEVER: never */
    sim_ledger ledger;
    sim_journal journal;
    sim_way way;
    sim_flush flushes[SIM_MAX_FLUSHES];
    unsigned flush_count;

    bool has_stored;
    uint8_t stored_bdseq;
    int saving;             /* the last number to be saved by this process, or -1 */
    unsigned saves_waiting; /* without an answer */
    int last_bdseq;         /* of the last CONNECT, as far as this process can know; or -1 */
    bool is_bdseq_spare;    /* no byte of that has left */
    uint32_t last_link;

    sim_link link;
    uint32_t keep_alive_s; /* of the last CONNECT */
    uint32_t bytes_per_s;  /* that a link carries to the broker; 0: any number at once */
    uint64_t last_connection;
    unsigned server_count;
    sim_broker brokers[SIM_MAX_SERVERS];
    uint8_t fence_forms[SIM_MAX_SERVERS]; /* that who takes the next connection answers */
    sim_form_memory form_memory[SIM_MAX_SERVERS];
    sim_host hosts[SIM_MAX_SERVERS];   /* what is known there */
    sim_host *host;                    /* the one on the server of the last link, or who hears just now */
    sim_state states[SIM_MAX_SERVERS]; /* retained */
    uint64_t state_clock_ms;
    unsigned next_server; /* where the next CONNECT must go */
    bool is_for_clock;    /* told_state is a wait for the clock */
    uint64_t started_ms;  /* when the application started the session */
    size_t attempts;      /* since then */
    uint64_t attempts_ms[SIM_MAX_SERVERS];
    uint64_t accepted_states[SIM_MAX_SERVERS][2]; /* by this process: the last time, and the last ahead of our clock; */
    uint64_t accepted_state_ms[SIM_MAX_SERVERS];  /* the last one */
    bool has_template;                            /* defined in this process */
    bool has_clock_stepped;                       /* ages are not what they seem */
    bool has_packet_limits;                       /* servers of this run may name one */
    bool has_state_doubt;                         /* a STATE came while memory was short */
    sim_metric metrics[SIM_MAX_METRICS];
    size_t metric_count;
    sim_holder holders[SIM_MAX_HOLDERS];
    size_t holder_count;
    size_t max_metrics, max_holders; /* of this run */
    sim_wire wire;
    sim_counts counts;
    spb_session_state told_state;
    uint64_t actions;       /* pulled, over the whole run, */
    uint64_t store_actions; /* and of the journal */
    uint64_t checks;        /* comparisons of what a host knows with the truth */
    uint64_t joined;        /* samples that joined a message beside the session: see spb_session__join */

    bool has_failed;
    char rule[64];
    char failure[512];
    void (*trace)(void *context, const char *line); /* NULL: none */
    void *trace_context;
};

/* ---- world.c ---- */

/* Runs one seed, with the trace and the level that are in *s; what went wrong is left there. Call sim_clear
 * afterwards. */
void sim_run(sim *s, uint64_t seed, uint64_t steps);
void sim_clear(sim *s);
/* The first failure counts. */
void sim_fail(sim *s, const char *rule, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sim_note(sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An event `delay_ms` from now, the caller's to fill in; owned by the calendar. */
sim_event *sim_later(sim *s, uint64_t delay_ms, void (*happen)(sim *s, sim_event *event));
void sim_carry(sim_event *event, const void *payload, size_t len);
/* Carries out all that the session wants. */
void sim_pump(sim *s);
/* Of what the action points to. */
uint64_t sim_fingerprint(const spb_action *action);
/* Lets everything happen that is due until then. */
void sim_run_until(sim *s, uint64_t end_ms);
/* Around each call of the session: allocations may fail in between. */
void sim_enter(sim *s);
/* True when an allocation failed. */
bool sim_leave(sim *s);

/* At most one draw in an expression: the compiler chooses the order of arguments, and a seed must repeat. */
uint64_t sim_draw(sim *s);
/* The time that something takes: mostly next to none. */
uint64_t sim_delay_ms(sim *s);
/* 0 … limit - 1 */
uint32_t sim_below(sim *s, uint32_t limit);
bool sim_happens(sim *s, sim_fault fault);

/* The timestamp of a sample that is taken now: without a wall clock, of the monotonic one. */
uint64_t sim_stamp_ms(const sim *s);

/* ---- calm.c ---- */

/* The storm pauses, and the rules of a good world are checked. */
void sim_calm(sim *s);

/* ---- scenario.c ---- */

void sim_scenario_draw(sim *s);
spb_session_options sim_options_draw(sim *s);

/* ---- value.c ---- */

/* A value of that datatype, made from `seed`; it borrows from *space. */
typedef struct sim_space {
    uint64_t words[512];
    spb_str texts[32];
    bool bits[256];
} sim_space;

spb_value sim_value(sim_space *space, spb_type type, uint64_t seed);
uint64_t sim_hash(const spb_value *value);
/* The same with the quality (SPB_SAMPLE_…); and both of a metric as it was sent. */
uint64_t sim_look(const spb_value *value, uint32_t quality);
uint32_t sim_quality(const spb_payload_metric *metric);
uint64_t sim_look_of(const spb_payload_metric *metric, const spb_value *value);
/* One of few, so that it often says nothing new. */
spb_value sim_near_value(sim_space *space, spb_type type, uint64_t seed);
spb_type sim_type(uint64_t seed);

/* ---- transport.c, broker.c, store.c ---- */

spb_status sim_transport_connect(sim *s, const spb_transport_connect *request);
spb_status sim_transport_subscribe(sim *s, uint32_t link);
spb_status sim_transport_publish(sim *s, uint32_t link, const spb_transport_message *message);
spb_status sim_transport_fence(sim *s, uint32_t link, spb_fence_form form);
/* As spb_transport.carried. */
uint64_t sim_transport_carried(const sim *s, uint32_t link, uint64_t *left);
/* When a narrow link has carried something last, as far as one could see by looking every second; 0: it is a wide one.
 */
uint64_t sim_transport_carried_ms(const sim *s);
void sim_transport_disconnect(sim *s, uint32_t link);
void sim_transport_close(sim *s, uint32_t link);
void sim_transport_reset(sim *s);
/* The process is gone, and its sockets with it. */
void sim_transport_die(sim *s);
/* A callback of the present link on its way; their order is kept, unless the run wants it otherwise. NULL when it is
 * lost. */
sim_event *sim_transport_report(sim *s, uint64_t connection, spb_transport_event_kind kind, spb_status status,
                                uint64_t delay_ms);

void sim_broker_connect(sim *s, sim_event *event);
void sim_broker_subscribe(sim *s, sim_event *event);
void sim_broker_publish(sim *s, sim_event *event);
void sim_broker_fence(sim *s, sim_event *event);
void sim_broker_disconnect(sim *s, sim_event *event);
void sim_broker_end(sim *s, sim_event *event);
/* From a host to the node. */
void sim_broker_forward(sim *s, const char *topic, const void *payload, size_t len, bool retained);
void sim_broker_clear(sim *s);

/* ---- primary.c ---- */

/* A new subscriber hears what is retained. */
void sim_primary_greet(sim *s, unsigned server);
void sim_primary_settle(sim *s);

void sim_store_save(sim *s, uint8_t bdseq);

/* ---- host.c ---- */

void sim_host_hear(sim *s, const char *topic, const uint8_t *payload, size_t len);
void sim_host_request_rebirth(sim *s);

/* ---- application.c, process.c ---- */

void sim_application_begin(sim *s);
void sim_application_write(sim *s, spb_metric *metric, const spb_value *wanted);
void sim_application_start(sim *s);
void sim_application_stop(sim *s, uint32_t timeout_ms);
void sim_application_update(sim *s);
void sim_application_set_clock(sim *s);
void sim_application_update_much(sim *s);
void sim_process_begin(sim *s);

/* ---- model.c ---- */

/* What the first process has; and what a later one has again. */
void sim_model_begin(sim *s);
void sim_model_define(sim *s);
/* Any metric; -1: none, or one that was removed. */
int sim_model_any(sim *s);

/* ---- rules_wire.c: what the session sends ---- */

void sim_rules_connect(sim *s, const spb_action *action);
void sim_rules_unsent(sim *s);
void sim_rules_publish(sim *s, const spb_transport_message *message);
void sim_rules_subscribe(sim *s, const spb_action *action);
void sim_rules_fence(sim *s, const spb_action *action);
void sim_rules_disconnect(sim *s, const spb_action *action);

/* ---- rules_births.c ---- */

/* A birth leaves that belongs to an NBIRTH, or is one; may another NBIRTH follow; when the link is free for one. */
void sim_births_left(sim *s);
void sim_births_may_follow(sim *s);
uint64_t sim_births_free_ms(const sim *s);
void sim_births_logged(sim *s, const char *text);
/* All births of the connection have left, so that data may follow; a fence behind them is still to be sent. */
bool sim_births_are_out(const sim *s);
bool sim_births_want_fence(const sim *s);
/* The application was told that the session is ONLINE; all that can be done is done. */
void sim_births_told(sim *s);
void sim_births_drained(sim *s, spb_session_state state);

/* ---- rules_fence.c ---- */

void sim_fence_draw(sim *s);
/* The session asks in this form. True: it tries another one than before. */
bool sim_fence_ask(sim *s, spb_fence_form form);
void sim_fence_answered(sim *s, spb_fence_form form);
void sim_fence_ended(sim *s);
/* Somebody looks at how much the link has carried. */
void sim_fence_see(sim *s, uint64_t carried, uint64_t left);
/* A call of the session comes in which it looks at the time. */
void sim_fence_look(sim *s);
/* The session has asked in all forms, and may go on without; and it does. */
bool sim_fence_is_in_vain(const sim *s);
bool sim_fence_is_without(const sim *s);

/* The index of the metric with that name, or -1. */
int sim_find_metric(const sim *s, unsigned holder, spb_str name);
int sim_find_holder(const sim *s, spb_str id);

/* ---- rules_samples.c: where each sample goes ---- */

/* It need not be sent as live data any more: it is in the journal. */
void sim_rules_settle_owed(sim *s, uint32_t record);

void sim_rules_accepted(sim *s, const spb_sample *sample, int metric, const spb_stats *before);
/* One of the past was. */
void sim_rules_past(sim *s, const spb_sample *sample, int metric, const spb_stats *before);
/* A sample of that metric is worth a message now: the one that was held. */
void sim_rules_released(sim *s, int metric);
void sim_rules_owe(sim_holder *holder, sim_sample sample);
/* Older samples wait, or may do so: they will take hosts back. */
bool sim_rules_has_older(const sim *s, unsigned holder);
bool sim_rules_owes(const sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
void sim_rules_overflowed(sim *s, uint64_t count, uint32_t first_turn);
void sim_rules_sample(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms, bool is_past);
void sim_rules_sampled(sim *s, unsigned holder);
void sim_rules_carried(sim *s, unsigned holder);
void sim_rules_doubt_owed(sim *s, unsigned holder);
void sim_rules_drop_owed(sim *s, unsigned holder);
void sim_rules_forget(sim *s, bool keeps_samples);
void sim_rules_count(sim *s);

/* ---- exception.c: report by exception ---- */

void sim_exception_draw(sim *s, sim_metric *metric);
void sim_exception_define(sim_metric *metric, const spb_metric_def *def, uint64_t timestamp_ms);
uint32_t sim_exception_flags(sim *s, const sim_metric *metric);
/* A call of the session comes in which timers ring; or in which all that is held is let go, of a metric or of all. */
void sim_exception_ring(sim *s);
void sim_exception_release(sim *s, int metric);
void sim_exception_release_all(sim *s);
/* It has returned. */
void sim_exception_called(sim *s);
/* The wall clock is set: values of before get their right time. */
void sim_exception_shift(sim *s, int index);
void sim_exception_drained(sim *s, uint64_t deadline_ms);
/* A data message begins, and is complete. */
void sim_exception_begin(sim *s, unsigned holder);
void sim_exception_message(sim *s, unsigned holder, size_t count, bool is_historical);
/* NULL: a host knows enough of the metric. */
const char *sim_exception_known(const sim *s, size_t index);
/* A metric is unsure: it may be held, and nobody knows. */
bool sim_exception_is_unsure(sim *s);
void sim_exception_cut(sim *s);
void sim_exception_flush(sim *s);
/* Its device goes or comes: when what waits is sent, and what besides, only the session knows. */
void sim_exception_doubt(sim *s, unsigned holder);
void sim_exception_end_scans(sim *s);
extern const sim_move sim_exception_moves[];

/* ---- rules_session.c: what the session says and when ---- */

/* After each call: births end with their connection. */
void sim_rules_called(sim *s);
/* After the last action: nothing is overdue, told and true state agree. */
void sim_rules_drained(sim *s);
/* No attempt to connect may be made yet, as the clock is not set. */
bool sim_awaits_clock(const sim *s);
void sim_rules_told(sim *s, spb_session_state state);
/* The application hears of a birth that is too large. */
void sim_rules_too_large(sim *s, const spb_birth_too_large *birth);
/* A line of the log. */
void sim_rules_logged(sim *s, const char *text);
void sim_rules_event(sim *s, const spb_transport_event *event, bool is_listening, bool is_short_of_memory);
/* ---- rules_host.c: the primary host, and the way from server to server ---- */

extern const char *const sim_server_names[SIM_MAX_SERVERS];
void sim_rules_server(sim *s, const char *server);
void sim_rules_state(sim *s, const sim_event *event, spb_session_state before, bool is_short_of_memory);
void sim_rules_may_be_born(sim *s);
bool sim_rules_may_leave(const sim *s);
void sim_rules_host_drained(sim *s, spb_session_state state, uint64_t deadline_ms);
/* How long before the host went it may have missed something; at most, or at least. */
uint64_t sim_host_window_ms(const sim *s, bool at_most);
bool sim_rules_may_be_kept(const sim *s, const sim_record *record);
void sim_rules_may_come_again(sim *s);
/* What has arrived is kept for hosts, and time alone tells what has. */
bool sim_is_kept_by_time(const sim *s);

/* ---- rules_session.c, in the end ---- */

/* NULL when hosts know the truth; else what is missing. */
const char *sim_rules_converged(sim *s, char *text, size_t capacity);

#endif
