/* How a metric is defined: common to spb/node.h and spb/session.h. */
#ifndef SPB_METRIC_H
#define SPB_METRIC_H

#include <spb/payload.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Handles. They live as long as the node (or session) that they were made from, or until they are removed. */
typedef struct spb_metric spb_metric;
typedef struct spb_device spb_device;

/* The timestamp that means: now. Others of applications lie between SPB_FIRST_TIMESTAMP_MS and SPB_LAST_TIMESTAMP_MS;
 * while the clock of this machine is not set, earlier ones are taken for those of its clock. */
#define SPB_NOW UINT64_C(0)

/*
 * A host application wants the metric to have a new value (NCMD, DCMD). *value has the metric's datatype and lies in
 * its range. Return SPB_OK to accept: the value left in *value, which may be another one, is published as the metric's
 * new value. Anything else refuses; the metric keeps its value. What *value points to is borrowed for the call. Runs on
 * the node's worker thread with no lock held; every spb_node_*, spb_device_* and spb_metric_* call but spb_node_free
 * and spb_node_stop may be made in it.
 */
typedef spb_status (*spb_write_fn)(spb_metric *metric, spb_value *value, void *user);

/* Which samples of a metric the journal keeps, when they cannot be sent or were not confirmed. The present value is in
 * each birth in any case. */
typedef enum spb_keep {
    SPB_KEEP_ALL,  /* each of them */
    SPB_KEEP_LAST, /* of those taken while there is nobody to send them to, the newest alone */
    SPB_KEEP_NONE  /* none */
} spb_keep;

/* What a metric is. Everything is copied. Only `name`, and `type` or `value`, are required. */
typedef struct spb_metric_def {
    const char *name; /* UTF-8; may hold '/'; unique in its node or device (tck-id-topics … names are per level) */
    spb_type type;    /* may be left out when `value` has one */
    spb_value value;  /* first value; left out: null */
    uint64_t timestamp_ms;   /* of the first value; SPB_NOW: when it is added; else as SPB_FIRST_TIMESTAMP_MS says */
    const char *unit;        /* property `engUnit` of the birth */
    double min, max;         /* both 0: no range; else the properties `engLow` and `engHigh`, and commands outside are
                                refused; for numbers */
    const char *description; /* metadata `description` of the birth */
    const spb_property *properties; /* further properties of the birth */
    size_t property_count;
    const spb_value *choices;    /* commands with another value than these are refused; of the metric's datatype */
    size_t choice_count;         /* 0: no such list */
    uint32_t max_command_age_ms; /* commands with an older timestamp, one as far ahead of the clock of this machine, or
                                    none are refused, as are all while that clock is not set; 0: no such check. The
                                    clocks of host and node must agree so far */
    bool is_transient;           /* hosts are asked not to store it */
    spb_keep keep;               /* store-and-forward; without a journal it means nothing */

    /* Report by exception: which samples are worth a message. Zeroed: each that differs from the one before. Time is
       that of the samples. */
    double deadband;          /* of a number: a change of no more than this from the value sent last is none, */
    double deadband_percent;  /* or of no more than so many percent of max - min */
    uint32_t min_interval_ms; /* samples are sent at least so far apart; of those in between, the newest */
    uint32_t max_interval_ms; /* after so long the newest sample is sent, changed or not; 0: never */
    bool keeps_all;           /* of those within min_interval_ms all are sent, together, at its end */
    bool sends_unchanged;     /* each sample counts as changed */
    bool is_urgent;           /* its samples do not wait for the end of the batch window */

    spb_write_fn on_write; /* NULL: commands on it are refused */
    void *user;            /* for on_write */
} spb_metric_def;

/* What else there is to say of a sample, or'ed. A change of quality is always sent; hosts see it as the property
 * `Quality` (tck-id-payloads-propertyset-quality-value-value). */
#define SPB_SAMPLE_GOOD 0x0u
#define SPB_SAMPLE_BAD 0x1u    /* the value is not to be trusted */
#define SPB_SAMPLE_STALE 0x2u  /* the value may be out of date */
#define SPB_SAMPLE_FORCED 0x4u /* sent, whatever the rules of its metric say */
#define SPB_SAMPLE_URGENT 0x8u /* does not wait for the end of the batch window */
/*
 * A sample of the past, for example from the memory of a PLC: hosts get it with its timestamp, which it must have, as
 * is_historical, and it changes nothing else: neither the metric's value, nor what the next birth shows, nor what the
 * rules of the metric compare with. They say nothing of it: each such sample is sent, in the order in which they were
 * given. With a journal it takes the way through that, whether the node is born or not, and expires there as others do
 * (max_sample_age_s). Without one, or if the metric does not keep all (spb_keep), it is sent with live data if hosts
 * know the metric just then, else dropped and counted. Its time is not compared with that of others.
 *
 * A sample without this flag is taken as if it had it when its timestamp is before that of the newest one of its
 * metric. These are live all the same: a sample with SPB_NOW, and the next one after it; one that is forced; and one
 * that comes when the newest timestamp is ahead of the clock of this machine. The last two are for clocks that were set
 * back: that of this machine, and that of a source, after which one forced sample makes the new time count.
 */
#define SPB_SAMPLE_HISTORICAL 0x10u

typedef struct spb_sample {
    spb_metric *metric;
    spb_value value;
    uint64_t timestamp_ms; /* or SPB_NOW */
    uint32_t flags;        /* SPB_SAMPLE_… */
} spb_sample;

/* Its name, alias (0: none) and datatype. Any thread; valid as long as the handle. */
SPB_API const char *spb_metric_name(const spb_metric *metric);
SPB_API uint64_t spb_metric_alias(const spb_metric *metric);
SPB_API spb_type spb_metric_type(const spb_metric *metric);
/* The device it belongs to; NULL for a metric of the node itself. Any thread. */
SPB_API spb_device *spb_metric_device(const spb_metric *metric);
/* The device's ID. Any thread. */
SPB_API const char *spb_device_id(const spb_device *device);

#ifdef __cplusplus
}
#endif

#endif
