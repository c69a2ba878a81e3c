/*
 * Decides how events wait for the worker, and what happens when too many come: acknowledgements are added up, the few
 * notices about a link always have room, messages have a bound. What an event means is left to the session.
 */
#include "node/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "node/clock.h"

spb_status spb_mailbox__init(spb_mailbox *mailbox, spb_error *err) {
    *mailbox = (spb_mailbox){.published_wanted = UINT32_MAX};
    if (pthread_mutex_init(&mailbox->lock, NULL)) {
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the lock of the mailbox");
    }
    if (spb_clock__init_cond(&mailbox->wake)) {
        pthread_mutex_destroy(&mailbox->lock);
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the condition variable of the mailbox");
    }
    return SPB_OK;
}

static bool is_message(const spb_letter *letter) {
    return letter->event.kind == SPB_TRANSPORT_MESSAGE;
}

static size_t bytes_of(const spb_transport_event *event) {
    return sizeof(spb_letter) + event->topic.len + event->payload.len;
}

static void release(spb_letter *letter) {
    if (letter && is_message(letter)) {
        free(letter);
    } else if (letter) {
        letter->is_used = false;
    }
}

void spb_mailbox__clear(spb_mailbox *mailbox) {
    release(mailbox->taken);
    while (mailbox->first) {
        spb_letter *letter = mailbox->first;
        mailbox->first = letter->next;
        release(letter);
    }
    pthread_cond_destroy(&mailbox->wake);
    pthread_mutex_destroy(&mailbox->lock);
}

/* A message with its topic and payload in one block behind the letter; NULL when it is too large, or out of memory. */
static spb_letter *copy_message(const spb_transport_event *event) {
    size_t bytes = bytes_of(event);
    spb_letter *letter = bytes <= SPB_MAILBOX_MAX_BYTES ? malloc(bytes) : NULL;
    if (!letter) {
        return NULL;
    }
    char *topic = (char *)(letter + 1);
    uint8_t *payload = (uint8_t *)topic + event->topic.len;
    if (event->topic.len > 0) {
        memcpy(topic, event->topic.data, event->topic.len);
    }
    if (event->payload.len > 0) {
        memcpy(payload, event->payload.data, event->payload.len);
    }
    letter->event = *event;
    letter->event.topic.data = topic;
    letter->event.payload.data = payload;
    letter->event.reason = NULL;
    return letter;
}

static spb_letter *copy_notice_locked(spb_mailbox *mailbox, const spb_transport_event *event) {
    for (size_t i = 0; i < SPB_MAILBOX_NOTICES; i++) {
        spb_letter *letter = &mailbox->notices[i];
        if (!letter->is_used) {
            letter->is_used = true;
            letter->event = *event;
            if (event->reason) {
                letter->reason[0] = '\0';
                strncat(letter->reason, event->reason, sizeof letter->reason - 1);
                letter->event.reason = letter->reason;
            }
            return letter;
        }
    }
    return NULL;
}

static void append_locked(spb_mailbox *mailbox, spb_letter *letter) {
    letter->next = NULL;
    if (mailbox->first) {
        mailbox->last->next = letter;
    } else {
        mailbox->first = letter;
    }
    mailbox->last = letter;
}

/* Takes ownership of the letter. */
static bool append_message_locked(spb_mailbox *mailbox, spb_letter *letter) {
    size_t bytes = letter ? bytes_of(&letter->event) : 0;
    if (!letter || mailbox->message_count >= SPB_MAILBOX_MAX_MESSAGES ||
        bytes > SPB_MAILBOX_MAX_BYTES - mailbox->message_bytes) {
        free(letter);
        return false;
    }
    mailbox->message_count++;
    mailbox->message_bytes += bytes;
    append_locked(mailbox, letter);
    return true;
}

static void wake_locked(spb_mailbox *mailbox) {
    mailbox->is_woken = true;
    pthread_cond_signal(&mailbox->wake);
}

/* Only the present link has something to report, so a sum for another link is of no use any more. */
static void add_locked(uint32_t *link, uint32_t *count, uint32_t of_link, uint32_t more) {
    *count = *link == of_link ? *count + more : more;
    *link = of_link;
}

static void count_fence_locked(spb_mailbox *mailbox, const spb_transport_event *event) {
    if (mailbox->fenced_link != event->link) {
        memset(mailbox->fenced_count, 0, sizeof mailbox->fenced_count);
    }
    mailbox->fenced_link = event->link;
    if ((unsigned)event->fence < SPB_FENCE_FORMS) {
        mailbox->fenced_count[event->fence]++;
    }
}

/* The form of an answer that waits; SPB_FENCE_FORMS: none does. */
static unsigned waiting_fence_locked(const spb_mailbox *mailbox) {
    unsigned form = 0;
    while (form < SPB_FENCE_FORMS && mailbox->fenced_count[form] == 0) {
        form++;
    }
    return form;
}

void spb_mailbox__post(void *context, const spb_transport_event *event) {
    spb_mailbox *mailbox = context;
    /* A message is copied before the lock is taken: it may be large. */
    spb_letter *message = event->kind == SPB_TRANSPORT_MESSAGE ? copy_message(event) : NULL;

    pthread_mutex_lock(&mailbox->lock);
    bool must_wake = true;
    if (event->kind == SPB_TRANSPORT_MESSAGE) {
        mailbox->dropped += !append_message_locked(mailbox, message);
    } else if (event->kind == SPB_TRANSPORT_PUBLISHED) {
        add_locked(&mailbox->published_link, &mailbox->published_count, event->link, event->count);
        must_wake = mailbox->published_count >= mailbox->published_wanted;
    } else if (event->kind == SPB_TRANSPORT_FENCED) {
        count_fence_locked(mailbox, event);
    } else {
        spb_letter *notice = copy_notice_locked(mailbox, event);
        if (notice) {
            append_locked(mailbox, notice);
        }
        mailbox->dropped += !notice;
    }
    if (must_wake) {
        wake_locked(mailbox);
    }
    pthread_mutex_unlock(&mailbox->lock);
}

void spb_mailbox__wake(spb_mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    wake_locked(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
}

bool spb_mailbox__take(spb_mailbox *mailbox, spb_transport_event *out) {
    bool found = true;
    pthread_mutex_lock(&mailbox->lock);
    unsigned fence = waiting_fence_locked(mailbox);
    release(mailbox->taken);
    mailbox->taken = NULL;
    if (mailbox->published_count > 0) {
        /* First, so that nothing about the end of a link comes before what was written on it. */
        *out = (spb_transport_event){
            .kind = SPB_TRANSPORT_PUBLISHED, .link = mailbox->published_link, .count = mailbox->published_count};
        mailbox->published_count = 0;
    } else if (fence < SPB_FENCE_FORMS) {
        /* Ahead of a flood of messages, during which the server would seem to be silent. */
        *out = (spb_transport_event){
            .kind = SPB_TRANSPORT_FENCED, .link = mailbox->fenced_link, .fence = (spb_fence_form)fence};
        mailbox->fenced_count[fence]--;
    } else if (mailbox->first) {
        spb_letter *letter = mailbox->first;
        mailbox->first = letter->next;
        mailbox->taken = letter;
        if (is_message(letter)) {
            mailbox->message_count--;
            mailbox->message_bytes -= bytes_of(&letter->event);
        }
        *out = letter->event;
    } else {
        found = false;
    }
    pthread_mutex_unlock(&mailbox->lock);
    return found;
}

uint64_t spb_mailbox__take_dropped(spb_mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    uint64_t dropped = mailbox->dropped;
    mailbox->dropped = 0;
    pthread_mutex_unlock(&mailbox->lock);
    return dropped;
}

void spb_mailbox__wait(spb_mailbox *mailbox, uint32_t published_wanted, uint64_t deadline_ms) {
    pthread_mutex_lock(&mailbox->lock);
    bool is_empty = !mailbox->first && waiting_fence_locked(mailbox) == SPB_FENCE_FORMS &&
                    mailbox->published_count < published_wanted;
    mailbox->published_wanted = published_wanted;
    while (is_empty && !mailbox->is_woken && spb_clock__wait(&mailbox->wake, &mailbox->lock, deadline_ms)) {
    }
    mailbox->published_wanted = UINT32_MAX;
    mailbox->is_woken = false;
    pthread_mutex_unlock(&mailbox->lock);
}
