/*
 * Decides whether something could be encoded, by encoding it: so there is one set of rules, and builders fail with the
 * words of the encoder.
 */
#include "codec/encode.h"

#include "base/error.h"
#include "codec/limits.h"
#include "codec/rare.h"

spb_status spb_encode__check_metric(const spb_payload_metric *metric, spb_error *err) {
    spb_buffer scratch;
    spb_buffer__init(&scratch);
    spb_status status = spb_encode__metric(&scratch, metric, err);
    spb_buffer__clear(&scratch);
    return status;
}

spb_status spb_encode__check_column(spb_str name, spb_type type, size_t index, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    return spb_rare__check_column(&(spb_writer){.limits = &limits, .err = err}, name, type, index);
}

spb_status spb_encode__check_row(const spb_dataset *dataset, const spb_value *cells, size_t row, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    return spb_rare__check_row(&(spb_writer){.limits = &limits, .err = err}, dataset, cells, row);
}

spb_status spb_encode__check_parameter(const spb_parameter *parameter, size_t index, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    return spb_rare__check_parameter(&(spb_writer){.limits = &limits, .err = err}, parameter, index);
}
