/* Decides how a client of the fence test waits for what its transport tells. What is sent and what it proves is left to
 * fence_trial.c. */
#include "cli/fence_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/complain.h"
#include "cli/error.h"

static const char hex[] = "0123456789abcdef";
enum { KEEP_ALIVE_S = 60, HEADER = 16 };

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- what is told ---- */

/* The first 16 digits of a payload: trial, then number. */
static bool read_header(spb_bytes payload, uint32_t *trial, uint32_t *number) {
    uint64_t both = 0;
    for (size_t i = 0; i < HEADER; i++) {
        const char *digit = i < payload.len ? memchr(hex, payload.data[i], 16) : NULL;
        if (!digit) {
            return false;
        }
        both = both << 4 | (uint64_t)(digit - hex);
    }
    *trial = (uint32_t)(both >> 32);
    *number = (uint32_t)both;
    return true;
}

static void take_message_locked(fence_client *self, spb_bytes payload) {
    uint32_t trial, number;
    if (read_header(payload, &trial, &number) && trial == self->trial && number < FENCE_MAX_MESSAGES &&
        self->came_us[number] == 0) {
        self->came_us[number] = now_us();
        self->came++;
    }
}

static void end_locked(fence_client *self, spb_status status, const char *reason) {
    self->has_ended = true;
    error_set(&self->failure, status, SPB_NO_OFFSET, reason ? reason : spb_status_name(status));
}

static void listen(void *context, const spb_transport_event *event) {
    fence_client *self = context;
    pthread_mutex_lock(&self->lock);
    switch (event->kind) {
    case SPB_TRANSPORT_CONNECTED:
        self->is_connected = true;
        self->max_packet_bytes = event->max_packet_bytes;
        break;
    case SPB_TRANSPORT_SUBSCRIBED:
        self->is_subscribed = event->status == SPB_OK;
        if (event->status != SPB_OK) {
            end_locked(self, event->status, event->reason);
        }
        break;
    case SPB_TRANSPORT_FENCED:
        if (self->answers < FENCE_MAX_ANSWERS) {
            self->answered_us[self->answers++] = now_us();
        }
        break;
    case SPB_TRANSPORT_MESSAGE: take_message_locked(self, event->payload); break;
    case SPB_TRANSPORT_CONNECT_FAILED:
    case SPB_TRANSPORT_LOST: end_locked(self, event->status, event->reason); break;
    case SPB_TRANSPORT_PUBLISHED: self->written += event->count; break;
    case SPB_TRANSPORT_WARNING: complain("%s", event->reason); break;
    case SPB_TRANSPORT_DISCONNECTED: break;
    }
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* False when the time has come. */
static bool wait_locked(fence_client *self, uint64_t deadline_us) {
    struct timespec deadline = {.tv_sec = (time_t)(deadline_us / 1000000),
                                .tv_nsec = (long)(deadline_us % 1000000) * 1000};
    return pthread_cond_timedwait(&self->changed, &self->lock, &deadline) == 0;
}

/* ---- its life ---- */

static spb_status init_lock(fence_client *self, spb_error *err) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failure = pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!failure && pthread_mutex_init(&self->lock, NULL) != 0) {
        pthread_cond_destroy(&self->changed);
        failure = 1;
    }
    if (failure) {
        error_set(err, SPB_ERR_SYSTEM, SPB_NO_OFFSET, "cannot make a lock");
    }
    return failure ? SPB_ERR_SYSTEM : SPB_OK;
}

spb_status fence_client_init(fence_client *self, const char *server, const char *topic, const char *id,
                             const spb_mqtt_options *mqtt, spb_error *err) {
    *self = (fence_client){.server = server, .topic = topic};
    snprintf(self->id, sizeof self->id, "%s", id);
    snprintf(self->will, sizeof self->will, "%s/will", topic);
    snprintf(self->commands, sizeof self->commands, "%s/commands", topic);
    snprintf(self->other, sizeof self->other, "%s/other", topic);
    spb_status status = init_lock(self, err);
    if (status != SPB_OK) {
        return status;
    }
    status = spb_mqtt_new(&self->transport, mqtt, err);
    if (status != SPB_OK) {
        pthread_cond_destroy(&self->changed);
        pthread_mutex_destroy(&self->lock);
        return status;
    }
    self->transport->set_listener(self->transport, listen, self);
    return SPB_OK;
}

void fence_client_clear(fence_client *self) {
    if (self->transport) {
        self->transport->free(self->transport);
        pthread_cond_destroy(&self->changed);
        pthread_mutex_destroy(&self->lock);
        self->transport = NULL;
    }
}

/* Waits until *flag, the end of the link or the deadline. */
static spb_status await_flag(fence_client *self, const bool *flag, uint32_t timeout_ms, const char *what,
                             spb_error *err) {
    uint64_t deadline_us = now_us() + timeout_ms * UINT64_C(1000);
    pthread_mutex_lock(&self->lock);
    while (!*flag && !self->has_ended && wait_locked(self, deadline_us)) {
    }
    spb_status status = *flag ? SPB_OK : self->has_ended ? self->failure.status : SPB_ERR_TIMEOUT;
    if (status != SPB_OK && self->has_ended) {
        *err = self->failure;
    } else if (status != SPB_OK) {
        error_set(err, status, SPB_NO_OFFSET, what);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

spb_status fence_client_connect(fence_client *self, uint32_t timeout_ms, spb_error *err) {
    fence_client_close(self);
    pthread_mutex_lock(&self->lock);
    self->is_connected = self->is_subscribed = self->has_ended = false;
    self->written = self->answers = 0;
    pthread_mutex_unlock(&self->lock);
    spb_transport_connect request = {.link = ++self->link,
                                     .server = self->server,
                                     .client_id = self->id,
                                     .keep_alive_s = KEEP_ALIVE_S,
                                     .timeout_ms = timeout_ms,
                                     .will = {.topic = self->will, .payload = {(const uint8_t *)"-", 1}}};
    spb_status status = self->transport->connect(self->transport, &request, err);
    return status == SPB_OK ? await_flag(self, &self->is_connected, timeout_ms + 1000, "no answer to CONNECT", err)
                            : status;
}

spb_status fence_client_subscribe(fence_client *self, const char *filter, uint32_t timeout_ms, spb_error *err) {
    spb_subscription item = {.filter = filter, .qos = 0};
    spb_status status = self->transport->subscribe(self->transport, self->link, &item, 1, err);
    return status == SPB_OK ? await_flag(self, &self->is_subscribed, timeout_ms, "no answer to SUBSCRIBE", err)
                            : status;
}

spb_status fence_client_publish(fence_client *self, uint32_t trial, uint32_t number, size_t bytes, spb_error *err) {
    uint64_t both = (uint64_t)trial << 32 | number;
    uint8_t *payload = malloc(bytes);
    if (!payload) {
        error_set(err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory");
        return SPB_ERR_NO_MEMORY;
    }
    memset(payload, '.', bytes);
    for (size_t i = HEADER; i-- > 0; both >>= 4) {
        payload[i] = (uint8_t)hex[both & 15];
    }
    spb_transport_message message = {.topic = self->topic, .payload = {payload, bytes}};
    spb_status status = self->transport->publish(self->transport, self->link, &message, err);
    free(payload);
    return status;
}

spb_status fence_client_fence(fence_client *self, spb_fence_form form, spb_error *err) {
    const char *filters[SPB_FENCE_FORMS] = {"/fence", self->commands, self->other};
    const spb_subscription item = {.filter = filters[form], .qos = 0};
    return self->transport->fence(self->transport, self->link, form, &item, err);
}

void fence_client_close(fence_client *self) {
    self->transport->close(self->transport, self->link);
}

/* ---- what is awaited ---- */

void fence_client_expect(fence_client *self, uint32_t trial) {
    pthread_mutex_lock(&self->lock);
    self->trial = trial;
    self->came = 0;
    memset(self->came_us, 0, sizeof self->came_us);
    pthread_mutex_unlock(&self->lock);
}

spb_status fence_client_await_answers(fence_client *self, unsigned count, uint32_t timeout_ms, uint64_t *answered_us,
                                      spb_error *err) {
    spb_status status = SPB_OK;
    pthread_mutex_lock(&self->lock);
    uint32_t seen = self->written + self->answers;
    uint64_t deadline_us = now_us() + timeout_ms * UINT64_C(1000);
    while (self->answers < count && !self->has_ended && wait_locked(self, deadline_us)) {
        if (self->written + self->answers > seen) {
            seen = self->written + self->answers;
            deadline_us = now_us() + timeout_ms * UINT64_C(1000);
        }
    }
    if (self->answers >= count) {
        *answered_us = self->answered_us[count - 1];
    } else if (self->has_ended) {
        *err = self->failure;
        status = self->failure.status;
    } else {
        status = SPB_ERR_TIMEOUT;
        error_set(err, status, SPB_NO_OFFSET, "no answer to a fence");
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

static uint32_t missing_locked(const fence_client *self, uint32_t count, uint64_t *last_us) {
    uint32_t missing = 0;
    *last_us = 0;
    for (uint32_t i = 0; i < count; i++) {
        missing += self->came_us[i] == 0;
        *last_us = self->came_us[i] > *last_us ? self->came_us[i] : *last_us;
    }
    return missing;
}

spb_status fence_client_await_messages(fence_client *self, uint32_t count, uint32_t quiet_ms, uint32_t *missing,
                                       uint64_t *last_us, spb_error *err) {
    uint64_t quiet_us = quiet_ms * UINT64_C(1000);
    pthread_mutex_lock(&self->lock);
    uint64_t deadline_us = now_us() + quiet_us;
    uint32_t seen = self->came;
    while (missing_locked(self, count, last_us) > 0 && !self->has_ended && wait_locked(self, deadline_us)) {
        if (self->came > seen) {
            seen = self->came;
            deadline_us = now_us() + quiet_us;
        }
    }
    *missing = missing_locked(self, count, last_us);
    spb_status status = self->has_ended ? self->failure.status : SPB_OK;
    if (status != SPB_OK) {
        *err = self->failure;
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}
