/* Packing arrays for bytes_value. */
#ifndef SPB_CODEC_PACK_H
#define SPB_CODEC_PACK_H

#include <spb/value.h>

/* Bytes that the packed form of an array takes; `value` is an array that is not packed, and is checked. */
size_t spb_pack__size(const spb_value *value);
/* Writes them to `p`. The byte behind. */
uint8_t *spb_pack__write(uint8_t *p, const spb_value *value);

#endif
