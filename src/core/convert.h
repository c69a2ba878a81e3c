/* From what a host sent to what a metric takes. */
#ifndef SPB_CORE_CONVERT_H
#define SPB_CORE_CONVERT_H

#include "core/metric.h"

/*
 * The value of a command as the metric's datatype, within its range and choices. A number of another datatype is taken
 * when it fits without loss, and a Double for a Float when it is in range. The result borrows from `sent`.
 * SPB_ERR_TYPE: null, or nothing that the datatype can hold. SPB_ERR_RANGE: does not fit, or outside min … max, or not
 * one of the choices.
 */
spb_status spb_convert__command(spb_value *out, const spb_metric *metric, const spb_value *sent, spb_error *err);

#endif
