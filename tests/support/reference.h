/* protobuf-c as the reference for our codec. */
#ifndef SPB_TEST_REFERENCE_H
#define SPB_TEST_REFERENCE_H

#include <spb/payload.h>

/* Reads `wire` with protobuf-c and compares every field with what we decoded from the same bytes. NULL: no difference;
 * else a text that names the first one. protobuf-c ends strings at a NUL, and so does the comparison. */
const char *reference_difference(const spb_payload *decoded, spb_bytes wire);
/* protobuf-c reads `wire` and writes the same bytes again. For input without NUL in strings. */
bool reference_packs_same(spb_bytes wire);

#endif
