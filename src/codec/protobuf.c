/*
 * Decides how payloads become structs of somebody else's protobuf-c code, and come back: over the wire, so that there
 * is one encoder and one decoder.
 */
#include <spb/protobuf.h>

#include <stdlib.h>

#include "base/error.h"
#include "codec/limits.h"
#include "codec/preflight.h"
#include "codec/resolve.h"

/* Their message has the fields of ours, as far as it has them; and no other messages in it, whose nesting the preflight
 * would not know. Notes which messages theirs are. */
static bool has_same_fields(const ProtobufCMessageDescriptor *theirs[MESSAGE_COUNT], unsigned message) {
    for (unsigned i = 0; i < theirs[message]->n_fields; i++) {
        const ProtobufCFieldDescriptor *their = &theirs[message]->fields[i];
        const ProtobufCFieldDescriptor *our =
            protobuf_c_message_descriptor_get_field(spb_schema__messages[message], their->id);
        if (!our && their->type == PROTOBUF_C_TYPE_MESSAGE) {
            return false;
        }
        if (!our) {
            continue;
        }
        if (their->type != our->type ||
            (their->label == PROTOBUF_C_LABEL_REPEATED) != (our->label == PROTOBUF_C_LABEL_REPEATED)) {
            return false;
        }
        if (their->type == PROTOBUF_C_TYPE_MESSAGE) {
            const unsigned inner = spb_schema__fields[message][their->id].message;
            if (theirs[inner] && theirs[inner] != their->descriptor) {
                return false;
            }
            theirs[inner] = their->descriptor;
        }
    }
    return true;
}

static spb_status check_descriptor(const ProtobufCMessageDescriptor *payload, spb_error *err) {
    const ProtobufCMessageDescriptor *theirs[MESSAGE_COUNT] = {[MESSAGE_PAYLOAD] = payload};
    bool is_checked[MESSAGE_COUNT] = {false}, is_new = true;
    while (is_new) {
        is_new = false;
        for (unsigned message = 0; message < MESSAGE_COUNT; message++) {
            if (!theirs[message] || is_checked[message]) {
                continue;
            }
            is_checked[message] = is_new = true;
            if (!has_same_fields(theirs, message)) {
                return spb_error__set(err, SPB_ERR_ARGUMENT, "%s differs from %s of Sparkplug B", theirs[message]->name,
                                      spb_schema__messages[message]->short_name);
            }
        }
    }
    return SPB_OK;
}

/* What may still be allocated. The memory is the system's, so that the generated code can free it. */
typedef struct budget {
    size_t left_bytes;
    bool is_over;
} budget;

static void *allocate_within(void *context, size_t size) {
    budget *own = context;
    const size_t malloc_bytes = 2 * sizeof(size_t);
    own->is_over = own->is_over || size > SIZE_MAX - malloc_bytes || size + malloc_bytes > own->left_bytes;
    void *memory = own->is_over ? NULL : malloc(size > 0 ? size : 1);
    own->left_bytes -= memory ? size + malloc_bytes : 0;
    return memory;
}

static void release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static spb_status unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *payload, spb_bytes wire,
                         const spb_limits *limits, spb_error *err) {
    budget own = {.left_bytes = limits->max_heap_bytes};
    ProtobufCAllocator allocator = {allocate_within, release, &own};
    spb_preflight_size size;
    spb_status status = spb_preflight__check(wire, limits, true, &size, err);
    if (status != SPB_OK) {
        return status;
    }
    *out = protobuf_c_message_unpack(payload, &allocator, wire.len, wire.data);
    if (*out) {
        return SPB_OK;
    }
    return own.is_over ? spb_error__set(err, SPB_ERR_LIMIT, "the payload needs more heap than the limit max_heap_bytes")
                       : spb_error__no_memory(err, "an unpacked payload");
}

spb_status spb_protobuf_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *payload, spb_bytes wire,
                               const spb_limits *limits, spb_error *err) {
    const spb_limits effective = spb_limits__effective(limits);
    *out = NULL;
    spb_status status = check_descriptor(payload, err);
    return status == SPB_OK ? unpack(out, payload, wire, &effective, err) : status;
}

spb_status spb_protobuf_from_payload(ProtobufCMessage **out, const ProtobufCMessageDescriptor *payload,
                                     const spb_payload *from, const spb_limits *limits, spb_error *err) {
    uint8_t *bytes;
    size_t len;
    *out = NULL;
    spb_status status = spb_payload_encode(from, limits, &bytes, &len, err);
    if (status == SPB_OK) {
        status = spb_protobuf_unpack(out, payload, (spb_bytes){bytes, len}, limits, err);
    }
    spb_free(bytes);
    return status;
}

spb_status spb_protobuf_to_payload(spb_payload **out, const ProtobufCMessage *from, const spb_limits *limits,
                                   spb_error *err) {
    *out = NULL;
    spb_status status = check_descriptor(from->descriptor, err);
    if (status != SPB_OK) {
        return status;
    }
    const size_t len = protobuf_c_message_get_packed_size(from);
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    if (!bytes) {
        return spb_error__no_memory(err, "a packed payload");
    }
    protobuf_c_message_pack(from, bytes);
    status = spb_payload_decode(out, (spb_bytes){bytes, len}, limits, err);
    free(bytes);
    return status;
}
