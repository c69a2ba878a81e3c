/* Which messages and metrics are wanted. */
#ifndef SPB_CLI_FILTER_H
#define SPB_CLI_FILTER_H

#include "cli/message.h"

/* An instant, or a time of day: of the day of the first message that has a time. */
typedef struct filter_time {
    bool is_set;
    bool is_time_of_day;
    uint64_t ms;
} filter_time;

typedef struct filter {
    const char *group, *node, *device, *metric; /* patterns; NULL: any */
    unsigned kinds;                             /* bit 1 << spb_kind; 0: any */
    filter_time from, to;                       /* both inclusive */
    bool has_day;
    uint64_t day_ms; /* the first day's beginning */
} filter;

/* `*` stands for any text, also with a slash in it, `?` for any character. */
bool filter_matches(const char *pattern, spb_str text);
/* "NBIRTH,DDATA", also in lower case. */
bool filter_read_kinds(const char *text, unsigned *kinds);
/* UTC: 2026-11-22, 2026-11-22T12:35[:54[.25]][Z], 12:35[:54[.25]], or seconds since 1970 with a fraction. */
bool filter_read_time(const char *text, filter_time *out);

/* False: nothing of that node is wanted, whatever it is. `topic` NULL: a payload alone. */
bool filter_takes_node(const filter *f, const spb_topic *topic);
bool filter_takes_message(filter *f, const message *m);
/* Moves the wanted ones to the front, and returns how many these are. */
size_t filter_metrics(const filter *f, metric_view *views, size_t count);
static inline bool filter_is_of_metrics(const filter *f) {
    return f->metric != NULL;
}

#endif
