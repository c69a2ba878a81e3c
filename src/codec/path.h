/* Naming the place of a byte in an encoded payload. */
#ifndef SPB_CODEC_PATH_H
#define SPB_CODEC_PATH_H

#include <spb/payload.h>

/*
 * Fills *err with "path: what", the offset and the status, and returns the status. The path is that of the field that
 * holds the byte, such as "metrics[17].template_value.metrics[2].datatype", or "payload" when no field does. Works on
 * damaged input up to the damage. A long path is cut.
 */
spb_status spb_path__fail(spb_error *err, spb_status status, spb_bytes wire, size_t offset, const char *what);

#endif
