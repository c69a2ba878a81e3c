/*
 * Fences: requests that the server answers when it has read everything that was written before them. They show which
 * messages it has, and that it is there at all. Several may be under way; the answers come in their order.
 */
#ifndef SPB_OUTBOX_FENCE_H
#define SPB_OUTBOX_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spb/transport.h>

#include "outbox/trail.h"
#include "outbox/window.h"

#define SPB_MAX_FENCES 16
/* With those that try another form, for which there is always room. */
#define SPB_FENCE_ROOM (SPB_MAX_FENCES + SPB_FENCE_FORMS - 1)

typedef struct spb_fence {
    spb_fence_form form;
    uint64_t covers; /* the messages up to this one */
    uint64_t sent_ms;
    size_t bytes; /* of messages between the fence before and this one */
    size_t ahead; /* and between the last one that was answered then and this one */
    spb_trail trail;
} spb_fence;

/* What was seen of the link while the oldest fence waits for its answer: see spb_fences__carried. */
typedef struct spb_progress_seen {
    uint64_t wait_ms; /* since then it does, for which the rest stands */
    uint64_t last;    /* what the link had carried when it was looked at; 0: it was not */
    uint64_t limit;   /* and what it will have, at most, when the fence is carried */
    uint64_t looked_ms;
    uint64_t moved_ms; /* when more of what was sent before the fence was seen to be carried */
    bool is_blind;     /* the transport cannot tell */
} spb_progress_seen;

/* Of one connection. */
typedef struct spb_fences {
    uint64_t keep_alive_ms;
    uint64_t birth_ms;     /* the wait for the first one is so much longer, if nobody sees what the link carries */
    uint64_t within_ms;    /* of each message, its fence leaves at the latest, if little is at stake */
    uint64_t ping_ms;      /* MQTT's own, which may not be what the server wants */
    spb_fence_form form;   /* of the next one */
    bool is_answered;      /* one was, on this connection: its form is the right one */
    bool is_expected;      /* one was on an earlier connection to this server */
    bool may_do_without;   /* a server that answers none is not given up, */
    bool is_mute;          /* and it is such a one: none is sent any more */
    uint8_t tried;         /* forms that were sent on this connection: 1 << form */
    uint64_t asked_ms;     /* when the present form was sent first, */
    uint64_t asked_covers; /* and the last message before that */
    bool is_on;            /* the server has answered once */
    bool is_watching;      /* and is given up when it does not do so again */
    bool is_eager;         /* each message calls for a fence; else only many bytes do, and time */
    bool is_trusted;       /* their answers show what has arrived; else only that the server is there */
    bool is_wanted;        /* something waits for an answer: as soon as a message is not covered */
    uint64_t last;         /* the ordinal of the last message, */
    uint64_t written;      /* and of the last one that is reported as written */
    uint64_t quiet_ms;     /* when something was reported last, or the first of those that are not was published */
    bool is_woken;         /* since then, by a fence */
    bool is_slow;          /* it took long once */
    uint64_t behind;       /* a fence behind this message is asked for, whatever it shows */
    uint64_t covered;      /* by fences that were sent, or by cuts where none are */
    uint32_t messages;     /* that call for a fence and are not covered, */
    uint64_t since_ms;     /* and the time of the first */
    size_t bytes;          /* of all messages since the last fence, but for those that flowed by, */
    uint64_t bytes_since_ms;
    size_t unanswered; /* and since the last fence that was answered */
    spb_window window; /* which that is compared with */
    uint64_t read;     /* the last message that an answer has covered, */
    uint64_t took_ms;  /* and how long that was on its way */
    uint64_t first_ms; /* when the first one was published */
    spb_progress_seen seen;
    uint64_t answered_ms;
    spb_trail trail;     /* since the last fence */
    spb_trail arrived;   /* what answers have shown to get through */
    uint64_t heard_ms;   /* when something went last, in either direction */
    uint64_t carried_ms; /* when something was reported that had waited long: there was room for it again */
    bool wants_first;    /* a fence goes ahead of the first message */
    spb_fence items[SPB_FENCE_ROOM];
    size_t first, count;
} spb_fences;

/* A new connection, whose server must be heard of within this time. */
void spb_fences__begin(spb_fences *fences, uint64_t keep_alive_ms, bool is_eager, bool is_trusted);
/* What an earlier connection to the same server has shown: it answers this form. Before the first fence. */
void spb_fences__expect(spb_fences *fences, spb_fence_form form);
/* The server has answered: after SUBACK. */
void spb_fences__start(spb_fences *fences, uint64_t now_ms);
/* Only those that are wanted are sent any more, and the server is not given up: the session ends anyway. */
void spb_fences__stop_watch(spb_fences *fences);
void spb_fences__end(spb_fences *fences);
/* A message was handed to the transport: its ordinal, from 1. One that counts, with data, calls for a fence. */
uint64_t spb_fences__publish(spb_fences *fences, bool counts, size_t bytes, uint64_t now_ms);
/* A fence behind this message is due, ahead of all that follows it; also where they are not trusted. */
void spb_fences__ask_behind(spb_fences *fences, uint64_t ordinal);
/* So many more were reported as written. */
void spb_fences__written(spb_fences *fences, uint32_t count, uint64_t now_ms);
/* A message came in. It shows nothing of the way out, but keeps the connection in the memory of whoever is between. */
void spb_fences__heard(spb_fences *fences, uint64_t now_ms);
/* What went since the last answer. */
spb_trail spb_fences__waiting(const spb_fences *fences);
/* The link has taken something since the oldest fence without an answer was sent, for which there was no room before.
 */
bool spb_fences__is_carrying(const spb_fences *fences);
/* For how long the oldest fence without an answer is under way; 0: there is none. */
uint64_t spb_fences__waited_ms(const spb_fences *fences, uint64_t now_ms);
/* Messages that are not. */
uint64_t spb_fences__in_flight(const spb_fences *fences);
/* When the next one is due; SPB_NEVER: when something happens. */
uint64_t spb_fences__due_ms(const spb_fences *fences);
/* The next one is due before long, so that it may go ahead of a message that leaves now, and share its packet. */
bool spb_fences__may_ride(const spb_fences *fences, uint64_t now_ms);
/* Something waits for an answer, and nothing else that could go ahead of it does. */
bool spb_fences__is_wanted(const spb_fences *fences);
/* When to look at how much the link has carried, while an answer is waited for; SPB_NEVER: not as things are. */
uint64_t spb_fences__look_ms(const spb_fences *fences);
/* Somebody looks. */
void spb_fences__look(spb_fences *fences, uint64_t now_ms);
/* So many bytes were acknowledged by the other side's system so far, and so many that were written are left; 0: the
 * transport does not know. */
void spb_fences__carried(spb_fences *fences, uint64_t bytes, uint64_t left, uint64_t now_ms);
/* The first message of the connection, a birth, is under way for longer than so. */
bool spb_fences__is_birth_slow(const spb_fences *fences, uint64_t now_ms, uint64_t limit_ms);
/* When the server counts as gone; SPB_NEVER: not as things are. */
uint64_t spb_fences__lost_ms(const spb_fences *fences);
/* That time has come. True: the connection goes on without fences, which this server does not answer. */
bool spb_fences__do_without(spb_fences *fences);
/* Every form was sent, and none was answered, neither on this connection nor on an earlier one. */
bool spb_fences__are_in_vain(const spb_fences *fences);
/* Without fences: what is sent from now on does not count as one with what was before, as behind a fence. True: so it
 * is, as a second is over, or something waits for it. */
bool spb_fences__cut(spb_fences *fences, uint64_t now_ms);
/* When the message of that ordinal, which was written at that time, counts as read, where time alone says so.
 * SPB_NEVER: not as things are. */
uint64_t spb_fences__believed_ms(const spb_fences *fences, uint64_t ordinal, uint64_t written_ms);
/* One leaves, in the form that is returned. */
spb_fence_form spb_fences__sent(spb_fences *fences, uint64_t now_ms);
/* The oldest one of this form was answered: the server has the messages up to *covers. False: none was under way. */
bool spb_fences__answered(spb_fences *fences, spb_fence_form form, uint64_t now_ms, uint64_t *covers);

#endif
