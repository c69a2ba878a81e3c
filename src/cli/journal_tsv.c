/* Decides how a stored block looks in a capture. */
#include "cli/journal_tsv.h"

#include "cli/tsv.h"

spb_status journal_write_tsv(out *to, journal *from, spb_error *err) {
    for (size_t i = 0; i < from->shown.metric_count; i++) {
        spb_payload_metric *metric = &from->metrics[i];
        metric->value = from->views[i].value;
        metric->omit_datatype = metric->value.type == SPB_UNKNOWN;
        metric->name = from->views[i].name;
        metric->has_alias = !metric->name.data;
    }
    from->shown.has_seq = true; /* numbered anew: that of a replay is not known yet */
    from->shown.seq = (uint8_t)from->exported++;
    uint8_t *bytes;
    size_t len;
    spb_status status = spb_payload_encode(&from->shown, NULL, &bytes, &len, err);
    if (status != SPB_OK) {
        return status;
    }
    status = tsv_write(to, from->shown.timestamp_ms, spb_str_from(from->topic), (spb_bytes){bytes, len}, err);
    spb_free(bytes);
    return status;
}
