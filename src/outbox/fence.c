/*
 * Decides when the server has to prove that it is there and has read. Only the answer to a request does, as it went
 * there and back: what comes in shows nothing of the way out, and what was written went no further than the system's
 * own buffers. A link that dies right after an answer is asked half a keep-alive later at the latest, and given up one
 * keep-alive after that; a slow one, which answers fence by fence, lives.
 *
 * A link that is slow is not dead: as long as it carries what was sent before a fence, as the other side's system
 * acknowledges, the time for the answer begins anew. That is looked at once a second, and counts for no more than what
 * was sent before the fence, as a server that hangs has a system that goes on for a while. And what lies ahead of a
 * fence has twice the time that the link takes for it, going by its earlier answers, if that is more than a keep-alive.
 *
 * Fences also keep an MQTT client awake. paho's threads sleep for up to a second when they miss that there is something
 * to do, and over the rest of what was written in part: the one wakes when it is given something, the other when
 * something comes in. So there is a fence in each 64 KiB of a stream that may fill the system's buffers, and another
 * one when nothing is reported. A stream that flows is left alone: after an answer, a server's system acknowledges what
 * comes next up to 40 ms late, and so long small messages wait.
 *
 * Not every server answers every form of fence. The first ones of a connection find out: each stays what it would be
 * anyway, and only when nothing comes back is the next form tried, so who answers the first form is sent no other one,
 * and nothing waits for the outcome. An answer shows that all before it was read, whatever the form of what was asked
 * before: those that are left without an answer are passed over.
 *
 * A server that answers no form can do with time alone (SPB_CONFIRM_WINDOW). Then no fence is sent any more: requests
 * without an answer fill the tables of an MQTT client, which has 65,535 numbers for them. Nothing keeps paho awake
 * then, and MQTT's own keep-alive is the proof of life. When does it notice that messages do not get there any more? A
 * server that has read nothing for one and a half keep-alives ends the connection (MQTT-3.1.2-24), so nothing comes
 * from it later than that, even if its way to us still bears. paho 1.3.12 writes PINGREQ when nothing has come for one
 * keep-alive, and gives the link up when that was not answered for one and a half; it looks every tenth of a
 * keep-alive, or every 5 s at most, also at the pace that another client of the process has set: so 2.5 keep-alives and
 * 10 s after the last packet. In all, LOST comes 4 keep-alives and 10 s after the death at the latest (mostly it
 * is 2.65), and what was written so long ago, and 5 s more for a machine that is slow, was not written into a dead
 * link. With fences, a dead link is noticed in one and a half keep-alives, so two are enough.
 */
#include "outbox/fence.h"

#include <spb/session.h>

/* After so much, a message calls for a fence. What is not confirmed is what may be sent twice, if it is kept: as long
 * as that is less than so many bytes, a fence may wait, as each costs some 70 to 170 bytes on the wire; */
#define MAX_MESSAGES 100
#define MAX_WAIT_MS 1000
#define STAKE_BYTES 4096
/* a fence that will be due in the last quarter of its time goes along with a message; */
#define RIDE_PART 4
/* kept or not; if not, only when so much came in less time than this, */
#define MAX_BYTES ((size_t)64 * 1024)
#define FAST_MS 20
/* or when messages of this connection were once not reported for so long. */
#define SLOW_MS 100
/* When one was not for so long, there was no room for it: paho sleeps for no longer than a second. */
#define ROOM_MS 2000
/* A message that is not reported for so long calls for one, too. */
#define STALL_MS 10
/* How often the link is looked at, but not less than eight times in a keep-alive. */
#define LOOK_MS 1000
/* In the stream there is more than the messages: heads, fences, and TLS; half as much, and this. */
#define STREAM_SLACK 128

/* How long the first fence of a form may be without an answer before the next form is tried: a quarter of a keep-alive,
 * so that the last one has half of it left, and no more than this. */
#define MAX_TRIAL_MS 3000
#define ALL_FORMS ((1u << SPB_FENCE_FORMS) - 1)
/* See above. */
#define PING_SLACK_MS 15000

void spb_fences__begin(spb_fences *fences, uint64_t keep_alive_ms, bool is_eager, bool is_trusted) {
    *fences = (spb_fences){.keep_alive_ms = keep_alive_ms,
                           .within_ms = MAX_WAIT_MS,
                           .is_eager = is_eager && is_trusted,
                           .is_trusted = is_trusted};
}

void spb_fences__expect(spb_fences *fences, spb_fence_form form) {
    fences->form = form;
    fences->is_expected = true;
}

void spb_fences__start(spb_fences *fences, uint64_t now_ms) {
    fences->is_on = fences->is_watching = true;
    fences->answered_ms = fences->heard_ms = now_ms;
}

void spb_fences__stop_watch(spb_fences *fences) {
    fences->is_watching = false;
}

void spb_fences__end(spb_fences *fences) {
    *fences = (spb_fences){0};
}

/* What flowed by is not counted. */
static void let_flow(spb_fences *fences, uint64_t now_ms) {
    bool is_fast = now_ms - fences->bytes_since_ms < FAST_MS;
    bool is_narrow = spb_window__part(&fences->window, MAX_BYTES) < MAX_BYTES;
    if (fences->bytes >= MAX_BYTES && !fences->is_eager && !fences->is_slow && !is_fast && !is_narrow) {
        fences->unanswered -= fences->bytes;
        fences->bytes = 0;
    }
}

static uint64_t later(uint64_t a_ms, uint64_t b_ms) {
    return a_ms > b_ms ? a_ms : b_ms;
}

/* Something leaves: how large it is, and how long nothing went before it. */
static void note_sent(spb_fences *fences, size_t bytes, uint64_t now_ms) {
    const spb_trail sent = {.largest = bytes, .silent_ms = now_ms > fences->heard_ms ? now_ms - fences->heard_ms : 0};
    spb_trail__join(&fences->trail, &sent);
    fences->heard_ms = now_ms;
}

void spb_fences__heard(spb_fences *fences, uint64_t now_ms) {
    fences->heard_ms = now_ms;
}

spb_trail spb_fences__waiting(const spb_fences *fences) {
    spb_trail waiting = fences->trail;
    for (size_t i = 0; i < fences->count; i++) {
        spb_trail__join(&waiting, &fences->items[(fences->first + i) % SPB_FENCE_ROOM].trail);
    }
    return waiting;
}

uint64_t spb_fences__waited_ms(const spb_fences *fences, uint64_t now_ms) {
    return fences->count > 0 ? now_ms - fences->items[fences->first].sent_ms : 0;
}

bool spb_fences__is_carrying(const spb_fences *fences) {
    return fences->count > 0 && fences->carried_ms > fences->items[fences->first].sent_ms;
}

uint64_t spb_fences__publish(spb_fences *fences, bool counts, size_t bytes, uint64_t now_ms) {
    fences->bytes_since_ms = fences->bytes == 0 ? now_ms : fences->bytes_since_ms;
    fences->first_ms = fences->last == 0 ? now_ms : fences->first_ms;
    if (!fences->is_mute) {
        fences->bytes += bytes;
        fences->unanswered += bytes;
    }
    let_flow(fences, now_ms);
    note_sent(fences, bytes, now_ms);
    if (spb_fences__in_flight(fences) == 0) {
        fences->quiet_ms = now_ms;
        fences->is_woken = false;
    }
    if (counts) {
        fences->since_ms = fences->messages == 0 ? now_ms : fences->since_ms;
        fences->messages++;
    }
    return ++fences->last;
}

void spb_fences__ask_behind(spb_fences *fences, uint64_t ordinal) {
    fences->behind = ordinal;
}

void spb_fences__written(spb_fences *fences, uint32_t count, uint64_t now_ms) {
    uint64_t missing = spb_fences__in_flight(fences);
    fences->carried_ms = missing > 0 && now_ms >= fences->quiet_ms + ROOM_MS ? now_ms : fences->carried_ms;
    fences->is_slow |= missing > 0 && now_ms >= fences->quiet_ms + SLOW_MS;
    fences->written += count < missing ? count : missing;
    fences->quiet_ms = now_ms;
    fences->is_woken = false;
}

uint64_t spb_fences__in_flight(const spb_fences *fences) {
    return fences->last - fences->written;
}

static uint64_t wake_ms(const spb_fences *fences) {
    return spb_fences__in_flight(fences) > 0 && !fences->is_woken ? fences->quiet_ms + STALL_MS : SPB_NEVER;
}

bool spb_fences__is_wanted(const spb_fences *fences) {
    return fences->is_on && !fences->is_mute && fences->is_trusted && fences->is_wanted && fences->messages > 0 &&
           fences->count < SPB_MAX_FENCES;
}

/* When another form is tried. What is not written yet, no server can have read. */
static uint64_t trial_ms(const spb_fences *fences) {
    if (fences->is_answered || fences->tried == 0 || fences->tried == ALL_FORMS ||
        fences->written < fences->asked_covers) {
        return SPB_NEVER;
    }
    uint64_t wait_ms = fences->keep_alive_ms / 4;
    uint64_t since_ms = fences->seen.moved_ms > fences->asked_ms ? fences->seen.moved_ms : fences->asked_ms;
    return since_ms + (wait_ms < MAX_TRIAL_MS ? wait_ms : MAX_TRIAL_MS);
}

static uint64_t watch_pause_ms(const spb_fences *fences) {
    return fences->keep_alive_ms / 2;
}

static uint64_t watch_ms(const spb_fences *fences) {
    return fences->is_watching && fences->count == 0 ? fences->answered_ms + watch_pause_ms(fences) : SPB_NEVER;
}

static uint64_t cover_pause_ms(const spb_fences *fences) {
    bool is_much = fences->bytes >= STAKE_BYTES && fences->within_ms > MAX_WAIT_MS;
    return is_much ? MAX_WAIT_MS : fences->within_ms;
}

static uint64_t cover_ms(const spb_fences *fences) {
    return fences->is_eager && fences->messages > 0 ? fences->since_ms + cover_pause_ms(fences) : SPB_NEVER;
}

/* How soon it comes: a part of its time is left. */
static bool is_near(uint64_t due_ms, uint64_t pause_ms, uint64_t now_ms) {
    return due_ms != SPB_NEVER && now_ms + pause_ms / RIDE_PART >= due_ms;
}

bool spb_fences__may_ride(const spb_fences *fences, uint64_t now_ms) {
    return fences->is_on && !fences->is_mute && fences->count < SPB_MAX_FENCES &&
           (is_near(watch_ms(fences), watch_pause_ms(fences), now_ms) ||
            is_near(cover_ms(fences), cover_pause_ms(fences), now_ms));
}

uint64_t spb_fences__due_ms(const spb_fences *fences) {
    if (!fences->is_on || fences->is_mute) {
        return SPB_NEVER;
    }
    if (fences->count >= SPB_MAX_FENCES) {
        return trial_ms(fences);
    }
    if (fences->covered < fences->behind || fences->wants_first ||
        fences->bytes >= spb_window__part(&fences->window, MAX_BYTES) ||
        (fences->is_eager && fences->messages >= MAX_MESSAGES)) {
        return 0;
    }
    uint64_t due_ms = watch_ms(fences) < cover_ms(fences) ? watch_ms(fences) : cover_ms(fences);
    due_ms = due_ms < wake_ms(fences) ? due_ms : wake_ms(fences);
    return due_ms < trial_ms(fences) ? due_ms : trial_ms(fences);
}

/* Since when the oldest fence waits, and nothing was heard. */
static uint64_t wait_ms(const spb_fences *fences) {
    return later(fences->items[fences->first].sent_ms, fences->answered_ms);
}

uint64_t spb_fences__lost_ms(const spb_fences *fences) {
    if (!fences->is_watching || fences->count == 0) {
        return SPB_NEVER;
    }
    const spb_progress_seen *seen = &fences->seen;
    uint64_t least_ms = fences->keep_alive_ms + (fences->read == 0 ? fences->birth_ms : 0);
    uint64_t slow_ms =
        fences->read == 0 ? 0 : 2 * spb_window__time_ms(&fences->window, fences->items[fences->first].bytes);
    uint64_t limit_ms = later(seen->is_blind ? least_ms : fences->keep_alive_ms, slow_ms);
    return later(wait_ms(fences), seen->moved_ms) + limit_ms;
}

/* ---- what the link carries ---- */

uint64_t spb_fences__look_ms(const spb_fences *fences) {
    if (!fences->is_watching || fences->count == 0 || fences->seen.is_blind) {
        return SPB_NEVER;
    }
    uint64_t pause_ms = fences->keep_alive_ms / 8 < LOOK_MS ? fences->keep_alive_ms / 8 : LOOK_MS;
    return later(wait_ms(fences), fences->seen.looked_ms) + pause_ms;
}

void spb_fences__look(spb_fences *fences, uint64_t now_ms) {
    fences->seen.looked_ms = now_ms;
}

/* What is left when the link is looked at first may be a little more than what was sent before the fence. While paho
 * has the rest of a message, nobody knows how much that is. */
static uint64_t left_ahead(const spb_fences *fences, uint64_t left) {
    uint64_t bytes = fences->items[fences->first].bytes;
    uint64_t most = bytes + bytes / 2 + STREAM_SLACK;
    return spb_fences__in_flight(fences) == 0 || left > most ? left : most;
}

void spb_fences__carried(spb_fences *fences, uint64_t bytes, uint64_t left, uint64_t now_ms) {
    spb_progress_seen *seen = &fences->seen;
    seen->is_blind |= bytes == 0;
    if (bytes == 0 || fences->count == 0) {
        return;
    }
    if (seen->last == 0 || seen->wait_ms != wait_ms(fences)) {
        seen->wait_ms = wait_ms(fences);
        seen->last = bytes;
        seen->limit = bytes + left_ahead(fences, left);
    }
    if (bytes > seen->last && seen->last < seen->limit) {
        seen->moved_ms = now_ms;
    }
    seen->last = bytes;
}

/* Not where the server may never answer one. */
bool spb_fences__is_birth_slow(const spb_fences *fences, uint64_t now_ms, uint64_t limit_ms) {
    bool is_under_way = fences->last > 0 && fences->read == 0 && !fences->is_mute;
    const spb_progress_seen *seen = &fences->seen;
    bool is_moving = seen->moved_ms > 0 && now_ms - seen->moved_ms < fences->keep_alive_ms / 2;
    bool may_arrive = is_moving || (seen->is_blind && (fences->is_expected || fences->is_answered));
    return is_under_way && may_arrive && now_ms - fences->first_ms >= limit_ms;
}

bool spb_fences__are_in_vain(const spb_fences *fences) {
    return fences->tried == ALL_FORMS && !fences->is_answered && !fences->is_expected;
}

bool spb_fences__do_without(spb_fences *fences) {
    if (!fences->may_do_without || !spb_fences__are_in_vain(fences)) {
        return false;
    }
    fences->is_mute = true;
    fences->first = fences->count = 0;
    fences->bytes = fences->unanswered = 0; /* which would never shrink any more */
    return true;
}

bool spb_fences__cut(spb_fences *fences, uint64_t now_ms) {
    bool is_due = fences->is_wanted || now_ms >= fences->since_ms + MAX_WAIT_MS;
    if (!fences->is_mute || fences->covered == fences->last || !is_due) {
        return false;
    }
    fences->covered = fences->last;
    fences->messages = 0;
    fences->is_wanted = false;
    return true;
}

/* Before it is known what watches the connection, nothing counts as read; nor does what a slow link may still hold, as
 * nothing behind it was answered. */
uint64_t spb_fences__believed_ms(const spb_fences *fences, uint64_t ordinal, uint64_t written_ms) {
    if (!fences->is_watching || (ordinal > fences->read && !fences->is_mute)) {
        return SPB_NEVER;
    }
    uint64_t ping_ms = fences->ping_ms > fences->keep_alive_ms ? fences->ping_ms : fences->keep_alive_ms;
    return written_ms + (fences->is_mute ? 4 * ping_ms + PING_SLACK_MS : 2 * fences->keep_alive_ms);
}

static spb_fence_form first_untried(const spb_fences *fences) {
    unsigned form = 0;
    while (fences->tried & 1u << form) {
        form++;
    }
    return (spb_fence_form)form;
}

spb_fence_form spb_fences__sent(spb_fences *fences, uint64_t now_ms) {
    if (trial_ms(fences) <= now_ms) {
        fences->form = first_untried(fences);
    }
    if (!(fences->tried & 1u << fences->form)) {
        fences->tried |= (uint8_t)(1u << fences->form);
        fences->asked_ms = now_ms;
        fences->asked_covers = fences->last;
    }
    size_t last = (fences->first + fences->count++) % SPB_FENCE_ROOM;
    note_sent(fences, 0, now_ms);
    fences->items[last] = (spb_fence){.form = fences->form,
                                      .covers = fences->last,
                                      .sent_ms = now_ms,
                                      .bytes = fences->bytes,
                                      .ahead = fences->unanswered,
                                      .trail = fences->trail};
    fences->trail = (spb_trail){0};
    fences->wants_first = false;
    fences->covered = fences->last;
    fences->messages = 0;
    fences->bytes = 0;
    fences->is_wanted = false;
    fences->is_woken |= wake_ms(fences) <= now_ms;
    return fences->form;
}

/* Whether there is one of this form. */
static bool is_asked(const spb_fences *fences, spb_fence_form form) {
    for (size_t i = 0; i < fences->count; i++) {
        if (fences->items[(fences->first + i) % SPB_FENCE_ROOM].form == form) {
            return true;
        }
    }
    return false;
}

/* The form is known now: an answer to another one may never come. What those covered is asked for once more. */
static void forget_other_forms(spb_fences *fences, uint64_t covers, uint64_t now_ms) {
    size_t count = fences->count;
    fences->count = 0;
    for (size_t i = 0; i < count; i++) {
        const spb_fence fence = fences->items[(fences->first + i) % SPB_FENCE_ROOM];
        if (fence.form == fences->form) {
            fences->items[(fences->first + fences->count++) % SPB_FENCE_ROOM] = fence;
            covers = fence.covers;
        } else {
            fences->bytes += fence.bytes;
            spb_trail__join(&fences->trail, &fence.trail);
        }
    }
    if (fences->covered > covers) {
        fences->since_ms = fences->messages == 0 ? now_ms : fences->since_ms;
        fences->messages++;
        fences->is_wanted = true;
    }
    fences->covered = covers;
}

bool spb_fences__answered(spb_fences *fences, spb_fence_form form, uint64_t now_ms, uint64_t *covers) {
    bool is_found = false;
    spb_fence answered = {.form = form};
    if (!is_asked(fences, form)) {
        return false;
    }
    while (!is_found) { /* those before it are of a form that is not answered */
        const spb_fence *oldest = &fences->items[fences->first];
        is_found = oldest->form == form;
        answered = *oldest;
        fences->took_ms = now_ms - oldest->sent_ms;
        fences->unanswered -= oldest->bytes;
        spb_trail__join(&fences->arrived, &oldest->trail);
        fences->first = (fences->first + 1) % SPB_FENCE_ROOM;
        fences->count--;
    }
    fences->answered_ms = fences->heard_ms = now_ms;
    fences->read = *covers = answered.covers;
    spb_window__answered(&fences->window, answered.ahead, answered.sent_ms, now_ms);
    if (!fences->is_answered) {
        fences->is_answered = true;
        fences->form = form;
        forget_other_forms(fences, *covers, now_ms);
    }
    return true;
}
