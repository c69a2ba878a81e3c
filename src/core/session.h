/*
 * The parts of a session, and what its files share: session.c (what it is and what it publishes), life.c (what
 * happened), remove.c, template.c and info.c (more of that), message.c (what hosts say), watch.c (whether the server
 * still answers), publish.c (which message is next), action.c (what it wants done).
 */
#ifndef SPB_CORE_SESSION_H
#define SPB_CORE_SESSION_H

#include <spb/session.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/certificate.h"
#include "core/command.h"
#include "core/host.h"
#include "core/notice.h"
#include "core/seq.h"
#include "core/servers.h"
#include "core/table.h"

/* How long additions wait for each other, so that they share one birth. */
#define SPB_BIRTH_WINDOW_MS 50
/* A holder whose link is slower than its samples keeps as many full messages as this. */
#define SPB_MAX_WAITING_BATCHES 16
/* A connection that was online for so long was a good one: the next wait begins at reconnect_min_ms again. */
#define SPB_STEADY_MS 10000
/* The session waits so much longer than it asks the transport to: then the transport has failed to answer. */
#define SPB_ANSWER_GRACE_MS 1000
/* How long NDEATH and DISCONNECT may take on the way from one server to the next. */
#define SPB_LEAVE_MS 2000
#define SPB_HOST_IS_OFFLINE "the primary host is offline"

/* How far the births of this connection are. */
typedef enum spb_phase {
    SPB_PHASE_UNBORN,  /* no NBIRTH in this connection yet */
    SPB_PHASE_DBIRTHS, /* NBIRTH is out, DBIRTHs follow */
    SPB_PHASE_BORN     /* all are out: data may flow */
} spb_phase;

/* The watch over a connection. */
typedef struct spb_watch {
    uint64_t keep_alive_ms;
    uint64_t at_ms;  /* of the next fence; while one is waited for, when the server counts as gone; or SPB_NEVER */
    bool is_waiting; /* a fence is under way */
} spb_watch;

struct spb_session {
    spb_session_options options; /* its strings are the session's own */
    char *strings[5];            /* the memory of these, and of the filters */
    spb_subscription subscriptions[3];
    size_t subscription_count;
    void *owner;
    spb_table table;
    spb_queue queues[SPB_QUEUE_COUNT];
    spb_command_queue commands;
    spb_notices notices;
    spb_servers servers;
    spb_host host;
    spb_backoff backoff;
    spb_bdseq bdseq;
    spb_stats stats;

    spb_session_state state;
    bool is_due;            /* the one action of the present state was not pulled yet */
    uint64_t timer_ms;      /* end of the present state, or SPB_NEVER */
    uint32_t waiting_saves; /* SAVE_BDSEQ actions without an answer */

    uint32_t link; /* of the present connection; 0: none */
    uint32_t last_link;
    uint32_t close_link;       /* to be closed; 0: none */
    uint32_t in_flight;        /* messages without an answer */
    uint32_t max_packet_bytes; /* that this server takes; 0: it has not said */
    spb_watch watch;
    bool was_online; /* in this connection, since: */
    uint64_t online_since_ms;

    spb_phase phase;
    bool wants_birth;            /* a host asked for another NBIRTH with all DBIRTHs; until then there is no data */
    uint64_t rebirth_due_ms;     /* while wants_birth */
    uint64_t node_birth_due_ms;  /* the same, because of a change; or SPB_NEVER */
    uint64_t last_birth_ms;      /* when the last NBIRTH left */
    uint64_t sequence;           /* counts the NBIRTHs */
    spb_device *next_born;       /* in SPB_PHASE_DBIRTHS */
    spb_metric *removed_metrics; /* kept while an answer to a write may name them; by next_of_holder */
    spb_device *removed_devices; /* the same; by next */
    uint32_t waiting_writes;     /* WRITE actions without an answer */
    uint8_t seq;                 /* of the next message */
    bool is_death_due;           /* in SPB_SESSION_STOPPING: the NDEATH was not pulled yet */
    bool is_leaving;             /* in SPB_SESSION_STOPPING: only this server is left; the next one follows */
    char leave_reason[128];

    spb_buffer scratch; /* one encoded metric */
    /* What the last action points to. */
    spb_buffer payload;
    spb_buffer topic;
    spb_notice notice;
    spb_payload_metric command_metric;
    spb_error command_error;
};

/* life.c */

/* Enters the state and tells so. `reason` may be NULL. */
void spb_session__enter(spb_session *session, spb_session_state state, const char *reason);
void spb_session__log(spb_session *session, spb_log_level level, const char *format, ...) SPB_PRINTF(3, 4);
/* The connection, or the attempt at one, failed: close it, wait, try again; or be stopped, if that was under way. */
void spb_session__fail(spb_session *session, const char *reason, spb_time now);
/* After a death of the node, nobody follows: no device is born. What waited to be sent is lost, or is kept to follow
 * the next births; values that come meanwhile are newer, and are sent once more after it. */
void spb_session__forget_births(spb_session *session, bool keeps_samples);
/* Ends the session with this server on purpose: NDEATH if there was a birth, DISCONNECT; then the next server. */
void spb_session__leave(spb_session *session, const char *reason, spb_time now);
/* What time alone brings about: the end of a wait, and the change from BIRTHING to ONLINE. */
void spb_session__advance(spb_session *session, spb_time now);
/* Hosts have been told of births in this connection, and want to hear more. */
bool spb_session__is_live(const spb_session *session);

/* remove.c */

/* Frees what was removed, unless the answer to a write may still name it. */
void spb_session__bury(spb_session *session);
/* A device that was removed and has nothing left to say. */
void spb_session__bury_device(spb_session *session, spb_device *device);
/* Takes the metric out and ends it. */
void spb_session__remove_metric(spb_session *session, spb_metric *metric, spb_time now);

/* info.c */

#define SPB_MAX_BIRTH_FACTS 16
/* What an NBIRTH of this moment says of the session itself; returns how many. */
size_t spb_session__birth_facts(const spb_session *session, spb_birth_fact facts[SPB_MAX_BIRTH_FACTS]);
/* A metric of the node cannot have this name. */
bool spb_session__is_own_name(const spb_session *session, const char *name);

/* template.c */

/* A value of a metric: templates in it are instances of definitions that the node has. SPB_ERR_NOT_FOUND,
 * SPB_ERR_ARGUMENT: they lack a member. SPB_ERR_TYPE: a definition. Others are fine. */
spb_status spb_session__check_template(const spb_session *session, const spb_value *value, spb_error *err);

/* session.c */

/* Adds a metric or a definition; see spb_session_add_metric. */
spb_status spb_session__add(spb_session *session, spb_metric **out, spb_device *holder, const spb_metric_def *def,
                            bool is_definition, spb_time now, spb_error *err);

/* message.c */

/* A message of the present link. */
void spb_session__on_message(spb_session *session, const spb_transport_event *event, spb_time now);
/* A metric of an NCMD that the session answers by itself, when it comes. */
bool spb_session__is_control(const spb_session *session, spb_str name);
/* The primary host is online: births may go ahead. Always so without one. */
bool spb_session__may_be_born(const spb_session *session);

/* watch.c */

/* The server has proved that it reads and answers: after SUBACK, and after each fence. */
void spb_session__saw_answer(spb_session *session, spb_time now);
/* No fence is wanted any more. */
void spb_session__end_watch(spb_session *session);
/* The server has had its time to answer. */
bool spb_session__is_unanswered(const spb_session *session, spb_time now);
bool spb_session__next_fence(spb_session *session, spb_time now, spb_action *out);

/* publish.c */

/* The next message; false when none may leave now. */
bool spb_session__next_publish(spb_session *session, spb_time now, spb_action *out);
/* The NDEATH, which is the will as well, into `topic` and `payload`. */
spb_status spb_session__make_death(spb_session *session, spb_time now);
/* Appends an encoded sample to the batch of its holder; scratch holds it, room was reserved. */
void spb_session__add_sample(spb_session *session, spb_device *holder, uint64_t timestamp_ms, spb_time now);
/* Takes the holder's waiting samples away, and counts them as lost. */
void spb_session__drop_batch(spb_session *session, spb_device *holder);
/* Skips the devices that do not want a DBIRTH; NULL: all have theirs. */
spb_device *spb_session__next_to_be_born(spb_session *session, spb_time now);
/* A DBIRTH soon. */
void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now);

#endif
