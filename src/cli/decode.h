/* From records to messages: topic, payload, births, what is odd or wrong; what is wanted of that goes to the output. */
#ifndef SPB_CLI_DECODE_H
#define SPB_CLI_DECODE_H

#include "cli/feed.h"
#include "cli/filter.h"
#include "cli/later.h"
#include "cli/output.h"
#include "cli/unfold.h"

typedef struct decoder {
    report *to;
    output *shown;
    filter *wanted;
    later *again; /* the second pass */
    bool is_unfolding;
    births *known;
    metric_view *views; /* of the message at hand */
    size_t view_capacity;
    unfold parts;
    uint64_t other_topics; /* of a capture, that are none of Sparkplug's */
} decoder;

/* All that is pointed to must outlive the decoder. False: no memory. */
bool decode_init(decoder *d, report *to, output *shown, filter *wanted, later *again, bool is_unfolding);
void decode_clear(decoder *d);
/* For feed_next. */
void decode_record(void *decoder, const feed_record *record);
/* After the last record. */
void decode_end(decoder *d);

#endif
