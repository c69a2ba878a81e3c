/*
 * The parts of a session, and what its files share: session.c (what it is and what it publishes), life.c (what
 * happened), publish.c (which message is next), action.c (what it wants done).
 */
#ifndef SPB_CORE_SESSION_H
#define SPB_CORE_SESSION_H

#include <spb/session.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/command.h"
#include "core/notice.h"
#include "core/seq.h"
#include "core/table.h"

/* How long additions wait for each other, so that they share one birth. */
#define SPB_BIRTH_WINDOW_MS 50
/* A holder whose link is slower than its samples keeps as many full messages as this. */
#define SPB_MAX_WAITING_BATCHES 16
/* A connection that was online for so long was a good one: the next wait begins at reconnect_min_ms again. */
#define SPB_STEADY_MS 10000
/* The session waits so much longer than it asks the transport to: then the transport has failed to answer. */
#define SPB_ANSWER_GRACE_MS 1000

/* How far the births of this connection are. */
typedef enum spb_phase {
    SPB_PHASE_UNBORN,  /* no NBIRTH in this connection yet */
    SPB_PHASE_DBIRTHS, /* NBIRTH is out, DBIRTHs follow */
    SPB_PHASE_BORN     /* all are out: data may flow */
} spb_phase;

struct spb_session {
    spb_session_options options; /* its strings are the session's own */
    char *strings[6];            /* the memory of these, and of the filters */
    spb_subscription subscriptions[2];
    void *owner;
    spb_table table;
    spb_queue queues[SPB_QUEUE_COUNT];
    spb_command_queue commands;
    spb_notices notices;
    spb_backoff backoff;
    spb_bdseq bdseq;
    spb_stats stats;

    spb_session_state state;
    bool is_due;            /* the one action of the present state was not pulled yet */
    uint64_t timer_ms;      /* end of the present state, or SPB_NEVER */
    uint32_t waiting_saves; /* SAVE_BDSEQ actions without an answer */

    uint32_t link; /* of the present connection; 0: none */
    uint32_t last_link;
    uint32_t close_link; /* to be closed; 0: none */
    uint32_t in_flight;  /* messages without an answer */
    bool was_online;     /* in this connection, since: */
    uint64_t online_since_ms;

    spb_phase phase;
    bool wants_birth;           /* another NBIRTH with all DBIRTHs, at once */
    uint64_t node_birth_due_ms; /* the same, later; or SPB_NEVER */
    uint64_t sequence;          /* counts the NBIRTHs */
    spb_device *next_born;      /* in SPB_PHASE_DBIRTHS */
    uint8_t seq;                /* of the next message */
    bool is_death_due;          /* in SPB_SESSION_STOPPING: the NDEATH was not pulled yet */

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
/* What time alone brings about: the end of a wait, and the change from BIRTHING to ONLINE. */
void spb_session__advance(spb_session *session, spb_time now);
/* Hosts have been told of births in this connection, and want to hear more. */
bool spb_session__is_live(const spb_session *session);

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
spb_device *spb_session__next_to_be_born(spb_session *session);
/* A DBIRTH soon. */
void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now);

#endif
