/*
 * The parts of a session, and what its files share. What it is: session.c, options.c; what it publishes: session.c,
 * remove.c, template.c, info.c; what becomes of a sample: join.c, sample.c, shelf.c (when nobody follows), append.c
 * (into the journal), deliver.c (until it is confirmed), replay.c and arrive.c (afterwards); what happened: life.c,
 * message.c (what hosts say), refusal.c, clock.c; what it wants done: action.c, store.c, publish.c, birth.c, reel.c
 * (the replay) and frame.c (messages).
 */
#ifndef SPB_CORE_SESSION_H
#define SPB_CORE_SESSION_H

#include <spb/session.h>

#include "base/error.h"
#include "base/quota.h"
#include "core/backoff.h"
#include "core/certificate.h"
#include "core/command.h"
#include "core/fence.h"
#include "core/flush.h"
#include "core/host.h"
#include "core/journal.h"
#include "core/notice.h"
#include "core/replay.h"
#include "core/seq.h"
#include "core/servers.h"
#include "core/table.h"
#include "core/timers.h"
#include "core/window.h"

/* How long additions wait for each other, so that they share one birth. */
#define SPB_BIRTH_WINDOW_MS 50
/* How much the clock of one call may lie behind that of an earlier one: a tick of the kernel. */
#define SPB_TICK_MS 10
/* A holder whose link is slower than its samples keeps as many full messages as this. */
#define SPB_MAX_WAITING_BATCHES 16
/* A connection that was online for so long was a good one: the next wait begins at reconnect_min_ms again. */
#define SPB_STEADY_MS 10000
/* The session waits so much longer than it asks the transport to: then the transport has failed to answer. */
#define SPB_ANSWER_GRACE_MS 1000
/* How long NDEATH and DISCONNECT may take on the way from one server to the next. */
#define SPB_LEAVE_MS 2000
/* How long after a failure the store is asked again to take the bdSeq. */
#define SPB_BDSEQ_RETRY_MS 1000
/* How long after a start the application may still add what the journal has samples of. */
#define SPB_GRACE_MS 60000
/* What may wait for the journal while that takes nothing: of all holders, and of connections that were lost. */
#define SPB_MAX_HELD_BYTES ((size_t)16 * 1024 * 1024)
/* What is kept of confirmed messages, in case that the primary host has not seen them. */
#define SPB_MAX_HOST_WINDOW_BYTES ((size_t)8 * 1024 * 1024)
#define SPB_HOST_IS_OFFLINE "the primary host is offline"
/* What was true once is not what is wanted now. */
#define SPB_IS_HISTORICAL "the command is historical"

/* How far the births of this connection are. */
typedef enum spb_phase {
    SPB_PHASE_UNBORN,  /* no NBIRTH in this connection yet */
    SPB_PHASE_DBIRTHS, /* NBIRTH is out, DBIRTHs follow */
    SPB_PHASE_BORN     /* all are out: data may flow */
} spb_phase;

/* The APPEND that is not answered. It names a message of a holder, or else the oldest of the spill. */
typedef struct spb_appending {
    uint64_t id;
    uint32_t samples;  /* in the block, */
    uint32_t unwanted; /* and those that were left out */
    size_t bytes;
    uint8_t epoch; /* when there is no message any more */
    bool is_of_spill;
    bool has_boot;
    spb_device *holder; /* NULL, and not of the spill: the message is gone, and the block is all that is left of it */
    bool is_held;       /* in `held`, else in `batch` */
    size_t index;       /* in `held` */
} spb_appending;

struct spb_session {
    spb_session_options options; /* its strings are the session's own */
    char *strings[5];            /* the memory of these, and of the filters */
    spb_subscription subscriptions[3];
    size_t subscription_count;
    size_t topic_bytes; /* of a topic for data, without the device ID */
    void *owner;
    spb_table table;
    spb_queue queues[SPB_QUEUE_COUNT];
    spb_command_queue commands;
    uint32_t commands_in_a_row; /* handed out, with nothing else between that had to wait */
    spb_quota refusals;         /* log lines about what peers sent */
    spb_notices notices;
    spb_servers servers;
    spb_host host;
    spb_backoff backoff;
    spb_bdseq bdseq;
    spb_stats stats;

    spb_session_state state;
    bool is_due;             /* the one action of the present state was not pulled yet */
    uint64_t timer_ms;       /* end of the present state, or SPB_NEVER */
    uint32_t waiting_saves;  /* SAVE_BDSEQ actions without an answer */
    uint64_t bdseq_retry_ms; /* the store did not take it: when it is asked again; SPB_NEVER: it has it */

    uint32_t link; /* of the present connection; 0: none */
    uint32_t last_link;
    uint32_t close_link;       /* to be closed; 0: none */
    uint32_t max_packet_bytes; /* that this server takes; 0: it has not said */
    spb_fences fences;
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

    spb_delivery level;       /* LIVE, OUTAGE or DURABLE */
    spb_window window;        /* published in this connection, or kept for the primary host */
    size_t unconfirmed_bytes; /* of metrics in it */
    size_t idless;            /* messages in it that are not confirmed, and that the journal does not have */
    size_t written_index;     /* of the first record in the window that was not written; SPB_CONFIRM_WINDOW */
    bool has_host_gap;        /* the primary host was away: what is kept in the window is for the journal */
    spb_window spill;         /* published in connections that were lost: for the journal, before all else */
    size_t held_bytes;        /* in the `held` of all holders */
    spb_appending appending;  /* while journal.asked is SPB_CALL_APPEND */
    spb_journal journal;
    size_t saving_aliases; /* while journal.asked is SPB_CALL_SAVE_ALIASES: how many */
    spb_replay replay;
    spb_flushes flushes;
    uint64_t unsent;           /* metrics that hold a sample which nothing has carried */
    bool has_choices;          /* there are, or were, metrics whose samples are not all stored */
    bool is_clock_set;         /* the wall clock was seen to show the time, or nobody asked */
    bool was_clock_unset;      /* and before that, not to */
    bool is_clock_told;        /* to the journal */
    int64_t clock_offset_ms;   /* wall clock minus monotonic clock, when it was first seen to be set */
    uint64_t in_journal;       /* samples that are stored and not yet delivered */
    uint64_t stored_before;    /* those of an earlier run */
    uint64_t dropped_by_store; /* those that the journal gave up */
    uint64_t repeated;         /* samples that are sent once more after an overflow */
    uint64_t reopened;         /* samples that were counted as confirmed, and are stored after all */

    spb_timers timers;    /* of samples that are held, or deferred, by the rules of their metrics */
    size_t waiting_bytes; /* in the `batch` of all holders */

    spb_buffer scratch;  /* one encoded metric */
    spb_buffer filtered; /* the metrics of a message that are to be stored */
    /* What the last action points to. */
    spb_alias *alias_items;
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
/* After a death of the node, nobody follows: no device is born. What waited to be sent is lost, or goes to the journal;
 * or, with keeps_samples, without a journal, it follows the next births: values that come meanwhile are newer, and are
 * sent once more after it. */
void spb_session__forget_births(spb_session *session, bool keeps_samples);
/* Ends the session with this server on purpose: NDEATH if there was a birth, DISCONNECT; then the next server. */
void spb_session__leave(spb_session *session, const char *reason, spb_time now);
/* What time alone brings about: the end of a wait, and the change from BIRTHING to ONLINE. */
void spb_session__advance(spb_session *session, spb_time now);
/* Hosts have been told of births in this connection, and want to hear more. */
bool spb_session__is_live(const spb_session *session);

/* remove.c */

/* What waits leaves before any birth; or, if nobody follows, it is shelved. */
void spb_session__settle_samples(spb_session *session, spb_device *holder);

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

/* refusal.c */

/* Log lines of this kind are as many as peers like, so some are left out, and counted. */
void spb_session__log_refusal(spb_session *session, spb_time now, const char *format, ...) SPB_PRINTF(3, 4);
/* Tells how many were left out, when their second is over. */
void spb_session__tell_refusals(spb_session *session, spb_time now);
/* When that has something to tell. */
uint64_t spb_session__refusals_due_ms(const spb_session *session);

/* options.c */

/* SPB_ERR_ARGUMENT, SPB_ERR_NAME. */
spb_status spb_session__check_options(const spb_session_options *options, spb_error *err);
/* The level that comes of what is asked for and what there is. */
spb_delivery spb_session__level(const spb_session_options *options);

/* clock.c */

/* The time for samples of this moment. */
uint64_t spb_session__stamp(const spb_session *session, spb_time now);
/* As in spb_block, for samples of this moment. */
uint64_t spb_session__boot(const spb_session *session);
/* Notices that the wall clock was set. */
void spb_session__see_clock(spb_session *session, spb_time now);

/* sample.c */

/* The flags that are its quality. */
#define SPB_SAMPLE_QUALITY (SPB_SAMPLE_BAD | SPB_SAMPLE_STALE)
/* A sample as the rules of its metric see it. */
spb_report spb_session__report(const spb_sample *given, uint64_t timestamp_ms);
/* A sample of it goes into a batch, for those who follow. */
bool spb_session__is_followed(const spb_session *session, const spb_metric *metric);
/* A sample that nothing has carried gives way: to a newer one, or with its metric. */
void spb_session__drop_unsent(spb_session *session, spb_metric *metric);
/* Its value is sent besides, as hosts may have an older one. */
void spb_session__note_told(spb_session *session, spb_metric *metric);
/* What the rules of metrics hold back is sent when its time has come; */
void spb_session__ring_timers(spb_session *session, spb_time now);
/* before that, what says something new: of one metric, and of all. */
void spb_session__release(spb_session *session, spb_metric *metric, spb_time now);
void spb_session__release_all(spb_session *session, spb_time now);

/* deliver.c */

/* The next message will be this one of the holder's; false: no memory. */
bool spb_session__keep(spb_session *session, const spb_device *holder, const spb_segment *segment, spb_bytes metrics);
/* The same for a message of the journal. */
bool spb_session__keep_replay(spb_session *session, uint64_t chunk, uint32_t samples, size_t bytes);
/* A message that is not published, but goes to the journal when everything before it has arrived, some of which is not
 * confirmed: so that the journal has the samples of each metric in their order. */
bool spb_session__keep_waiting(spb_session *session, const spb_device *holder, const spb_segment *segment,
                               spb_bytes metrics);
bool spb_session__has_unconfirmed(const spb_session *session);
/* It will not be published after all: the server does not take it. */
void spb_session__lose(spb_session *session, const spb_segment *segment, spb_time now);
/* The next message will carry so many values that no message had; false: no memory. */
bool spb_session__keep_birth(spb_session *session, uint64_t values);
/* The births are over: a flush may wait for what they carried. */
void spb_session__note_births(spb_session *session);
/* So much is not confirmed that data has to wait. */
bool spb_session__is_window_full(const spb_session *session);
/* Published messages were written; a fence was answered; time has passed. */
void spb_session__on_written(spb_session *session, uint32_t count, spb_time now);
void spb_session__on_fenced(spb_session *session, spb_time now);
void spb_session__confirm_by_time(spb_session *session, spb_time now);
/* When confirm_by_time has something to do. */
uint64_t spb_session__confirm_due_ms(const spb_session *session);
/* The primary host was away: what it may not have seen is to be replayed. */
void spb_session__reopen(spb_session *session);
/* The connection is over: what is not confirmed goes to the journal, or is lost; or has arrived, as far as one can
 * know, if it ended in good order. */
void spb_session__end_window(spb_session *session, bool in_order, spb_time now);
/* is_last: nothing else leaves now. */
bool spb_session__next_fence(spb_session *session, bool is_last, spb_time now, spb_action *out);
/* How long confirmed messages are kept for the primary host. */
uint64_t spb_session__host_window_ms(const spb_session *session);

/* shelf.c */

/* Nobody follows the holder any more: what waits for hosts goes to the journal, or is lost. */
void spb_session__shelve(spb_session *session, spb_device *holder);
/* The holder is no more: the same, in a place that does not need it. */
void spb_session__abandon(spb_session *session, spb_device *holder);
/* A sample that nobody follows, in scratch, for the journal. SPB_ERR_NO_MEMORY: it was not taken. */
spb_status spb_session__hold(spb_session *session, spb_metric *metric, const spb_value *value, uint64_t timestamp_ms,
                             spb_time now);
/* What is held is wanted in the journal soon: it is closed. */
void spb_session__close_held(spb_session *session, spb_device *holder);
/* A birth leaves: what is held is older, and goes to the journal. */
void spb_session__settle_held(spb_session *session, spb_device *holder);
/* A message of the holder has left; when it was the last, what is held need not wait any more. */
void spb_session__release_held(spb_session *session, spb_device *holder);
/* The first NBIRTH of a connection is about to leave: what is held in messages is older, so it goes to the spill. */
void spb_session__spill_held(spb_session *session);
/* A message joins the spill; is_doubtful: it was published. */
void spb_session__spill(spb_session *session, const spb_record *record, spb_record_bytes bytes, bool is_doubtful);
/* The link is slower than the samples: the holder's oldest message goes to the journal. False: it cannot. */
bool spb_session__store_oldest(spb_session *session, spb_device *holder);
/* The oldest message of the shelf is gone; those that are in the journal already are taken from its front. */
void spb_session__pop_held(spb_session *session, spb_device *holder);
void spb_session__skip_stored(spb_session *session, spb_device *holder);

/* append.c */

/* The journal is asked to take a message of the holder: of `held`, or of `batch`. */
bool spb_session__is_asked(const spb_session *session, const spb_device *holder, bool is_held);
/* The next message for the journal. */
bool spb_session__next_append(spb_session *session, spb_time now, spb_action *out);
/* When that will be; 0: at once. */
uint64_t spb_session__append_due_ms(const spb_session *session);
/* A message may leave: at the level DURABLE it is safe, or cannot be made so. */
bool spb_session__may_leave(const spb_session *session, const spb_device *holder);

/* store.c */

/* A call of the store failed, or went well: tells, if that is news. */
void spb_session__store_failed(spb_session *session, const char *what, spb_status status, const char *reason,
                               spb_time now);
void spb_session__store_went_well(spb_session *session);

/* The next call of the store; false: none is wanted now. */
bool spb_session__next_store(spb_session *session, spb_time now, spb_action *out);
uint64_t spb_session__store_due_ms(const spb_session *session);
/* Births wait for the store: it shall know new aliases first. */
bool spb_session__awaits_aliases(const spb_session *session);

/* frame.c: messages in `topic` and `payload` */

/* Begins a message: the topic, and nothing in the payload. */
spb_status spb_session__begin_message(spb_session *session, spb_kind kind, const spb_device *holder);
/* What every data message begins with, and ends with. */
spb_status spb_session__begin_data(spb_session *session, const spb_device *holder, spb_time now);
spb_status spb_session__end_data(spb_session *session);
/* How large the metrics of one data message may be; 0: no limit. */
size_t spb_session__most_metric_bytes(const spb_session *session, const spb_device *holder);
/* It fits what the server takes; else there is a line in the log. */
bool spb_session__is_acceptable(spb_session *session);
/* The message becomes the action, with the next sequence number, or without. One that `counts` calls for a fence. */
void spb_session__publish_numbered(spb_session *session, bool counts, spb_time now, spb_action *out);
void spb_session__publish_unnumbered(spb_session *session, spb_time now, spb_action *out);
/* A message that cannot be made must not leave a gap, nor half a birth: this connection is over. Returns false. */
bool spb_session__give_up(spb_session *session, spb_kind kind, spb_status status, spb_time now);
/* The NDEATH, which is the will as well. */
spb_status spb_session__make_death(spb_session *session, spb_time now);

/* publish.c */

/* How large the open message of the holder may become. */
spb_batch_limits spb_session__limits(const spb_session *session, const spb_device *holder);

/* The next message; false when none may leave now. */
bool spb_session__next_publish(spb_session *session, spb_time now, spb_action *out);
/* When that will be, if nothing happens. */
uint64_t spb_session__publish_due_ms(const spb_session *session);
/* Appends an encoded sample to the batch of its holder; scratch holds it, room was reserved. A patient one goes along
 * with the next that is not. */
void spb_session__add_sample(spb_session *session, spb_device *holder, uint64_t timestamp_ms, bool is_patient,
                             spb_time now);
/* The holder's open message takes no more, and may leave. */
void spb_session__close_batch(spb_session *session, spb_device *holder);
/* The time of those that were deferred has come: it leaves, or at the end of the scan. */
void spb_session__end_patience(spb_session *session, spb_device *holder);
/* The open message takes no more, if it cannot leave without the journal: something waits for it. */
void spb_session__hurry(spb_session *session, spb_device *holder);
/* Puts the holder into the queues where it belongs with what waits now. */
void spb_session__place(spb_session *session, spb_device *holder);

/* birth.c */

/* Each of these becomes the action; false: it could not be made, and the connection is over. */
bool spb_session__publish_node_birth(spb_session *session, spb_time now, spb_action *out);
bool spb_session__publish_device_birth(spb_session *session, spb_device *device, spb_time now, spb_action *out);
bool spb_session__publish_device_death(spb_session *session, spb_device *device, spb_time now, spb_action *out);
bool spb_session__publish_node_death(spb_session *session, spb_time now, spb_action *out);
/* Skips the devices that do not want a DBIRTH; NULL: all have theirs. */
spb_device *spb_session__next_to_be_born(spb_session *session, spb_time now);
/* A DBIRTH soon. */
void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now);

#endif
