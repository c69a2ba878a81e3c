/* Decides how a transport answers that does nothing. */
#include "sink.h"

#include <pthread.h>
#include <stdlib.h>

#include "bench.h"

#define MOST_EVENTS 16

typedef struct sink {
    spb_transport base; /* first: a pointer to it is a pointer to the whole */
    spb_transport_listener listener;
    void *context;
    pthread_t answers; /* the listener must not be called from inside a call */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    spb_transport_event events[MOST_EVENTS];
    size_t event_count;
    uint32_t link;
    uint32_t published;
    bool is_ending;
} sink;

static sink *from_base(spb_transport *self) {
    return (sink *)self;
}

static void *answer(void *context) {
    sink *self = context;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        while (self->event_count == 0 && self->published == 0 && !self->is_ending) {
            pthread_cond_wait(&self->changed, &self->lock);
        }
        if (self->is_ending) {
            break;
        }
        spb_transport_event event = {
            .kind = SPB_TRANSPORT_PUBLISHED, .link = self->link, .count = self->published, .status = SPB_OK};
        if (self->published > 0) {
            self->published = 0;
        } else {
            event = self->events[0];
            self->event_count--;
            for (size_t i = 0; i < self->event_count; i++) {
                self->events[i] = self->events[i + 1];
            }
        }
        pthread_mutex_unlock(&self->lock);
        self->listener(self->context, &event);
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static spb_status post(sink *self, spb_transport_event_kind kind, uint32_t link) {
    pthread_mutex_lock(&self->lock);
    if (self->event_count == MOST_EVENTS) {
        bench_fail("the sink is full");
    }
    self->events[self->event_count++] = (spb_transport_event){.kind = kind, .link = link, .status = SPB_OK};
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return SPB_OK;
}

static void set_listener(spb_transport *base, spb_transport_listener listener, void *context) {
    from_base(base)->listener = listener;
    from_base(base)->context = context;
}

static spb_status connect_at_once(spb_transport *base, const spb_transport_connect *request, spb_error *err) {
    (void)err;
    from_base(base)->link = request->link;
    return post(from_base(base), SPB_TRANSPORT_CONNECTED, request->link);
}

static spb_status subscribe(spb_transport *base, uint32_t link, const spb_subscription *items, size_t count,
                            spb_error *err) {
    (void)items, (void)count, (void)err;
    return post(from_base(base), SPB_TRANSPORT_SUBSCRIBED, link);
}

static spb_status publish(spb_transport *base, uint32_t link, const spb_transport_message *message, spb_error *err) {
    (void)link, (void)message, (void)err;
    sink *self = from_base(base);
    pthread_mutex_lock(&self->lock);
    self->published++;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return SPB_OK;
}

static spb_status fence(spb_transport *base, uint32_t link, spb_fence_form form, const spb_subscription *item,
                        spb_error *err) {
    (void)form, (void)item, (void)err;
    return post(from_base(base), SPB_TRANSPORT_FENCED, link);
}

static void disconnect(spb_transport *base, uint32_t link, uint32_t timeout_ms) {
    (void)timeout_ms;
    post(from_base(base), SPB_TRANSPORT_DISCONNECTED, link);
}

static void close_link(spb_transport *base, uint32_t link) {
    (void)base, (void)link;
}

static void free_sink(spb_transport *base) {
    sink *self = from_base(base);
    pthread_mutex_lock(&self->lock);
    self->is_ending = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->answers, NULL);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

spb_transport *sink_new(void) {
    sink *self = bench_allocate(1, sizeof *self);
    self->base = (spb_transport){.set_listener = set_listener,
                                 .connect = connect_at_once,
                                 .subscribe = subscribe,
                                 .publish = publish,
                                 .fence = fence,
                                 .disconnect = disconnect,
                                 .close = close_link,
                                 .free = free_sink};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    if (pthread_create(&self->answers, NULL, answer, self) != 0) {
        bench_fail("no thread for the sink");
    }
    return &self->base;
}
