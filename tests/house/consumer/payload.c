/* The smallest use of the codec: a payload there and back. */
#include <inttypes.h>
#include <stdio.h>

#include <spb/spb.h>

int main(void) {
    const spb_payload_metric metric = {.name = spb_str_from("Temperature"), .value = spb_double(21.5)};
    const spb_payload sent = {.has_seq = true, .seq = 7, .metrics = &metric, .metric_count = 1};
    spb_error err = {0};
    uint8_t *bytes;
    size_t len;
    if (spb_payload_encode(&sent, NULL, &bytes, &len, &err) != SPB_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    spb_payload *got;
    spb_status status = spb_payload_decode(&got, (spb_bytes){bytes, len}, NULL, &err);
    spb_free(bytes);
    if (status != SPB_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const spb_payload_metric *found = spb_payload_find(got, "Temperature");
    if (found) {
        printf("%s seq %" PRIu64 " %s %g\n", spb_version(), got->seq, spb_type_name(found->value.type),
               found->value.as.f64);
    }
    spb_payload_free(got);
    return found ? 0 : 1;
}
