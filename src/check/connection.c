/* Decides how connections are kept, and which topics their subscriptions cover. */
#include <stdlib.h>
#include <string.h>

#include "check/registry.h"

client *registry_connection(registry *s, uint64_t number) {
    client **bucket = &s->connections[number % CONNECTION_BUCKETS];
    for (client *one = *bucket; one; one = one->next) {
        if (one->number == number) {
            return one;
        }
    }
    client *one = calloc(1, sizeof *one);
    if (one) {
        one->number = number;
        one->next = *bucket;
        *bucket = one;
    }
    return one;
}

void client_reset(client *one) {
    client *next = one->next;
    uint64_t number = one->number;
    for (size_t i = 0; i < one->filter_count; i++) {
        free(one->filters[i]);
    }
    free(one->filters);
    free(one->will_topic);
    free(one->host_id);
    *one = (client){.next = next, .number = number};
}

static void free_connection(client *one) {
    client_reset(one);
    free(one);
}

void registry_clear_connections(registry *s) {
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        while (s->connections[i]) {
            client *one = s->connections[i];
            s->connections[i] = one->next;
            free_connection(one);
        }
    }
}

static void sweep_closed(registry *s) {
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        for (client **at = &s->connections[i]; *at;) {
            client *one = *at;
            if (one->is_closed) {
                *at = one->next;
                free_connection(one);
            } else {
                at = &one->next;
            }
        }
    }
    s->closed_count = 0;
}

/* What the other side sent may still come: closed ones are kept for a while. */
void registry_close(registry *s, client *one) {
    enum { CLOSED_MAX = 1024 };
    if (!one->is_closed) {
        one->is_closed = true;
        s->closed_count++;
    }
    if (s->closed_count > CLOSED_MAX) {
        sweep_closed(s);
    }
}

bool client_subscribe(client *one, spb_str filter, uint8_t qos) {
    if (one->filter_count == MAX_FILTERS) {
        one->has_connect = false; /* what it is subscribed to is not known any more */
        return true;
    }
    char **filters = realloc(one->filters, (one->filter_count + 1) * sizeof(*filters));
    char *copy = malloc(filter.len + 2);
    if (filters) {
        one->filters = filters;
    }
    if (!filters || !copy) {
        free(copy);
        return false;
    }
    copy[0] = (char)('0' + qos);
    memcpy(copy + 1, filter.data, filter.len);
    copy[filter.len + 1] = '\0';
    one->filters[one->filter_count++] = copy;
    return true;
}

/* An MQTT filter, without the exception for topics that begin with $. */
static bool matches(const char *filter, const char *topic) {
    for (;;) {
        if (strcmp(filter, "#") == 0) {
            return true;
        }
        size_t part = strcspn(filter, "/"), of_topic = strcspn(topic, "/");
        bool is_any = part == 1 && *filter == '+';
        if (!is_any && (part != of_topic || memcmp(filter, topic, part) != 0)) {
            return false;
        }
        filter += part;
        topic += of_topic;
        if (*filter == '\0' || *topic == '\0') {
            return *filter == *topic || strcmp(filter, "/#") == 0;
        }
        filter++;
        topic++;
    }
}

bool client_covers(const client *one, const char *topic, uint8_t min_qos) {
    for (size_t i = 0; i < one->filter_count; i++) {
        const char *filter = one->filters[i];
        if (filter[0] - '0' >= min_qos && matches(filter + 1, topic)) {
            return true;
        }
    }
    return false;
}
