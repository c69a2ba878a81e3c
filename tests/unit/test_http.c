/* The handshake of WebSocket, and what is none. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "capture/http.h"
#include "support/suite.h"

static spb_bytes bytes_of(const char *text) {
    return (spb_bytes){(const uint8_t *)text, strlen(text)};
}

START_TEST(first_lines) {
    ck_assert(http_begins(bytes_of("")) == HTTP_MORE);
    ck_assert(http_begins(bytes_of("G")) == HTTP_MORE);
    ck_assert(http_begins(bytes_of("HTTP/1")) == HTTP_MORE);
    ck_assert(http_begins(bytes_of("GET /mqtt")) == HTTP_UPGRADE);
    ck_assert(http_begins(bytes_of("HTTP/1.1 101")) == HTTP_UPGRADE);
    ck_assert(http_begins(bytes_of("POST /")) == HTTP_OTHER);
    ck_assert(http_begins(bytes_of("\x10\x0D")) == HTTP_OTHER);
}
END_TEST

START_TEST(handshakes) {
    static const char request[] = "GET /mqtt HTTP/1.1\r\nHost: b\r\nUPGRADE: WebSocket\r\n\r\n";
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";
    size_t len;
    for (size_t cut = 0; cut < sizeof request - 1; cut++) {
        ck_assert(http_read_upgrade((spb_bytes){(const uint8_t *)request, cut}, &len) == HTTP_MORE);
    }
    ck_assert(http_read_upgrade(bytes_of(request), &len) == HTTP_UPGRADE);
    ck_assert_uint_eq(len, sizeof request - 1);
    ck_assert(http_read_upgrade(bytes_of("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n\x82\x04"), &len) ==
              HTTP_UPGRADE);
    ck_assert_uint_eq(len, 38);
    ck_assert(http_read_upgrade(bytes_of(answer), &len) == HTTP_UPGRADE);
}
END_TEST

START_TEST(other_requests_and_answers) {
    static char endless[20000];
    size_t len;
    ck_assert(http_read_upgrade(bytes_of("GET / HTTP/1.1\r\nHost: b\r\n\r\n"), &len) == HTTP_OTHER);
    ck_assert(http_read_upgrade(bytes_of("HTTP/1.1 403 No\r\nUpgrade: websocket\r\n\r\n"), &len) == HTTP_OTHER);
    memset(endless, 'x', sizeof endless);
    ck_assert(http_read_upgrade((spb_bytes){(const uint8_t *)endless, sizeof endless}, &len) == HTTP_OTHER);
}
END_TEST

int main(void) {
    TCase *handshake = tcase_create("handshake");
    tcase_add_test(handshake, first_lines);
    tcase_add_test(handshake, handshakes);
    tcase_add_test(handshake, other_requests_and_answers);
    Suite *suite = suite_create("http");
    suite_add_tcase(suite, handshake);
    return suite_run(suite);
}
