/* Any bytes as a line of JSON for `spb encode`. What is read encodes, or is refused with a text; what encodes is a
 * payload. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/json_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_json: %s\n", what);
        abort();
    }
}

static void decode(const json_record *record, spb_bytes payload) {
    spb_error err = {.status = SPB_OK};
    if (record->is_state) {
        spb_host_state state;
        demand(spb_host_state_parse(&state, payload, &err) == SPB_OK, err.text);
        return;
    }
    spb_payload *decoded;
    /* Numbers of datatypes that a later schema may have can be written, and then not fit what is decoded. */
    spb_status status = spb_payload_decode(&decoded, payload, NULL, &err);
    demand(status == SPB_OK || err.text[0] != '\0', "not decoded, without a text");
    spb_payload_free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_tree tree = {0};
    pool memory = {0};
    json_record record;
    spb_bytes payload;
    spb_error err = {.status = SPB_OK};
    spb_status status = json_tree_parse(&tree, (spb_str){(const char *)data, size}, &err);
    status = status == SPB_OK ? json_record_read(&record, &tree, &memory, &err) : status;
    status = status == SPB_OK ? json_record_encode(&record, &memory, &payload, &err) : status;
    demand(status == SPB_OK || err.text[0] != '\0', "refused without a text");
    if (status == SPB_OK) {
        decode(&record, payload);
    }
    json_tree_clear(&tree);
    pool_clear(&memory);
    return 0;
}
