/* Any bytes as the payload of a STATE message: what is parsed formats to something that parses to the same. */
#include <stdint.h>
#include <stdlib.h>

#include <spb/topic.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[64];
    size_t len = 0;
    spb_host_state state, again;
    spb_error err = {.status = SPB_OK};
    spb_status status = spb_host_state_parse(&state, (spb_bytes){data, size}, &err);
    if (status != SPB_OK) {
        if (err.status != status || err.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (spb_host_state_format(&state, text, sizeof text, &len, NULL) != SPB_OK ||
        spb_host_state_parse(&again, (spb_bytes){(const uint8_t *)text, len}, NULL) != SPB_OK ||
        again.online != state.online || again.timestamp_ms != state.timestamp_ms) {
        abort();
    }
    return 0;
}
