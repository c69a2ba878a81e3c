/* One metric: its definition, and the value it holds. */
#ifndef SPB_CORE_METRIC_H
#define SPB_CORE_METRIC_H

#include <spb/metric.h>

#include "base/buckets.h"
#include "base/deadlines.h"
#include "core/change.h"

/* What few metrics have. */
typedef struct spb_metric_extra {
    spb_value properties; /* of the birth, deep copy; null: none */
    char *description;    /* NULL: none */
    double min, max;
    bool has_range;
    spb_value *choices; /* deep copies */
    size_t choice_count;
    uint32_t max_command_age_ms;
    spb_write_fn on_write;
    void *user;
} spb_metric_extra;

struct spb_metric {
    /* What each sample looks at stands together, in two cache lines. */
    spb_device *holder; /* the node itself is one, too */
    spb_change *change; /* NULL: it has no rules of its own */
    uint64_t timestamp_ms;
    spb_value value;
    uint32_t alias;  /* 0: none */
    uint32_t block;  /* the number of the live block of its holder in which its newest sample is or was; 0: of none */
    uint8_t type;    /* an spb_type */
    uint8_t keep;    /* an spb_keep */
    uint8_t quality; /* SPB_SAMPLE_GOOD, _BAD or _STALE */
    bool in_birth;   /* the last birth of its holder has it */
    bool is_unsent;  /* the value is a sample that no message and no birth has carried yet */
    bool is_ahead;   /* the value is newer than what messages have carried: see birth.c */
    bool is_transient : 1;
    bool is_urgent : 1;
    bool has_quality : 1;   /* hosts were told of a quality, and are from then on */
    bool is_behind : 1;     /* its last sample was dropped under load: hosts have an older value */
    bool is_time_given : 1; /* the application said when the value was taken */
    bool is_held : 1;       /* is_unsent, because its rules say so */
    bool is_deep : 1;       /* `value` was made by spb_value_copy */
    bool is_definition : 1; /* of a template: stands in the NBIRTH, and nowhere else */
    bool is_removed : 1;    /* out of the table: only the answer to a write is waited for */
    uint16_t name_len;
    uint32_t storage_capacity;
    spb_metric *next_of_holder; /* in the order of definition */
    spb_metric *previous_of_holder;
    spb_bucket_link in_table;
    spb_metric_extra *extra; /* NULL: none of it */
    void *storage;           /* what `value` points to when it is text or plain bytes; kept for the next value */
    spb_deadline timer;      /* of a sample that is held, or deferred */
    char name[];             /* ends in NUL */
};

/* A metric from its definition, not yet in a table. Statuses as spb_session_add_metric. */
spb_status spb_metric__new(spb_metric **out, const spb_metric_def *def, uint64_t now_ms, spb_error *err);
void spb_metric__free(spb_metric *metric);
/* It, and all behind it in the order of its holder; `first` may be NULL. */
void spb_metric__free_all(spb_metric *first);
/* May it hold this value: datatype, range, UTF-8. SPB_ERR_TYPE, SPB_ERR_RANGE, SPB_ERR_NAME. */
spb_status spb_metric__check(const spb_metric *metric, const spb_value *value, spb_error *err);
/* Copies the value, checked before; what it points to may belong to the metric. SPB_ERR_NO_MEMORY, and nothing changed.
 */
spb_status spb_metric__set(spb_metric *metric, const spb_value *value, uint64_t timestamp_ms, spb_error *err);
/* The sample that it holds, for its rules. */
static inline spb_report spb_metric__report(const spb_metric *metric) {
    return (spb_report){.value = &metric->value, .timestamp_ms = metric->timestamp_ms, .quality = metric->quality};
}
/* The code of a quality as hosts see it. */
int32_t spb_metric__quality_code(uint8_t quality);
spb_str spb_metric__name_view(const spb_metric *metric);

#endif
