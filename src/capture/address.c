/* Decides how the two ends of a connection are written. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "capture/capture.h"

size_t capture_address_text(const capture_address *address, char text[CAPTURE_ADDRESS_SIZE]) {
    char host[INET6_ADDRSTRLEN] = "?";
    bool is_6 = address->family == 6;
    (void)inet_ntop(is_6 ? AF_INET6 : AF_INET, address->bytes, host, sizeof host);
    snprintf(text, CAPTURE_ADDRESS_SIZE, is_6 ? "[%s]:%u" : "%s:%u", host, (unsigned)address->port);
    return strlen(text);
}
