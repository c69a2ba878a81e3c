/* Checksums of rows: what SQLite itself does not notice, as a flipped bit in a value. */
#ifndef SPB_STORE_CHECKSUM_H
#define SPB_STORE_CHECKSUM_H

#include <spb/store.h>

/* Of all that is stored of it. */
uint32_t spb_checksum__block(const spb_block *block);
uint32_t spb_checksum__alias(const spb_alias *alias);
uint32_t spb_checksum__clock(uint64_t boot, int64_t offset_ms);

#endif
