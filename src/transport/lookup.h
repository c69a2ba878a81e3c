/* The addresses of a name, asked for in a thread of its own. */
#ifndef SPB_TRANSPORT_LOOKUP_H
#define SPB_TRANSPORT_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/endpoint.h"

#define SPB_ENDPOINTS_MAX 16

typedef struct spb_lookup_answer {
    size_t count;
    spb_endpoint places[SPB_ENDPOINTS_MAX]; /* in the order of the system */
    char why[128];                          /* count 0: why there are none */
} spb_lookup_answer;

typedef struct spb_lookup spb_lookup;

/* Who waits for an answer. */
typedef struct spb_lookup_wait {
    struct spb_lookup_wait *next;
    spb_lookup *lookup;       /* NULL: nothing is asked, or it is answered */
    int wake;                 /* an eventfd, which is written when the answer is there */
    spb_lookup_answer answer; /* to be read once spb_lookup__is_answered */
} spb_lookup_wait;

/* Asks for that name. False: there is no memory, or no thread. Any thread. */
bool spb_lookup__ask(spb_lookup_wait *wait, const char *host, int wake);
bool spb_lookup__is_answered(spb_lookup_wait *wait);
/* No answer is wanted any more: never waits for one. Also fine when it is there, or when the wait is zeroed. */
void spb_lookup__forget(spb_lookup_wait *wait);

#endif
