/* Decides how connections come and go: what a failure, a stop and time lead to. What the transport says is taken in
 * events.c; which message is next is left to publish.c. */
#include <stdio.h>
#include <string.h>

#include "core/birth.h"
#include "core/session.h"

/* ---- the end of a connection ---- */

/* After a death of the node, nobody follows: no device is born. What waited to be sent is lost, or goes to the journal;
 * or, with keeps_samples, without a journal, it follows the next births: values that come meanwhile are newer, and are
 * sent once more after it. */
static void forget_births(spb_session *session, bool keeps_samples) {
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        bool has_unknown = holder->entity->first_count > 0; /* samples that the next births will not know */
        if (!keeps_samples || has_unknown || !holder->is_online || session->outbox.journal.is_used) {
            spb_session__shelve(holder);
        }
        holder->has_dropped |= holder->entity->live.first != NULL;
        spb_list__remove(&holder->in_births);
        spb_list__remove(&holder->in_deaths);
        holder->is_born = false;
        spb_outbox__died(holder->entity);
    }
    while (session->deaths.first) { /* only devices that were removed are left in it */
        spb_session__bury_device(session, SPB_LINKED(session->deaths.first, spb_device, in_deaths));
    }
    session->phase = SPB_PHASE_UNBORN;
    session->outbox.may_release = false;
    session->wants_birth = false;
    session->node_birth_due_ms = SPB_NEVER;
    session->next_born = NULL;
    session->is_death_due = false;
}

static void drop_link(spb_session *session, bool keeps_samples, spb_time now) {
    if (session->link != 0) {
        session->close_link = session->link;
    }
    spb_outbox__lost(&session->outbox, false, now); /* older than what waits */
    session->link = 0;
    session->was_online = session->is_slowness_told = false;
    session->is_due = false;
    session->is_leaving = false;
    session->timer_ms = SPB_NEVER;
    session->max_packet_bytes = 0;
    spb_host__forget(&session->host);
    if (session->phase != SPB_PHASE_UNBORN || !keeps_samples) {
        forget_births(session, keeps_samples);
    }
}

/* The bdSeq is made durable before the CONNECT that carries it. */
static void begin_attempt(spb_session *session, const char *reason) {
    spb_bdseq__prepare(&session->bdseq);
    session->oversize.is_in_the_way = false;
    session->oversize.sent_bytes = 0;
    session->timer_ms = SPB_NEVER;
    session->is_due = true;
    spb_session__enter(session, SPB_SESSION_SAVING, reason);
}

static void finish_stop(spb_session *session, const char *reason, spb_time now) {
    session->awaits_clock = false;
    drop_link(session, false, now);
    spb_session__release_all(session, now); /* what came after the stop, and is held */
    /* What could not be sent goes to the journal, if that takes it: with one more try, if it fails. */
    spb_outbox__close_all_history(&session->outbox);
    session->outbox.journal.retry_ms = now.mono_ms;
    spb_journal__want_commit(&session->outbox.journal, now.mono_ms);
    spb_outbox__tell_drops(&session->outbox, SPB_NEVER);
    spb_session__enter(session, SPB_SESSION_STOPPED, reason);
    spb_notices__log(&session->notices, reason ? SPB_LOG_WARNING : SPB_LOG_INFO, "stopped%s%s", reason ? ": " : "",
                     reason ? reason : "");
}

/* A server, or the MQTT client, that hears nothing for a while gives a connection up in the middle of a large birth, as
 * that is one packet: it would do so again and again. */
static void stretch_keep_alive(spb_session *session, spb_time now) {
    uint64_t before_s = spb_session__keep_alive_s(session);
    if (!spb_fences__is_birth_slow(&session->outbox.fences, now.mono_ms, before_s * 1000)) {
        return;
    }
    uint32_t stretch = session->stretch > 0 ? session->stretch * SPB_STRETCH : SPB_STRETCH;
    session->stretch = stretch < SPB_MAX_STRETCH ? stretch : SPB_MAX_STRETCH;
    uint32_t after_s = spb_session__keep_alive_s(session);
    spb_notices__log(&session->notices, SPB_LOG_WARNING,
                     after_s > before_s ? "the birth did not arrive in %u s, which is longer than the keep-alive of %u "
                                          "s: the next connection asks for one of %u s"
                                        : "the birth did not arrive in %u s, which is longer than the keep-alive of "
                                          "%u s: the link is too slow for it (%u s is the most)",
                     (unsigned)((now.mono_ms - session->outbox.fences.first_ms) / 1000), (unsigned)before_s,
                     (unsigned)after_s);
}

void spb_session__see_birth_arrive(spb_session *session, spb_time now) {
    const spb_fences *fences = &session->outbox.fences;
    if (fences->read > 0 && now.mono_ms - fences->first_ms <= session->options.keep_alive_s * UINT64_C(1000)) {
        session->stretch = 0;
    }
}

void spb_session__fail(spb_session *session, const char *reason, spb_time now) {
    char text[512]; /* the reason may lie in what is dropped here */
    snprintf(text, sizeof text, "%s", reason);
    stretch_keep_alive(session, now);
    if (session->state == SPB_SESSION_STOPPING && !session->is_leaving) {
        finish_stop(session, text, now);
        return;
    }
    /* Not at CONNACK: a server that takes a node in and throws it out again would be hammered. */
    if (session->was_online && now.mono_ms - session->online_since_ms >= SPB_STEADY_MS) {
        spb_backoff__reset(&session->backoff);
        spb_servers__begin_round(&session->servers);
    }
    size_t large_bytes = session->is_leaving ? 0 : spb_oversize__note_end(session);
    drop_link(session, session->is_leaving || session->phase == SPB_PHASE_UNBORN, now);
    bool is_round_over = spb_servers__walk(&session->servers);
    uint32_t wait_ms = is_round_over ? spb_backoff__next_ms(&session->backoff) : 0;
    session->timer_ms = now.mono_ms + wait_ms;
    spb_session__enter(session, SPB_SESSION_WAITING, text);
    if (session->servers.count > 1) {
        spb_notices__log(&session->notices, SPB_LOG_WARNING, "%s; next is %s in %u ms", text,
                         spb_servers__current(&session->servers)->uri, (unsigned)wait_ms);
    } else {
        spb_notices__log(&session->notices, SPB_LOG_WARNING, "%s; next attempt in %u ms", text, (unsigned)wait_ms);
    }
    spb_oversize__tell_end(session, large_bytes);
}

static void say_goodbye(spb_session *session, uint64_t end_ms, const char *reason) {
    session->is_death_due = session->phase != SPB_PHASE_UNBORN;
    session->is_due = true;
    session->timer_ms = end_ms;
    spb_fences__stop_watch(&session->outbox.fences);
    spb_session__enter(session, SPB_SESSION_STOPPING, reason);
}

/* The node is stopped, so the births that are not out will not follow: nor will what waits for them, or for history. */
static void shelve_unborn(spb_session *session) {
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        if (holder->sequence != session->sequence || spb_outbox__awaits_history(holder->entity)) {
            spb_session__shelve(holder);
        }
    }
}

void spb_session__leave(spb_session *session, const char *reason, spb_time now) {
    session->is_leaving = true;
    snprintf(session->leave_reason, sizeof session->leave_reason, "%s", reason);
    say_goodbye(session, now.mono_ms + SPB_LEAVE_MS, reason);
}

/* NDEATH and DISCONNECT are out, or had their time: `reason` is NULL or says so. */
static void finish_goodbye(spb_session *session, const char *reason, spb_time now) {
    if (session->is_leaving) {
        spb_session__fail(session, session->leave_reason, now);
    } else {
        finish_stop(session, reason, now);
    }
}

void spb_session__part(spb_session *session, spb_time now) {
    spb_outbox__lost(&session->outbox, true, now);
    session->link = 0; /* it is closed already */
    finish_goodbye(session, NULL, now);
}

/* The nodes of a fleet come up together after a power cut. */
static void begin_first_attempt(spb_session *session, spb_time now) {
    char text[64];
    uint32_t wait_ms = spb_backoff__first_ms(&session->backoff, session->options.connect_spread_ms);
    if (wait_ms == 0) {
        begin_attempt(session, NULL);
        return;
    }
    snprintf(text, sizeof text, "first attempt in %u ms (connect_spread_ms)", (unsigned)wait_ms);
    session->timer_ms = now.mono_ms + wait_ms;
    spb_session__enter(session, SPB_SESSION_WAITING, text);
    spb_notices__log(&session->notices, SPB_LOG_INFO, "%s", text);
}

static void end_wait(spb_session *session, spb_time now) {
    if (session->awaits_clock) {
        spb_session__end_clock_wait(session);
        begin_first_attempt(session, now);
    } else {
        begin_attempt(session, NULL);
    }
}

void spb_session_start(spb_session *session, spb_time now) {
    spb_session__see_clock(session, now);
    if (session->state == SPB_SESSION_STOPPED) {
        session->outbox.replay.grace_ms = now.mono_ms + SPB_GRACE_MS;
        spb_backoff__reset(&session->backoff);
        spb_servers__begin_round(&session->servers);
        if (!spb_session__await_clock(session, now)) {
            begin_first_attempt(session, now);
        }
    }
}

void spb_session_stop(spb_session *session, uint32_t timeout_ms, spb_time now) {
    uint64_t end_ms = now.mono_ms + timeout_ms;
    switch (session->state) {
    case SPB_SESSION_STOPPED: break;
    case SPB_SESSION_WAITING:
    case SPB_SESSION_SAVING:
    case SPB_SESSION_CONNECTING: finish_stop(session, NULL, now); break;
    case SPB_SESSION_SUBSCRIBING:
    case SPB_SESSION_WAIT_HOST:
    case SPB_SESSION_BIRTHING:
    case SPB_SESSION_ONLINE:
        spb_session__release_all(session, now);
        say_goodbye(session, end_ms, NULL);
        shelve_unborn(session);
        spb_session_on_tick(session, now);
        break;
    case SPB_SESSION_STOPPING:
        session->is_leaving = false; /* if it was on its way to the next server */
        shelve_unborn(session);
        session->timer_ms = end_ms < session->timer_ms ? end_ms : session->timer_ms;
        spb_session_on_tick(session, now);
        break;
    }
}

/* ---- why a connection is lost ---- */

static spb_cause_facts facts_of(const spb_session *session, spb_time now) {
    const spb_fences *fences = &session->outbox.fences;
    return (spb_cause_facts){.arrived = fences->arrived,
                             .waiting = spb_fences__waiting(fences),
                             .is_carrying = spb_fences__is_carrying(fences),
                             .has_answered = fences->is_answered || fences->is_expected,
                             .waited_ms = spb_fences__waited_ms(fences, now.mono_ms),
                             .keep_alive_ms = fences->keep_alive_ms};
}

void spb_session__see_answer(spb_session *session, spb_time now) {
    const spb_cause_facts facts = facts_of(session, now);
    spb_cause__answered(&spb_servers__current(&session->servers)->omens, &facts);
}

spb_cause spb_session__explain_loss(spb_session *session, char *text, size_t size, spb_time now) {
    spb_omens *omens = &spb_servers__current(&session->servers)->omens;
    const spb_cause_facts facts = facts_of(session, now);
    spb_cause cause = spb_cause__lost(omens, &facts);
    size_t len = strlen(text);
    if (cause != SPB_CAUSE_SERVER && len + 2 < size) {
        snprintf(text + len, size - len, ": ");
        spb_cause__write(cause, omens, &facts, text + len + 2, size - len - 2);
    }
    return cause;
}

/* ---- time ---- */

/* With a server that never does, the node is on and off for ever. */
#define NO_FENCE                                                                                                       \
    "the server has answered no fence, in any form; if it never does, see spb fence-test: confirm = window does "      \
    "without"

/* What could not be confirmed held the NDEATH up. */
static const char *late(const spb_session *session) {
    return spb_fences__are_in_vain(&session->outbox.fences) ? "the link was dropped at the deadline: " NO_FENCE
                                                            : "the link was dropped at the deadline";
}

static void end_state(spb_session *session, spb_time now) {
    switch (session->state) {
    case SPB_SESSION_WAITING: end_wait(session, now); break;
    case SPB_SESSION_CONNECTING: spb_session__fail(session, "no answer to CONNECT", now); break;
    case SPB_SESSION_SUBSCRIBING: spb_session__fail(session, "no answer to SUBSCRIBE", now); break;
    case SPB_SESSION_WAIT_HOST: spb_session__leave(session, "nothing was heard of the primary host", now); break;
    case SPB_SESSION_STOPPING: finish_goodbye(session, late(session), now); break;
    default: session->timer_ms = SPB_NEVER; break;
    }
}

/* With another server at this address, or another version of it, the form that was right may be wrong now. */
static void miss_answer(spb_session *session, spb_time now) {
    spb_fences *fences = &session->outbox.fences;
    if (spb_fences__do_without(fences)) {
        spb_outbox__written(&session->outbox, 0, now); /* at the level LIVE, time counts from now on */
        spb_notices__log(
            &session->notices, SPB_LOG_WARNING,
            "the server answers no fence, in any form (see spb fence-test): time alone confirms, and MQTT's "
            "keep-alive watches the link");
        return;
    }
    spb_server *server = spb_servers__current(&session->servers);
    server->has_fenced = server->has_fenced && fences->is_answered;
    session->stats.connections_lost++;
    char what[256] = "connection lost", text[384];
    spb_cause cause = spb_session__explain_loss(session, what, sizeof what, now);
    snprintf(text, sizeof text, "%s%s", what,
             cause != SPB_CAUSE_SERVER         ? ""
             : spb_fences__are_in_vain(fences) ? ": " NO_FENCE
                                               : ": the server does not answer any more");
    spb_session__fail(session, text, now);
}

static uint64_t samples_ms(const spb_session *session) {
    return spb_session__is_running(session) ? spb_deadlines__next_ms(&session->timers) : SPB_NEVER;
}

static uint64_t grace_ms(const spb_session *session) {
    uint64_t at_ms = session->outbox.replay.grace_ms;
    return session->outbox.journal.is_used && spb_session__is_running(session) && at_ms > 0 ? at_ms : SPB_NEVER;
}

static void tell_births(spb_session *session, spb_log_level level, const char *what) {
    spb_notices__log(&session->notices, level, "%s: %s/%s, bdSeq %u, %zu metrics, %zu devices", what,
                     session->options.group_id, session->options.node_id, (unsigned)session->bdseq.number,
                     session->table.metrics.count, session->table.devices.count);
}

/* Data may follow the births at once, and does: it is behind them on the same connection. */
static void hand_over_births(spb_session *session, spb_time now) {
    if (session->state != SPB_SESSION_BIRTHING || session->phase != SPB_PHASE_DBIRTHS ||
        spb_session__next_to_be_born(session, now)) {
        return;
    }
    session->phase = SPB_PHASE_BORN;
    session->birth_bytes = session->stats.bytes_published - session->birth_bytes;
    if (!session->was_online) {
        session->was_online = true;
        session->online_since_ms = now.mono_ms;
    }
    spb_outbox__births_over(&session->outbox, now);
    spb_oversize__forget_servers(&session->servers);
    spb_session__see_phase(session);
    tell_births(session, SPB_LOG_DEBUG, "births handed over");
}

/* A link that needs seconds for the births is told of, as all that follows from it looks like something else. A server
 * that answered the second or third form of fence is not a slow link. */
static void tell_slowness(spb_session *session) {
    uint64_t arrived_ms = session->outbox.births.passed_ms;
    if (session->outbox.births.took_ms >= SPB_SLOW_BIRTH_MS && !session->is_slowness_told) {
        session->is_slowness_told = true;
        spb_notices__log(&session->notices, SPB_LOG_WARNING,
                         "the link is slow: births of %llu bytes took %llu s to arrive",
                         (unsigned long long)(session->birth_bytes),
                         (unsigned long long)((arrived_ms - session->last_birth_ms) / 1000));
    }
}

/* Who is told that the node is born may look for it in a host. On a narrow link that is long after the births were
 * handed over. */
static void announce_births(spb_session *session) {
    if (session->state == SPB_SESSION_BIRTHING && session->phase == SPB_PHASE_BORN &&
        !session->outbox.births.is_awaited) {
        spb_session__enter(session, SPB_SESSION_ONLINE, NULL);
        tell_births(session, SPB_LOG_INFO, "born");
        tell_slowness(session);
    }
}

void spb_session_on_tick(spb_session *session, spb_time now) {
    spb_session__see_clock(session, now);
    spb_notices__tell_left_out(&session->notices, now.mono_ms);
    if (spb_session__is_running(session)) {
        spb_outbox__tell_drops(&session->outbox, now.mono_ms);
    }
    if (samples_ms(session) <= now.mono_ms) {
        spb_session__ring_timers(session, now);
    }
    bool is_seen = spb_fences__look_ms(&session->outbox.fences) > now.mono_ms; /* what the link has carried, till now */
    if (is_seen && spb_fences__lost_ms(&session->outbox.fences) <= now.mono_ms) {
        miss_answer(session, now);
    }
    if (session->timer_ms <= now.mono_ms) {
        end_state(session, now);
    }
    hand_over_births(session, now);
    announce_births(session);
    if (grace_ms(session) <= now.mono_ms) { /* the application had its time to add what the journal has samples of */
        session->outbox.replay.grace_ms = 0;
        spb_outbox__retry_deferred(&session->outbox);
    }
    if (session->state == SPB_SESSION_STOPPING && !session->is_leaving) {
        spb_outbox__close_all(&session->outbox); /* nothing waits for more */
    }
    spb_outbox__advance(&session->outbox, now);
}

uint64_t spb_session__tick_ms(const spb_session *session) {
    uint64_t at_ms = spb_outbox__advance_ms(&session->outbox, spb_session__is_running(session));
    spb_due__by(&at_ms, session->timer_ms);
    spb_due__by(&at_ms, session->awaits_clock ? session->clock_look_ms : SPB_NEVER);
    spb_due__by(&at_ms, samples_ms(session));
    spb_due__by(&at_ms, spb_fences__lost_ms(&session->outbox.fences));
    spb_due__by(&at_ms, grace_ms(session));
    spb_due__by(&at_ms, spb_notices__left_out_ms(&session->notices));
    spb_due__by(&at_ms, spb_session__is_running(session) ? spb_outbox__drops_ms(&session->outbox) : SPB_NEVER);
    return at_ms;
}
