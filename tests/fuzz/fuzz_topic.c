/* Any bytes as a topic: what is parsed formats to the same text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/topic.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char text[65536];
    spb_topic topic;
    spb_error err = {.status = SPB_OK};
    size_t len = 0;
    spb_status status = spb_topic_parse(&topic, (spb_str){(const char *)data, size}, &err);
    if (status != SPB_OK) {
        if (err.status != status || err.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (spb_topic_format(&topic, text, sizeof text, &len, &err) != SPB_OK || len != size ||
        memcmp(text, data, size) != 0) {
        fprintf(stderr, "fuzz_topic: formatted to another text: %s\n", err.text);
        abort();
    }
    return 0;
}
