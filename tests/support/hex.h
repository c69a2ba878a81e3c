/* Bytes from hex, for tests. */
#ifndef SPB_TEST_HEX_H
#define SPB_TEST_HEX_H

#include <spb/value.h>

/* The bytes that `text` says: hex digits, blanks between them are skipped. Ends the test when it says something else.
 * To be freed with free. */
spb_bytes hex_bytes(const char *text);

#endif
