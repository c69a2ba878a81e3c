/* Decides how a stored block looks in a capture. */
#include "cli/journal_tsv.h"

#include <inttypes.h>
#include <stdio.h>

static void write_hex(out *to, const uint8_t *bytes, size_t len) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out_char(to, digits[bytes[i] >> 4]);
        out_char(to, digits[bytes[i] & 15]);
    }
}

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
    char time[40];
    uint64_t ms = from->shown.timestamp_ms;
    snprintf(time, sizeof time, "%" PRIu64 ".%03u\t", ms / 1000, (unsigned)(ms % 1000));
    out_text(to, time);
    out_text(to, from->topic);
    out_char(to, '\t');
    write_hex(to, bytes, len);
    out_char(to, '\n');
    spb_free(bytes);
    return SPB_OK;
}
