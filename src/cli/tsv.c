/* Decides how a message looks as a line. Topics may hold tabs: the first and the last of a line are meant. */
#include "cli/tsv.h"

#include <string.h>

#include "cli/error.h"

spb_status tsv_write(out *to, uint64_t time_ms, spb_str topic, spb_bytes payload, spb_error *err) {
    if (topic.len > 0 && memchr(topic.data, '\n', topic.len)) {
        error_set(err, SPB_ERR_NAME, SPB_NO_OFFSET, "topic: has a line feed, which a line of tsv cannot hold");
        return err->status;
    }
    const char fraction[] = {'.', (char)('0' + time_ms / 100 % 10), (char)('0' + time_ms / 10 % 10),
                             (char)('0' + time_ms % 10), '\t'};
    out_u64(to, time_ms / 1000);
    out_bytes(to, fraction, sizeof fraction);
    out_bytes(to, topic.data, topic.len);
    out_char(to, '\t');
    out_hex(to, payload.data, payload.len);
    out_char(to, '\n');
    return SPB_OK;
}
