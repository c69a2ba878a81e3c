/*
 * Any bytes as a payload: what is decoded is what protobuf-c reads; what can be encoded again decodes to the same, and
 * encoding that gives the same bytes. The unpack for protobuf-c code of others takes the same input, and what it gives
 * is the same payload.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/protobuf.h>

#include "sparkplug_b.pb-c.h"
#include "support/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_payload: %s\n", what);
        abort();
    }
}

static void check_again(const spb_payload *payload) {
    uint8_t *bytes, *same;
    size_t len, same_len;
    spb_error err;
    if (spb_payload_encode(payload, NULL, &bytes, &len, &err) != SPB_OK) {
        demand(err.text[0] != '\0', "an error without a text");
        return; /* encoding is stricter than decoding */
    }
    spb_payload *again;
    demand(spb_payload_decode(&again, (spb_bytes){bytes, len}, NULL, &err) == SPB_OK, err.text);
    const char *difference =
        again->compression == SPB_COMPRESSION_NONE ? reference_difference(again, (spb_bytes){bytes, len}) : NULL;
    demand(!difference, difference);
    demand(spb_payload_encode(again, NULL, &same, &same_len, &err) == SPB_OK, err.text);
    demand(len == same_len && memcmp(bytes, same, len) == 0, "encoded to other bytes the second time");
    spb_payload_free(again);
    spb_free(bytes);
    spb_free(same);
}

/* Of a payload as it was decoded, the bytes that it is encoded to. */
static void check_unpack(spb_bytes wire, const spb_payload *payload) {
    ProtobufCMessage *theirs;
    spb_payload *back;
    spb_error err = {.status = SPB_OK};
    spb_status status = spb_protobuf_unpack(&theirs, &spb__pb__payload__descriptor, wire, NULL, &err);
    demand((status == SPB_OK) == (theirs != NULL), "status and message disagree");
    demand(status == SPB_OK || (err.status == status && err.text[0] != '\0'), "an error without a text");
    if (!theirs) {
        demand(!payload || strstr(err.text, "NUL") || status == SPB_ERR_LIMIT, "refused, though it can be decoded");
        return;
    }
    status = spb_protobuf_to_payload(&back, theirs, NULL, &err);
    demand((status == SPB_OK) == (payload != NULL), "a verdict of its own");
    if (payload) {
        uint8_t *bytes = NULL, *same = NULL;
        size_t len, same_len;
        const bool is_encoded = spb_payload_encode(payload, NULL, &bytes, &len, NULL) == SPB_OK;
        demand(is_encoded == (spb_payload_encode(back, NULL, &same, &same_len, NULL) == SPB_OK), "encoded otherwise");
        demand(!is_encoded || (len == same_len && memcmp(bytes, same, len) == 0), "another payload came back");
        spb_free(bytes);
        spb_free(same);
    }
    spb_payload_free(back);
    spb__pb__payload__free_unpacked((Spb__Pb__Payload *)theirs, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    spb_payload *payload;
    spb_error err = {.status = SPB_OK};
    const spb_bytes wire = {data, size};
    spb_status status = spb_payload_decode(&payload, wire, NULL, &err);
    demand((status == SPB_OK) == (payload != NULL), "status and payload disagree");
    demand(status == SPB_OK || (err.status == status && err.text[0] != '\0'), "an error without a text");
    demand(status == SPB_OK || err.offset <= size || err.offset == SPB_NO_OFFSET, "an offset outside");
    if (payload) { /* protobuf-c does not look into a compressed body */
        const char *difference =
            payload->compression == SPB_COMPRESSION_NONE ? reference_difference(payload, wire) : NULL;
        demand(!difference, difference);
        check_again(payload);
    }
    check_unpack(wire, payload);
    spb_payload_free(payload);
    return 0;
}
