/*
 * For programs that have protobuf-c code of the schema already: payloads of libspb as the structs of that code and
 * back, and an unpack that is safe for input from outside.
 *
 * The program brings the descriptor of its own message Payload, in whatever package it was generated, such as
 * &org__eclipse__tahu__protobuf__payload__descriptor. The code that libspb is made with stays hidden, and does not
 * clash with it. No other header of libspb includes this one. The functions keep no state and may be called from any
 * thread.
 */
#ifndef SPB_PROTOBUF_H
#define SPB_PROTOBUF_H

#include <spb/payload.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ProtobufCMessage;           /* <protobuf-c/protobuf-c.h> */
struct ProtobufCMessageDescriptor; /* likewise */

/*
 * Unpacks one payload, as payload__unpack(NULL, …) of the generated code would, after a check of its form, nesting,
 * counts and lengths: protobuf-c alone recurses as deep as the input wants, and takes heap without bound. Values are
 * not looked at, and compressed payloads stay so. On success *out is a Payload of the program's own code, to be freed
 * with its payload__free_unpacked(…, NULL); on failure *out is NULL. `limits` may be NULL for the defaults;
 * max_heap_bytes holds for what is unpacked. SPB_ERR_ARGUMENT: the descriptor is not of a Payload of Sparkplug B.
 * SPB_ERR_MALFORMED, SPB_ERR_TRUNCATED: err->text names the field path, err->offset the byte; also for text that holds
 * a NUL, which would end there. SPB_ERR_LIMIT. SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_protobuf_unpack(struct ProtobufCMessage **out, const struct ProtobufCMessageDescriptor *payload,
                                       spb_bytes wire, const spb_limits *limits, spb_error *err);

/* The same of a payload of libspb, which it would be encoded to. Statuses as spb_payload_encode and
 * spb_protobuf_unpack. */
SPB_API spb_status spb_protobuf_from_payload(struct ProtobufCMessage **out,
                                             const struct ProtobufCMessageDescriptor *payload, const spb_payload *from,
                                             const spb_limits *limits, spb_error *err);

/* The way back: as spb_payload_decode of what the generated code packs `from` to. *out is the caller's, to be freed
 * with spb_payload_free. SPB_ERR_ARGUMENT: `from` is not a Payload of Sparkplug B. Others as spb_payload_decode. */
SPB_API spb_status spb_protobuf_to_payload(spb_payload **out, const struct ProtobufCMessage *from,
                                           const spb_limits *limits, spb_error *err);

#ifdef __cplusplus
}
#endif

#endif
