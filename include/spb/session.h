/*
 * The session of one edge node, as a pure state machine: no I/O, no clock, no thread, no randomness of its own.
 *
 * Tell it what happened (spb_session_on_…), pull what it wants done (spb_session_next_action) until there is nothing
 * more, and come back when something happens or at spb_session_deadline_ms. Most programs use spb/node.h, which does
 * this; this header is for those who bring their own event loop, MQTT stack or database.
 *
 * A session has no lock: one thread at a time may call it. `now` is handed in and counts as frozen during the call.
 */
#ifndef SPB_SESSION_H
#define SPB_SESSION_H

#include <spb/metric.h>
#include <spb/store.h>
#include <spb/topic.h>
#include <spb/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spb_session spb_session;

typedef struct spb_time {
    uint64_t mono_ms; /* monotonic; never steps: all timers use it */
    uint64_t wall_ms; /* since 1970-01-01 UTC; may step: only timestamps use it */
} spb_time;

/* No deadline: nothing to do until something happens. */
#define SPB_NEVER UINT64_MAX

typedef enum spb_session_state {
    SPB_SESSION_STOPPED,     /* not started, or stopped */
    SPB_SESSION_WAITING,     /* waits for the next attempt to connect */
    SPB_SESSION_SAVING,      /* the bdSeq is being made durable */
    SPB_SESSION_CONNECTING,  /* CONNECT is under way */
    SPB_SESSION_SUBSCRIBING, /* connected; SUBSCRIBE is under way */
    SPB_SESSION_WAIT_HOST,   /* subscribed; the primary host is not online */
    SPB_SESSION_BIRTHING, /* NBIRTH and DBIRTHs are on their way: data may follow them, but hosts may not know of them
                             yet. So it is again for a rebirth */
    SPB_SESSION_ONLINE,   /* they have arrived at the server, so hosts know the node; see spb_confirm for when */
    SPB_SESSION_STOPPING  /* NDEATH and DISCONNECT are being written: to stop, or to go to the next server */
} spb_session_state;

SPB_API const char *spb_session_state_name(spb_session_state state);

typedef enum spb_log_level {
    SPB_LOG_ERROR,   /* something was lost, or will not work without help */
    SPB_LOG_WARNING, /* unusual, and dealt with */
    SPB_LOG_INFO,    /* life of the session: connected, born, stopped */
    SPB_LOG_DEBUG    /* more of it: births that were handed over, and have not arrived */
} spb_log_level;

/*
 * Metrics that tell hosts about the node, as of its last birth; without an alias, so never in data messages. Those of
 * `Node Control` other than Rebirth and Next Server are the application's: a metric `Node Control/Reboot` (Boolean) or
 * `Node Control/Scan Rate` (Int64, ms) with on_write, which leaves in *value what hosts are to see, usually false.
 */
#define SPB_NODE_INFO_LIBRARY 0x1u  /* Node Info/Library, Node Info/Library Version */
#define SPB_NODE_INFO_SERVER 0x2u   /* Node Info/Server: the one it is connected to */
#define SPB_NODE_INFO_COUNTERS 0x4u /* Node Info/Connects, Connections Lost, Samples Published, Samples Dropped */
#define SPB_NODE_INFO_STORE 0x8u    /* Node Info/Store/Samples, Bytes, Oldest, Replayed, Dropped */

/*
 * How much is done so that no sample gets lost. Sparkplug wants QoS 0 for data, with which all is lost that was written
 * between the death of a link and the moment in which that is noticed. So a copy of what was published is kept until a
 * fence is answered: a request that the server answers when it has read everything before it.
 */
typedef enum spb_delivery {
    SPB_DELIVERY_AUTO,   /* OUTAGE with a journal, else LIVE */
    SPB_DELIVERY_LIVE,   /* samples taken while nobody follows are dropped, and counted; as are those in flight when a
                            connection is lost */
    SPB_DELIVERY_OUTAGE, /* when a connection is lost, what was not confirmed goes to the journal, as does all that
                            follows until the next birth: any outage is survived, as long as the process lives */
    SPB_DELIVERY_DURABLE /* each message is in the journal before it is published: also the end of the process, or of
                            the power, is survived, up to the last commit (spb_session_flush) */
} spb_delivery;

/*
 * When a published message counts as read by the server. So do births, which makes a session ONLINE: at the level LIVE,
 * too, when the fence that follows them was answered, which is a round trip later, or many seconds on a narrow link;
 * with SPB_CONFIRM_WINDOW and a journal, or on a server that answers no fence, after the time that stands below. Who
 * only wants to publish need not wait for it: data follows the births at once, and samples that are taken before them
 * are in them.
 */
typedef enum spb_confirm {
    SPB_CONFIRM_FENCE, /* when a fence behind it was answered: see `spb fence-test` */
    SPB_CONFIRM_WINDOW /* when it was written two keep-alives ago: for servers that answer fences out of turn. Or that
                          answer none: then four keep-alives and 15 s ago, as MQTT's own keep-alive is all that watches
                          the link; at every level, such a server is not given up for that */
} spb_confirm;

/*
 * How far ahead of the wall clock of this machine the timestamp of a STATE may be and still be right. One that is
 * further ahead counts, as it may be our clock that is wrong; but it does not make others old, which are not: nobody
 * can silence a host for longer than this with a timestamp of the far future. While our clock is not set, all
 * are ahead, none can be told from a wrong one, and all are compared.
 */
#define SPB_CLOCK_ALLOWANCE_MS 300000

typedef struct spb_session_options {
    const char
        *servers; /* e.g. mqtt://127.0.0.1:1883; several, separated by commas: tried in that order, one at a time
                     (tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server) */
    const char *group_id;
    const char *node_id;
    const char *client_id;       /* NULL: "<group_id>-<node_id>" */
    uint32_t keep_alive_s;       /* 1 … 65535 */
    uint32_t connect_timeout_ms; /* 100 … 300,000 */
    uint32_t connect_spread_ms; /* the first attempt after a start waits for a random part of this, so that a fleet does
                                   not come to its server at one moment; 0: it does not wait; at most 3,600,000 */
    uint32_t clock_wait_s;     /* while the wall clock of this machine is not set, the first attempt after a start waits
                                  for it, for so long at most: births and data would carry 1970, and certificates count
                                  as not valid yet. Samples are taken meanwhile as without a connection, and get the
                                  right times: with a journal (OUTAGE has one, be it in memory) all are kept, within
                                  its size, else the newest of each metric. At most 86,400; 0: it does not wait. Needs
                                  `boot` */
    uint32_t reconnect_min_ms; /* first wait after a failure, 10 … reconnect_max_ms */
    uint32_t reconnect_max_ms; /* it doubles up to here, with ± 25 % jitter; at most 3,600,000 */
    uint32_t batch_window_ms;  /* samples of this time share a message; 0: each is sent at once */
    size_t batch_max_bytes;    /* a message is closed when its metrics reach this size, */
    uint32_t batch_max_samples; /* or this number */
    size_t max_waiting_bytes; /* of samples of all devices that wait to be published: beyond it, those of a device go to
                                 the journal, or without one, new ones are dropped and counted; one of each device may
                                 always wait; at least 64 KiB */
    size_t max_message_bytes; /* the largest PUBLISH packet that servers take, if it is known: MQTT 3.1.1 servers do not
                                 name it, and may end the connection for a larger one. Data is cut to fit; a definition
                                 that would make a birth larger is refused, and one that has become larger since, by
                                 its values, ends as SPB_ACTION_BIRTH_TOO_LARGE says. 0: what the server names, if it
                                 does */
    uint32_t max_in_flight;   /* messages handed to the transport and not yet reported as published */
    bool no_aliases;          /* data messages carry names instead of aliases */
    const char *primary_host_id; /* births wait until this host application is online; NULL: none. Of its STATEs, those
                                    count that are not older than the last one (see SPB_CLOCK_ALLOWANCE_MS) */
    bool legacy_state;           /* its STATE is on the topic STATE/<id>, as ONLINE or OFFLINE (before Sparkplug 3.0) */
    uint32_t host_wait_ms;       /* with several servers: how long one may keep silent about the host before the next is
                                    tried; at most 3,600,000; 0: for ever */
    uint32_t rebirth_window_ms;  /* requests within this time after a birth share the next one, at its end; 0: at once.
                                    So  do those that come while the births are on their way to the server, until a fence
                                    behind them was answered, or for a keep-alive on a server that answers none */
    uint32_t max_command_metrics; /* a command (NCMD, DCMD) with more metrics is refused as a whole, but for a request
                                     of a rebirth or the next server in it; 1 … 65,536 */
    bool next_server_metric;      /* the metric `Node Control/Next Server`: true walks to the next server */
    uint32_t node_info;           /* which metrics `Node Info/…` the NBIRTH has: SPB_NODE_INFO_…, or'ed; 0: none */

    /* Delivery. All but confirm, has_journal, `journal` and max_unconfirmed_bytes mean nothing at the level LIVE. */
    spb_delivery delivery;
    spb_confirm confirm;
    size_t max_unconfirmed_bytes; /* publishing pauses at so much that is not confirmed, and at what the link has shown
                                     to carry in a second or two, if that is less: it bounds memory, what waits in
                                     the system's buffers, and the duplicates after an outage; at least 64 KiB. With
                                     SPB_CONFIRM_WINDOW it has to hold what is sent in two keep-alives, or four and 15
                                     s on a server that answers no fence */
    uint32_t fence_within_ms;     /* how long a message may wait for its fence while less than 4 KiB do: what is not
                                     confirmed may be sent twice, but a fence costs some 70 bytes on the wire in the
                                     packet of a message, and 170 in its own. With more at stake there is one a second,
                                     or for each 100 messages or 64 KiB; and in half a keep-alive there always is one.
                                     At most 3,600,000 */
    uint32_t store_window_ms;     /* OUTAGE: how long samples may wait in memory for others to share a block with while
                                     nobody follows; at most 60,000 */
    uint32_t host_window_ms; /* with a primary host: what was confirmed in this time before the host went offline is
                                replayed, as the host may not have seen it; UINT32_MAX: two keep-alives; 0: nothing */
    uint32_t resend_on_rebirth_ms; /* a host that asks for a rebirth may have missed data, as servers drop messages for
                                      one that reads slowly: what was confirmed in this time before the request follows
                                      the births once more, as historical data; at most once in that time, and in
                                      host_window_ms (or two keep-alives). It is kept for that long, also for a primary
                                      host that goes offline. At most 3,600,000; 0: nothing */
    uint32_t settle_ms; /* what the server has read is kept for so long: a server that is killed loses what it had read
                           and not passed on yet; if the connection is lost within this time, it is replayed. At most
                           60,000; 0: a server's answer is believed at once */
    uint32_t replay_samples_per_s; /* pace of the replay; 0: as fast as it goes */
    uint32_t replay_bytes_per_s;   /* the same, in payload bytes */
    uint32_t max_sample_age_s;     /* older ones in the journal are dropped and counted; 0: none is too old */
    bool strict_order;             /* live data waits until the replay is over, for hosts that write both to one tag.
                                      What finds no room meanwhile goes to the journal, and is replayed in its turn. Live
                                      data does not wait for what cannot be replayed yet: samples of a device or metric
                                      that is not born, and what a journal that fails holds */
    bool has_journal;              /* `journal` is that of the store; false: there is none, so the level is LIVE */
    spb_store_info journal;
    uint64_t boot; /* which run of the machine this is, by any number but 0; 0: not known */

    bool has_bdseq; /* bdseq is that of the last CONNECT, from the store */
    uint8_t bdseq;
    uint64_t random_seed; /* for the jitter */
} spb_session_options;

#define SPB_SESSION_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        .keep_alive_s = 30, .connect_timeout_ms = 10000, .reconnect_min_ms = 1000, .reconnect_max_ms = 60000,          \
        .batch_window_ms = 100, .batch_max_bytes = 65536, .batch_max_samples = 10000, .max_waiting_bytes = 16 << 20,   \
        .max_in_flight = 64, .host_wait_ms = 30000, .rebirth_window_ms = 1000, .max_command_metrics = 1000,            \
        .max_unconfirmed_bytes = 1 << 20, .fence_within_ms = 10000, .store_window_ms = 1000,                           \
        .host_window_ms = UINT32_MAX, .settle_ms = 500, .replay_samples_per_s = 100000                                 \
    }

/* Strings are copied. SPB_ERR_ARGUMENT, SPB_ERR_NAME (an ID breaks a rule), SPB_ERR_NO_MEMORY. */
SPB_API spb_status spb_session_new(spb_session **out, const spb_session_options *options, spb_error *err);
/* Frees the session with its devices and metrics. Sends nothing. NULL is fine. */
SPB_API void spb_session_free(spb_session *session);

/* ---- what it publishes ---- */

/*
 * Adds a device. It is online from the start: its DBIRTH follows the NBIRTH, or is sent soon on a born node.
 * SPB_ERR_NAME, SPB_ERR_EXISTS, SPB_ERR_NO_MEMORY. On failure *out is NULL.
 */
SPB_API spb_status spb_session_add_device(spb_session *session, spb_device **out, const char *device_id, spb_time now,
                                          spb_error *err);
/*
 * Adds a metric to a device, or to the node (device NULL). A born node or device is born again soon; several additions
 * share one birth. `bdSeq`, `Node Control/Rebirth` and those that options ask for are the session's own and cannot be
 * added. SPB_ERR_ARGUMENT, SPB_ERR_NAME, SPB_ERR_TYPE, SPB_ERR_RANGE, SPB_ERR_EXISTS, SPB_ERR_NO_MEMORY.
 * SPB_ERR_NOT_FOUND: a template instance whose definition was not added (tck-id-payloads-template-definition-nbirth).
 * SPB_ERR_LIMIT: the birth would be larger than max_message_bytes. On failure *out is NULL.
 */
SPB_API spb_status spb_session_add_metric(spb_session *session, spb_metric **out, spb_device *device,
                                          const spb_metric_def *def, spb_time now, spb_error *err);
/*
 * Removes a metric. Its handle ends with the call; only an SPB_ACTION_WRITE that is under way is still answered with
 * it. Samples of its node or device that wait are sent first; then a born node or device is born again without the
 * metric: several removals and additions share one birth. The name may be used again; the alias is not, for the life of
 * the session. With a journal, a metric of that device, name and datatype gets it again, and no other one ever does.
 */
SPB_API void spb_session_remove_metric(spb_session *session, spb_metric *metric, spb_time now);
/*
 * Removes a device with its metrics. All these handles end with the call, as above. A born device sends the samples
 * that wait, and its DDEATH. The ID may be used again. What the journal has of it is replayed if it comes back within
 * 60 seconds (and is born); then it counts as gone.
 */
SPB_API void spb_session_remove_device(spb_session *session, spb_device *device, spb_time now);
/*
 * Adds a template definition, which stands in each NBIRTH (tck-id-topics-nbirth-templates); a born node is born again
 * soon. Metrics that are instances can be added after it. `definition` is copied; it has is_definition, all members and
 * parameters of its instances, and no template_ref. Names are shared with the node's metrics.
 * SPB_ERR_ARGUMENT: not a definition. SPB_ERR_NOT_FOUND: a member is an instance of a template that is not defined.
 * Else as spb_session_add_metric.
 */
SPB_API spb_status spb_session_add_template(spb_session *session, const char *name, const spb_template *definition,
                                            spb_time now, spb_error *err);
/* Removes a definition. SPB_ERR_NOT_FOUND; SPB_ERR_STATE: a metric's value is an instance of it. */
SPB_API spb_status spb_session_remove_template(spb_session *session, const char *name, spb_time now, spb_error *err);
/*
 * A new sample. Published with the next message of its device when that is born; else it is the value of the next
 * birth. Never blocks. `value` is copied. One with a timestamp before that of the newest one is of the past: see
 * SPB_SAMPLE_HISTORICAL. SPB_ERR_TYPE: another datatype than the metric's. SPB_ERR_NAME: text that is
 * not UTF-8. SPB_ERR_NOT_FOUND, SPB_ERR_ARGUMENT: a template that is not true to its definition. SPB_ERR_RANGE: the
 * timestamp is no time in milliseconds (SPB_FIRST_TIMESTAMP_MS). SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_session_update(spb_session *session, spb_metric *metric, const spb_value *value,
                                      uint64_t timestamp_ms, spb_time now);
/* The same with a quality, by force, or of the past. SPB_ERR_ARGUMENT: flags that contradict each other, or are not
 * known; SPB_SAMPLE_HISTORICAL without a timestamp. SPB_ERR_LIMIT: as many samples of the past wait as may do so;
 * nothing has changed, and it can be given again later. */
SPB_API spb_status spb_session_sample(spb_session *session, const spb_sample *sample, spb_time now);
/*
 * Between the two, samples of the device (NULL: of the node) stay in one message, as far as the server takes one of
 * that size and time does not go back; their batch window begins when the scan ends. No change is fine.
 */
SPB_API void spb_session_begin_scan(spb_session *session, spb_device *device);
SPB_API void spb_session_end_scan(spb_session *session, spb_device *device, spb_time now);
/* A device comes (DBIRTH) or goes (DDEATH). No change is fine. */
SPB_API void spb_session_set_device_online(spb_session *session, spb_device *device, bool online, spb_time now);
SPB_API bool spb_session_device_is_online(const spb_session *session, const spb_device *device);
/*
 * A new NBIRTH and all DBIRTHs, with the same bdSeq, as if a host had asked: at once, or within rebirth_window_ms after
 * the last birth at the end of that time, or when that has arrived, one for all who asked. Until then no data leaves;
 * it follows the births.
 */
SPB_API void spb_session_rebirth(spb_session *session, spb_time now);
/*
 * Asks for what was accepted until now to be safe: batches are closed at once, and a fence or a commit follows. Returns
 * a ticket for spb_session_flushed.
 */
SPB_API uint64_t spb_session_flush(spb_session *session, spb_time now);

typedef enum spb_flush {
    SPB_FLUSH_PENDING,   /* not yet */
    SPB_FLUSH_CONFIRMED, /* the server has read all of it */
    SPB_FLUSH_STORED,    /* all of it is confirmed, or in the journal and committed */
    SPB_FLUSH_LOST       /* some of it was dropped, and counted: see spb_stats */
} spb_flush;

/* What became of the samples that a flush was for. */
SPB_API spb_flush spb_session_flushed(const spb_session *session, uint64_t ticket);
/* The last accepted value, borrowed until the next call on this session. */
SPB_API spb_value spb_session_value(const spb_session *session, const spb_metric *metric, uint64_t *timestamp_ms);
/*
 * An alias that an earlier run gave, from the store, to be told before there are metrics: the metric of that name and
 * datatype gets it again. SPB_ERR_NO_MEMORY. SPB_ERR_ARGUMENT: 0, or another metric has it.
 */
SPB_API spb_status spb_session_adopt_alias(spb_session *session, const spb_alias *alias);
/* By name; NULL if there is none. `device` NULL: a metric of the node. */
SPB_API spb_metric *spb_session_find_metric(const spb_session *session, const spb_device *device, const char *name);
SPB_API spb_device *spb_session_find_device(const spb_session *session, const char *device_id);

/* ---- its life ---- */

/*
 * How a session goes on by itself: when an attempt or a connection fails, the next server of the list is tried at once,
 * and after a whole round the session waits. A server that has not answered a fence for one keep-alive is given up,
 * unless the link still carries what was sent before it (SPB_ACTION_LOOK); a fence is sent half a keep-alive after the
 * last answer, in each 64 KiB of a fast stream, in less of one on a link that has not shown to carry so much in a
 * second, and when the transport has not reported a message 10 ms after it got it. After a birth that took longer than
 * the keep-alive, the next connection asks for a longer one. Until a server has answered one on a connection, the next
 * form of fence (spb_fence_form) is tried after 3 s, or a quarter of the keep-alive; what it has answered is asked for
 * first on the next connection. A primary host that goes offline, or a host that asks for the next server, ends the
 * session with this one: NDEATH and DISCONNECT, then the next server; samples that wait are kept and follow the next
 * births. With a lost connection they are dropped and counted. With a journal they are stored in both cases, and follow
 * the next births as historical data, as does what was not confirmed.
 */

/* Whether all births, as they would be now, are within max_message_bytes: to be asked before a start, as without them
 * there will be no session. SPB_ERR_LIMIT: one is larger; err->text says which, and by how much. SPB_ERR_NO_MEMORY. */
SPB_API spb_status spb_session_check_births(spb_session *session, spb_time now, spb_error *err);
/* Begins to connect, to the server it was on. No effect unless stopped. */
SPB_API void spb_session_start(spb_session *session, spb_time now);
/*
 * Ends on purpose: pending samples, NDEATH, DISCONNECT; in less than timeout_ms, else the link is dropped and the
 * server publishes the will. Without a birth in this connection there is no NDEATH.
 */
SPB_API void spb_session_stop(spb_session *session, uint32_t timeout_ms, spb_time now);
SPB_API spb_session_state spb_session_get_state(const spb_session *session);
/* The monotonic time at which spb_session_on_tick wants to be called; 0: at once; SPB_NEVER: when something happens. */
SPB_API uint64_t spb_session_deadline_ms(const spb_session *session);

/* ---- what happened ---- (events of a link that is not the present one are ignored) */

SPB_API void spb_session_on_tick(spb_session *session, spb_time now);
/* Answer to SPB_ACTION_SAVE_BDSEQ. A failure is logged; the session goes on. */
SPB_API void spb_session_on_bdseq_saved(spb_session *session, spb_status status, const char *reason, spb_time now);
/* Whatever the transport reports. */
SPB_API void spb_session_on_transport(spb_session *session, const spb_transport_event *event, spb_time now);
/* The transport did not take a CONNECT, SUBSCRIBE or PUBLISH action. A sequence number must not be left out, so the
 * session of this link ends. */
SPB_API void spb_session_on_action_failed(spb_session *session, uint32_t link, spb_status status, const char *reason,
                                          spb_time now);
/* Answer to SPB_ACTION_LOOK: what spb_transport.carried says. As long as it grows by what was sent before the fence,
 * the server is not given up: the link is slow. Without an answer nothing is known of the link. */
SPB_API void spb_session_on_carried(spb_session *session, uint32_t link, uint64_t bytes, uint64_t left, spb_time now);
/* Answer to SPB_ACTION_SAVE_ALIASES. Births wait for it. A failure is logged; the session goes on. */
SPB_API void spb_session_on_aliases_saved(spb_session *session, spb_status status, const char *reason, spb_time now);
/* Answer to SPB_ACTION_APPEND. After SPB_ERR_STORE the session goes on without the journal, and tries again later. */
SPB_API void spb_session_on_appended(spb_session *session, uint64_t id, spb_status status, const char *reason,
                                     spb_time now);
/* Answer to SPB_ACTION_COMMIT; `info` of the store after it. */
SPB_API void spb_session_on_committed(spb_session *session, spb_status status, const char *reason,
                                      const spb_store_info *info, spb_time now);
/* Answers to SPB_ACTION_READ: each block from as.read.from_id on, in order, is copied; false: no more are wanted. Then
 * on_read_done, in any case; with the failure of the store, if there was one. */
SPB_API bool spb_session_on_block(spb_session *session, const spb_block *block, spb_time now);
SPB_API void spb_session_on_read_done(spb_session *session, spb_status status, const char *reason, spb_time now);
/* Answer to SPB_ACTION_WRITE. With SPB_OK *value is published. */
SPB_API void spb_session_on_write_done(spb_session *session, spb_metric *metric, spb_status status,
                                       const spb_value *value, spb_time now);

/* ---- what it wants done ---- */

typedef enum spb_action_kind {
    SPB_ACTION_SAVE_BDSEQ,   /* make as.bdseq durable, then spb_session_on_bdseq_saved */
    SPB_ACTION_SAVE_ALIASES, /* store->save_aliases(as.aliases), then spb_session_on_aliases_saved */
    SPB_ACTION_SAVE_CLOCK,   /* store->save_clock(as.clock) */
    SPB_ACTION_APPEND,       /* store->append(as.block), then spb_session_on_appended */
    SPB_ACTION_CONFIRM,      /* store->confirm(as.confirm) */
    SPB_ACTION_KEEP,         /* store->keep(as.keep), if the store has that function */
    SPB_ACTION_COMMIT,       /* store->commit, then spb_session_on_committed */
    SPB_ACTION_EXPIRE,       /* store->expire(as.before_ms) */
    SPB_ACTION_READ,         /* store->read from as.read_from_id on, each block to spb_session_on_block, until that says
                                false or there are no more; then spb_session_on_read_done */
    SPB_ACTION_CONNECT,      /* transport->connect(as.connect) */
    SPB_ACTION_SUBSCRIBE,    /* transport->subscribe(link, as.subscribe) */
    SPB_ACTION_PUBLISH,      /* transport->publish(link, as.publish) */
    SPB_ACTION_FENCE,        /* transport->fence(link, as.fence) */
    SPB_ACTION_LOOK,         /* transport->carried(link), 0 without that function, then spb_session_on_carried */
    SPB_ACTION_DISCONNECT,   /* transport->disconnect(link, as.timeout_ms) */
    SPB_ACTION_CLOSE,        /* transport->close(link) */
    SPB_ACTION_WRITE,   /* a host wants as.write.metric to become as.write.value: ask, then spb_session_on_write_done */
    SPB_ACTION_COMMAND, /* a host sent a command that no writable metric takes: tell the application, if it cares */
    SPB_ACTION_STATE,   /* the state changed: tell the application */
    SPB_ACTION_BIRTH_TOO_LARGE, /* a birth, and with it the connection, has failed: tell the application, which can help
                                   by removing metrics or devices */
    SPB_ACTION_LOG              /* something worth a line in a log */
} spb_action_kind;

/* Why a command was not carried out, or that it has no metric. */
typedef struct spb_command {
    spb_str device_id; /* absent: to the node itself; as it came, not escaped, as are names in `metric` */
    const spb_payload_metric *metric; /* as it came; its type is resolved when the metric is known */
    spb_status status; /* SPB_ERR_NOT_FOUND, SPB_ERR_REFUSED (not writable, or historical), SPB_ERR_TYPE, SPB_ERR_RANGE,
                          SPB_ERR_TIMEOUT (max_command_age_ms) */
    const char *reason;
} spb_command;

/*
 * A birth was not sent, as it is larger than a message may be. Without it hosts would understand nothing that follows,
 * so the connection ends. The next server may take more, and is tried at once; after a round of all servers, the
 * session tries again as after other failures, and soon when a metric or device is removed, or a device goes offline.
 */
typedef struct spb_birth_too_large {
    const char *device_id; /* NULL: the NBIRTH */
    size_t bytes;          /* of the PUBLISH packet with it */
    size_t max_bytes;      /* that one may have, */
    const char *server;    /* as this server says; NULL: as max_message_bytes says */
    bool is_everywhere;    /* since there was a birth, or since something was removed, each server of the list has
                              refused one: it is in vain to wait for another of them */
} spb_birth_too_large;

typedef struct spb_action {
    spb_action_kind kind;
    uint32_t link; /* CONNECT … CLOSE */
    union {
        uint8_t bdseq;
        struct {
            const spb_alias *items;
            size_t count;
        } aliases;
        struct {
            uint64_t boot;
            int64_t offset_ms;
        } clock;
        spb_block block;
        struct {
            uint64_t first_id, last_id;
        } confirm;
        struct {
            uint64_t kept_for, first_id, last_id;
        } keep;
        uint64_t before_ms;
        uint64_t read_from_id;
        spb_transport_connect connect;
        struct {
            const spb_subscription *items;
            size_t count;
        } subscribe;
        spb_transport_message publish;
        struct {
            spb_fence_form form;
            spb_subscription item;
            bool is_followed; /* by a message, if all goes well: transport->hold(link) first, if there is that */
        } fence;
        uint32_t timeout_ms;
        struct {
            spb_metric *metric;
            spb_value value;
        } write;
        spb_command command;
        struct {
            spb_session_state state;
            const char *reason; /* NULL if there is none; escaped, as text of spb_error */
        } state;
        spb_birth_too_large birth_too_large;
        struct {
            spb_log_level level;
            const char *text; /* escaped, as text of spb_error */
        } log;
    } as;
} spb_action;

/*
 * The next thing to do; false when there is none. Carry each out before pulling the next, but for those of the store:
 * SAVE_BDSEQ … READ may be carried out later, in their order, for instance by a thread that waits for the disk while
 * this one goes on. Of SAVE_ALIASES, APPEND, COMMIT and READ, one at a time waits for its answer. Sequence numbers are
 * given here, so the order of the calls is the order on the wire. After each 16 WRITE and COMMAND all else that is due
 * goes first. Pointers in *out stay valid until the next call of spb_session_next_action or spb_session_free, whatever
 * other calls come between; those of SAVE_ALIASES and APPEND until the answer, or spb_session_free.
 */
SPB_API bool spb_session_next_action(spb_session *session, spb_time now, spb_action *out);

/* ---- counters ---- (since the session was made) */

typedef struct spb_stats {
    spb_session_state state;
    uint8_t bdseq;                     /* of the last CONNECT */
    uint64_t connects;                 /* CONNECTs tried */
    uint64_t connections_lost;         /* established connections that ended by themselves */
    uint64_t births;                   /* NBIRTHs published */
    uint64_t messages_published;       /* handed to the transport */
    uint64_t bytes_published;          /* payload bytes of these */
    uint64_t samples_accepted;         /* updates that were taken */
    uint64_t samples_suppressed;       /* of these: not worth a message, as the rules of their metric say */
    uint64_t samples_historical;       /* of these: of the past, as their flag or their timestamp says */
    uint64_t samples_published;        /* samples in data messages handed to the transport */
    uint64_t samples_dropped_offline;  /* replaced by a newer one while there was no birth to follow */
    uint64_t samples_dropped_overflow; /* dropped because the link was slower than the samples, or because the server
                                          takes no message of that size */
    uint64_t samples_dropped_lost;     /* waiting to be sent when the connection was lost; at the level LIVE also those
                                          that were sent and not confirmed: they may have arrived */
    uint64_t rebirth_requests;         /* received from hosts */
    uint64_t commands_accepted;        /* metric writes that the application accepted */
    uint64_t commands_refused;         /* metric writes refused, unknown, retained or malformed */

    /* Delivery */
    uint64_t samples_confirmed;      /* published, and read by the server: of live data and of the replay. One that was
                                        reopened counts again */
    uint64_t samples_stored;         /* appended to the journal */
    uint64_t samples_replayed;       /* published from the journal */
    uint64_t samples_resent;         /* replayed though they may have arrived before: possible duplicates */
    uint64_t samples_dropped_choice; /* not stored, as their metric says (spb_keep) */
    uint64_t samples_dropped_gone;   /* in the journal, but their metric does not exist any more */
    uint64_t samples_dropped_age;  /* in the journal, and too old when their turn came; see also journal.dropped_age */
    uint64_t samples_dropped_disk; /* neither sent nor stored, as the store failed for too long, or takes no more */
    uint64_t samples_dropped_journal; /* given up by the journal since the session was made: full, too old, or damaged;
                                         journal.dropped_… are those since the file was made */

    /* Where the samples are. At any time
     *     samples_accepted + samples_found + samples_repeated + samples_reopened =
     *         samples_waiting + samples_unconfirmed + samples_in_journal +
     *         samples_confirmed + samples_suppressed + all samples_dropped_…
     * but for samples that a journal drops while they are under way: they are counted as dropped, and may arrive. */
    uint64_t samples_found;    /* in the journal when the session was made; less those that have arrived, by what an
                                  earlier run knew, as soon as the primary host is seen to be that of then */
    uint64_t samples_repeated; /* present values, taken once more after an overflow */
    uint64_t samples_reopened; /* confirmed, and to be sent again, as a fault showed that the host may not have them */
    uint64_t samples_waiting;  /* now: to be sent, or to be stored */
    uint64_t samples_unconfirmed; /* now: published from memory, and not confirmed */
    uint64_t samples_in_journal;  /* now: stored, and not confirmed. The journal itself may hold more (journal.samples):
                                     what is confirmed, and kept until the host has had time to hear of it */
    bool is_store_failing;        /* now */
    spb_store_info journal;       /* of the last commit */
} spb_stats;

SPB_API void spb_session_stats(const spb_session *session, spb_stats *out);

#ifdef __cplusplus
}
#endif

#endif
