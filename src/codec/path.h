/* Naming the place of a byte in an encoded payload. */
#ifndef SPB_CODEC_PATH_H
#define SPB_CODEC_PATH_H

#include <spb/payload.h>

/* Fills `text` with the path of the field that holds the byte at `offset`, such as
 * "metrics[17].template_value.metrics[2] .datatype", or "payload" when no field does. Works on damaged input up to the
 * damage. A long path is cut. */
void spb_path__describe(char *text, size_t size, spb_bytes wire, size_t offset);

/* A path that fills its buffer was cut: lets it end in dots. */
void spb_path__mark_cut(char *text, size_t size);

/* Fills *err with "path: what", the offset and the status, and returns the status. */
spb_status spb_path__fail(spb_error *err, spb_status status, spb_bytes wire, size_t offset, const char *what);

#endif
