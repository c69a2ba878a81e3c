/*
 * Decides whether something could be encoded, by encoding it: so there is one set of rules, and builders fail with the
 * words of the encoder.
 */
#include "codec/encode.h"

#include "base/error.h"
#include "codec/limits.h"
#include "codec/writer.h"

spb_status spb_encode__check_metric(const spb_payload_metric *metric, spb_error *err) {
    spb_buffer scratch;
    spb_buffer__init(&scratch);
    spb_status status = spb_encode__metric(&scratch, metric, err);
    spb_buffer__clear(&scratch);
    return status;
}

spb_status spb_encode__check_column(spb_str name, spb_type type, size_t index, spb_error *err) {
    spb_writer w = {.err = err};
    return spb_writer__check_column(&w, name, type, index, &(spb_place){NULL, "dataset", NOT_REPEATED});
}

spb_status spb_encode__check_row(const spb_dataset *dataset, const spb_value *cells, size_t row, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    spb_buffer scratch;
    spb_buffer__init(&scratch);
    spb_writer w = {.out = &scratch, .limits = &limits, .err = err};
    spb_status status = spb_writer__row(&w, dataset, cells, row, &(spb_place){NULL, "dataset", NOT_REPEATED});
    spb_buffer__clear(&scratch);
    return status;
}

spb_status spb_encode__check_parameter(const spb_parameter *parameter, size_t index, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    spb_buffer scratch;
    spb_buffer__init(&scratch);
    spb_writer w = {.out = &scratch, .limits = &limits, .err = err};
    const spb_place tmpl = {NULL, "template", NOT_REPEATED};
    spb_status status = spb_writer__parameter(&w, parameter, &(spb_place){&tmpl, "parameters", index});
    spb_buffer__clear(&scratch);
    return status;
}
