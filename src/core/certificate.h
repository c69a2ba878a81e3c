/* The payloads of births and deaths, and the metrics in them. What fails may leave a part of it in `out`. */
#ifndef SPB_CORE_CERTIFICATE_H
#define SPB_CORE_CERTIFICATE_H

#include "base/buffer.h"
#include "core/table.h"

/* The session's own metrics, which stand in each NBIRTH. */
#define SPB_METRIC_BDSEQ "bdSeq"
#define SPB_METRIC_REBIRTH "Node Control/Rebirth"
/* In those of a session that was asked to have it. */
#define SPB_METRIC_NEXT_SERVER "Node Control/Next Server"

/* A metric of the session itself. It never has an alias
 * (tck-id-operational-behavior-data-commands-rebirth-name-aliases). */
typedef struct spb_birth_fact {
    const char *name;
    spb_value value;
} spb_birth_fact;

/* NBIRTH or DBIRTH: the session's own metrics, if there are any, and all metrics of the holder, in order of time
 * (tck-id-operational-behavior-data-publish-nbirth-order). */
spb_status spb_certificate__birth(spb_buffer *out, const spb_device *holder, const spb_birth_fact *facts,
                                  size_t fact_count, uint8_t seq, uint64_t now_ms);
/* NDEATH, as a will and on purpose: bdSeq and no seq. */
spb_status spb_certificate__node_death(spb_buffer *out, uint8_t bdseq, uint64_t now_ms, spb_error *err);
/* DDEATH: no metrics. */
spb_status spb_certificate__device_death(spb_buffer *out, uint8_t seq, uint64_t now_ms);
/* One metric of a birth: name, alias, datatype, properties. */
spb_status spb_certificate__metric(spb_buffer *out, const spb_metric *metric, uint64_t timestamp_ms, spb_error *err);
/* One metric of a data message: alias, or name where it has none, and no datatype. The quality is told if it is not
 * good, or if hosts have been told of one. */
spb_status spb_certificate__sample(spb_buffer *out, const spb_metric *metric, const spb_value *value,
                                   uint64_t timestamp_ms, uint8_t quality, bool is_historical, spb_error *err);

#endif
