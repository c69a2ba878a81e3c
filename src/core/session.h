/*
 * The parts of a session, and what its files share. From the bottom up: state.c (what the others ask about it),
 * frame.c (messages), oversize.c (births that are too large), birth.c (births and deaths), sample.c (what becomes of a
 * sample), past.c (of one of the past), remove.c (of what is removed), clock.c (when the wall clock is set), update.c
 * (samples that the application hands in), life.c (how connections come and go), message.c (what hosts say), publish.c
 * (which message is next), action.c (which action is next), events.c and session.c (what the application and the
 * transport call). A file calls those before it, and none behind it. The way of samples from here to the server and the
 * journal is the outbox.
 */
#ifndef SPB_CORE_SESSION_H
#define SPB_CORE_SESSION_H

#include <spb/session.h>

#include "base/error.h"
#include "core/backoff.h"
#include "core/certificate.h"
#include "core/command.h"
#include "core/host.h"
#include "core/oversize.h"
#include "core/seq.h"
#include "core/servers.h"
#include "core/table.h"
#include "outbox/outbox.h"

/* How long additions wait for each other, so that they share one birth. */
#define SPB_BIRTH_WINDOW_MS 50
/* How much the clock of one call may lie behind that of an earlier one: a tick of the kernel. */
#define SPB_TICK_MS 10
/* A connection that was online for so long was a good one: the next wait begins at reconnect_min_ms again. */
#define SPB_STEADY_MS 10000
/* The session waits so much longer than it asks the transport to: then the transport has failed to answer. */
#define SPB_ANSWER_GRACE_MS 1000
/* When births take so long to arrive, the link is worth a line. */
#define SPB_SLOW_BIRTH_MS 5000
/* How long NDEATH and DISCONNECT may take on the way from one server to the next. */
#define SPB_LEAVE_MS 2000
/* How long after a failure the store is asked again to take the bdSeq. */
#define SPB_BDSEQ_RETRY_MS 1000
/* How long after a start the application may still add what the journal has samples of. */
#define SPB_GRACE_MS 60000
/* When a birth took longer than the keep-alive, the next is so many times as long, and at most so many. */
#define SPB_STRETCH 4
#define SPB_MAX_STRETCH 16
#define SPB_HOST_IS_OFFLINE "the primary host is offline"
/* What was true once is not what is wanted now. */
#define SPB_IS_HISTORICAL "the command is historical"

/* How far the births of this connection are. */
typedef enum spb_phase {
    SPB_PHASE_UNBORN,  /* no NBIRTH in this connection yet */
    SPB_PHASE_DBIRTHS, /* NBIRTH is out, DBIRTHs follow */
    SPB_PHASE_BORN     /* all are out, though they may not have arrived: data may flow */
} spb_phase;

struct spb_session {
    spb_session_options options; /* its strings are the session's own */
    char *strings[6];            /* the memory of these, and of the filters */
    spb_subscription subscriptions[3];
    size_t subscription_count;
    spb_subscription fences[SPB_FENCE_FORMS]; /* the filter of each form */
    size_t topic_bytes;                       /* of a topic for data, without the device ID */
    void *owner;
    spb_table table;
    spb_list births; /* of devices that want a DBIRTH, in the order of the time for it */
    spb_list deaths; /* of those that want a DDEATH */
    spb_command_queue commands;
    uint32_t commands_in_a_row;    /* handed out, with nothing else between that had to wait */
    uint32_t store_calls_in_a_row; /* the same */
    spb_notices notices;
    spb_servers servers;
    spb_host host;
    spb_backoff backoff;
    spb_bdseq bdseq;
    spb_stats stats;
    spb_outbox outbox;

    spb_session_state state;
    bool is_due;             /* the one action of the present state was not pulled yet */
    uint64_t timer_ms;       /* end of the present state, or SPB_NEVER */
    uint64_t asked_ms;       /* when SUBSCRIBE was pulled */
    uint32_t stretch;        /* the next connection's keep-alive is so many times as long, for its birth; 0: once */
    uint32_t waiting_saves;  /* SAVE_BDSEQ actions without an answer */
    uint64_t bdseq_retry_ms; /* the store did not take it: when it is asked again; SPB_NEVER: it has it */

    uint32_t link; /* of the present connection; 0: none */
    uint32_t last_link;
    uint32_t close_link;       /* to be closed; 0: none */
    uint32_t max_packet_bytes; /* that this server takes; 0: it has not said */
    bool is_limit_own;         /* that is max_message_bytes of the options */
    spb_oversize oversize;
    bool is_slowness_told; /* of this connection */
    bool was_online;       /* in this connection, since: */
    uint64_t online_since_ms;

    spb_phase phase;
    bool wants_birth;            /* a host asked for another NBIRTH with all DBIRTHs; until then there is no data */
    uint64_t rebirth_due_ms;     /* while wants_birth */
    uint64_t node_birth_due_ms;  /* the same, because of a change; or SPB_NEVER */
    uint64_t last_birth_ms;      /* when the last NBIRTH left */
    uint64_t birth_bytes;        /* of all births since, in SPB_PHASE_BORN; before, what was published till then */
    uint64_t sequence;           /* counts the NBIRTHs */
    spb_device *next_born;       /* in SPB_PHASE_DBIRTHS */
    spb_metric *removed_metrics; /* kept while an answer to a write may name them; by next_of_holder */
    spb_device *removed_devices; /* the same; by next */
    uint32_t waiting_writes;     /* WRITE actions without an answer */
    uint8_t seq;                 /* of the next message */
    bool is_death_due;           /* in SPB_SESSION_STOPPING: the NDEATH was not pulled yet */
    bool is_leaving;             /* in SPB_SESSION_STOPPING: only this server is left; the next one follows */
    char leave_reason[128];

    uint32_t saving_alias;  /* while the store is asked to save aliases: the highest of them */
    uint64_t unsent;        /* metrics that hold a sample which nothing has carried */
    bool was_clock_unset;   /* the wall clock was seen not to show the time */
    bool awaits_clock;      /* in SPB_SESSION_WAITING: for that to change; */
    uint64_t clock_look_ms; /* while it does: when to look again */
    spb_deadlines timers;   /* of samples that are held, or deferred, by the rules of their metrics */
    spb_buffer scratch;     /* one encoded metric */
    /* What SAVE_ALIASES points to, until it is answered. */
    spb_alias *alias_items;
    spb_buffer alias_texts;
    /* What the last action points to. */
    spb_buffer payload;
    spb_buffer topic;
    spb_notice notice;
    spb_payload_metric command_metric;
    spb_error command_error;
};

/* ---- state.c ---- */

/* Enters the state and tells so. `reason` may be NULL. */
void spb_session__enter(spb_session *session, spb_session_state state, const char *reason);
/* Hosts have been told of births in this connection, and want to hear more. */
static inline bool spb_session__is_live(const spb_session *session) {
    return session->phase != SPB_PHASE_UNBORN && session->state != SPB_SESSION_STOPPING;
}
bool spb_session__is_running(const spb_session *session);
/* Of the next CONNECT. */
uint32_t spb_session__keep_alive_s(const spb_session *session);
/* All births were handed over, whether or not they have arrived, and no others are asked for
 * (tck-id-operational-behavior-data-commands-rebirth-action-1). */
bool spb_session__may_send_data(const spb_session *session);
/* The state or the phase has changed, or what is asked for: the outbox is told whether it may replay. */
void spb_session__see_phase(spb_session *session);
/* The primary host is online: births may go ahead. Always so without one. */
bool spb_session__may_be_born(const spb_session *session);
/* Births wait for the store: it shall know new aliases first. */
bool spb_session__awaits_aliases(const spb_session *session);
/* The time for samples of this moment. */
uint64_t spb_session__stamp(const spb_session *session, spb_time now);
/* How large the metrics of one data message may be; 0: no limit. */
size_t spb_session__most_metric_bytes(const spb_session *session, const spb_device *holder);
/* A value of a metric: templates in it are instances of definitions that the node has. SPB_ERR_NOT_FOUND,
 * SPB_ERR_ARGUMENT: they lack a member. SPB_ERR_TYPE: a definition. Others are fine. (template.c) */
spb_status spb_session__check_template(const spb_session *session, const spb_value *value, spb_error *err);

/* ---- frame.c ---- */

/* Begins a message: the topic, and nothing in the payload. */
spb_status spb_session__begin_message(spb_session *session, spb_kind kind, const spb_device *holder);
/* The PUBLISH packet of a message. */
size_t spb_session__packet_bytes(size_t topic_bytes, size_t payload_bytes);
/* The message of the topic, in a packet of so many bytes, is larger than the server or the options allow. */
void spb_session__log_too_large(spb_session *session, size_t bytes, spb_time now);
/* It fits what the server takes; else there is a line in the log. */
bool spb_session__is_acceptable(spb_session *session, spb_bytes payload, spb_time now);
/* The message of the topic becomes the action; returns its size, topic included. */
size_t spb_session__publish(spb_session *session, spb_bytes payload, spb_action *out);
/* The NDEATH, which is the will as well. */
spb_status spb_session__make_death(spb_session *session, spb_time now);

/* ---- sample.c ---- */

/* The flags that are its quality. */
#define SPB_SAMPLE_QUALITY (SPB_SAMPLE_BAD | SPB_SAMPLE_STALE)
/* A sample as the rules of its metric see it. */
static inline spb_report spb_session__report(const spb_sample *given, uint64_t timestamp_ms) {
    return (spb_report){.value = &given->value,
                        .timestamp_ms = timestamp_ms,
                        .quality = given->flags & SPB_SAMPLE_QUALITY,
                        .is_forced = (given->flags & SPB_SAMPLE_FORCED) != 0};
}
/* A sample of it goes into a live block, for those who follow. */
static inline bool spb_session__is_followed(const spb_session *session, const spb_metric *metric) {
    const spb_device *holder = metric->holder;
    /* A device that went offline and came back is born again soon: with a journal, its samples stay in order. */
    bool is_dying = session->outbox.journal.is_used && holder->in_deaths.list;
    return spb_session__is_live(session) && holder->is_born && holder->is_online && metric->in_birth && !is_dying;
}
/* As spb_session_sample, when the sample was checked, and the clock was looked at. */
spb_status spb_session__take_sample(spb_session *session, const spb_sample *given, spb_time now);
/* A sample that nothing has carried gives way: to a newer one, or with its metric. */
void spb_session__drop_unsent(spb_session *session, spb_metric *metric);
/* After an overflow has drained: what hosts have not seen of the present values. */
void spb_session__catch_up(spb_session *session, spb_device *holder, spb_time now);
/* What the rules of metrics hold back is sent when its time has come; */
void spb_session__ring_timers(spb_session *session, spb_time now);
/* before that, what says something new: of one metric, and of all. */
void spb_session__release(spb_session *session, spb_metric *metric, spb_time now);
void spb_session__release_all(spb_session *session, spb_time now);

/* ---- remove.c ---- */

/* What waits leaves before any birth; or, if nobody follows, it is shelved. */
void spb_session__settle_samples(spb_session *session, spb_device *holder);
/* Frees what was removed, unless the answer to a write may still name it. */
void spb_session__bury(spb_session *session);
/* A device that was removed and has nothing left to say. */
void spb_session__bury_device(spb_session *session, spb_device *device);
/* Takes the metric out and ends it. */
void spb_session__remove_metric(spb_session *session, spb_metric *metric, spb_time now);

/* Adds a metric or a definition; see spb_session_add_metric. (session.c) */
spb_status spb_session__add(spb_session *session, spb_metric **out, spb_device *holder, const spb_metric_def *def,
                            bool is_definition, spb_time now, spb_error *err);

/* ---- clock.c ---- */

/* Notices that the wall clock was set. */
void spb_session__see_clock(spb_session *session, spb_time now);
/* The session starts: true when it is to wait for that, in SPB_SESSION_WAITING (option clock_wait_s). */
bool spb_session__await_clock(spb_session *session, spb_time now);
/* That wait is over: the clock is set, or was not set in time. */
void spb_session__end_clock_wait(spb_session *session);

/* ---- life.c ---- */

/* The connection, or the attempt at one, failed: close it, wait, try again; or be stopped, if that was under way. */
void spb_session__fail(spb_session *session, const char *reason, spb_time now);
/* Ends the session with this server on purpose: NDEATH if there was a birth, DISCONNECT; then the next server. */
void spb_session__leave(spb_session *session, const char *reason, spb_time now);
/* A fence was answered: a birth that came through in time needs no longer keep-alive any more. */
void spb_session__see_birth_arrive(spb_session *session, spb_time now);
/* A fence was answered: what went before it got through. */
void spb_session__see_answer(spb_session *session, spb_time now);
/* The connection was lost, which counts. Adds the cause to the text, if more is known than that. */
spb_cause spb_session__explain_loss(spb_session *session, char *text, size_t size, spb_time now);
/* DISCONNECT was answered: the server is left in good order. */
void spb_session__part(spb_session *session, spb_time now);
/* When time alone brings something about: see spb_session_on_tick. */
uint64_t spb_session__tick_ms(const spb_session *session);

/* ---- message.c ---- */

/* A message of the present link. */
void spb_session__on_message(spb_session *session, const spb_transport_event *event, spb_time now);
/* A metric of an NCMD that the session answers by itself, when it comes. */
bool spb_session__is_control(const spb_session *session, spb_str name);

/* ---- publish.c ---- (both as the functions of outbox.h that return an action) */

/* The next message. */
bool spb_session__next_publish(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms);
/* The store is told the bdSeq of now. (identity.c) */
void spb_session__save_bdseq(spb_session *session, spb_action *out);
/* The next call of the store for the identity: bdSeq and aliases. (identity.c) */
bool spb_session__next_identity(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms);

#endif
