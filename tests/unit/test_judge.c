/* What is taken for the beginning of a packet in the middle of a stream, and what is not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "capture/judge.h"
#include "support/suite.h"

typedef struct example {
    const char *name;
    const char *bytes;
    size_t len;
    judge_case about;
    judgement wanted;
} example;

#define TEXT(text) (text), sizeof(text) - 1
#define STRANGE                                                                                                        \
    { .max_packet_bytes = 1 << 20 }
#define KNOWN                                                                                                          \
    { .max_packet_bytes = 1 << 20, .is_known_mqtt = true }
#define BOUNDARY                                                                                                       \
    { .max_packet_bytes = 1 << 20, .is_known_mqtt = true, .is_boundary = true }

#define SPARKPLUG "\x30\x14\0\x10spBv1.0/G/NDATA/\x08\x01"
#define OTHER "\x30\x07\0\3a/bon"
#define PINGREQ "\xC0\0"

static const example examples[] = {
    {"a topic of Sparkplug is enough", TEXT(SPARKPLUG), STRANGE, JUDGE_YES},
    {"and so is CONNECT", TEXT("\x10\x0D\0\4MQTT\4\2\0\1\0\1x"), STRANGE, JUDGE_YES},
    {"CONNECT of 3.1", TEXT("\x10\x0F\0\6MQIsdp\3\2\0\1\0\1x"), STRANGE, JUDGE_YES},
    {"of an unfinished topic nothing can be said", TEXT("\x30\x14\0\x10spBv"), STRANGE, JUDGE_MORE},
    {"any topic, not known to be MQTT", TEXT(OTHER), STRANGE, JUDGE_NO},
    {"any topic where a segment begins", TEXT(OTHER), BOUNDARY, JUDGE_YES},
    {"any topic elsewhere", TEXT(OTHER), KNOWN, JUDGE_NO},
    {"three packets in a row", TEXT(OTHER PINGREQ "\x40\2\0\1"), KNOWN, JUDGE_YES},
    {"two packets, and no third", TEXT(OTHER PINGREQ "\x00\x00"), BOUNDARY, JUDGE_NO},
    {"an unfinished one behind", TEXT(OTHER "\x30"), BOUNDARY, JUDGE_YES},
    {"Sparkplug behind another one", TEXT(OTHER SPARKPLUG), STRANGE, JUDGE_YES},
    {"a wildcard in a topic", TEXT("\x30\x07\0\3a/+on"), BOUNDARY, JUDGE_NO},
    {"a control character in a topic", TEXT("\x30\x07\0\3a\n+on"), BOUNDARY, JUDGE_NO},
    {"a topic longer than its packet",
     TEXT("\x30\x07\0\x09"
          "abcdefghijkl"),
     BOUNDARY, JUDGE_NO},
    {"no topic", TEXT("\x30\x07\0\0aaaaa"), BOUNDARY, JUDGE_NO},
    {"DUP with QoS 0", TEXT("\x38\x07\0\3a/bon"), BOUNDARY, JUDGE_NO},
    {"longer than the limit", TEXT("\x30\xFF\xFF\xFF\x7F\0\x10spBv1.0/G/NDATA/"), BOUNDARY, JUDGE_NO},
    {"text of another protocol", TEXT("HTTP/1.1 200 OK"), BOUNDARY, JUDGE_NO},
    {"digits of a text", TEXT("0000000000000000"), BOUNDARY, JUDGE_NO},
    {"no bytes", TEXT(""), BOUNDARY, JUDGE_MORE},
    {"SUBSCRIBE", TEXT("\x82\x08\0\1\0\3a/+\1"), BOUNDARY, JUDGE_YES},
    {"SUBSCRIBE with a damaged filter", TEXT("\x82\x08\0\1\0\7a/+\1"), BOUNDARY, JUDGE_NO},
    {"SUBACK", TEXT("\x90\3\0\1\1"), BOUNDARY, JUDGE_YES},
    {"PINGREQ with a body", TEXT("\xC0\1x"), BOUNDARY, JUDGE_NO},
};

START_TEST(evidence) {
    const example *e = &examples[_i];
    uint8_t *copy = malloc(e->len > 0 ? e->len : 1); /* exactly as long, for sanitizers */
    memcpy(copy, e->bytes, e->len);
    judgement got = judge_stream((spb_bytes){copy, e->len}, &e->about);
    free(copy);
    ck_assert_msg(got == e->wanted, "%s: %d", e->name, got);
}
END_TEST

START_TEST(only_the_right_side_sends_it) {
    judge_case about = BOUNDARY;
    spb_bytes ping = {(const uint8_t *)PINGREQ, 2};
    about.sender = 1;
    ck_assert(judge_stream(ping, &about) == JUDGE_YES);
    about.sender = -1;
    ck_assert(judge_stream(ping, &about) == JUDGE_NO);
}
END_TEST

START_TEST(enough_bytes_always_give_an_answer) {
    uint8_t bytes[JUDGE_BYTES];
    uint32_t state = 1;
    for (int round = 0; round < 200000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(i < 4 ? state >> 24 : 'a' + (state >> 24) % 26);
        }
        judge_case about = {.max_packet_bytes = 1 << 28, .is_known_mqtt = state & 1, .is_boundary = state & 2};
        ck_assert(judge_stream((spb_bytes){bytes, sizeof bytes}, &about) != JUDGE_MORE);
    }
}
END_TEST

START_TEST(the_first_bytes) {
    judge_case about = STRANGE;
    ck_assert(judge_start((spb_bytes){(const uint8_t *)TEXT("\x10\x0D\0\4MQTT\4")}, &about) == JUDGE_YES);
    ck_assert(judge_start((spb_bytes){(const uint8_t *)TEXT("\x20\2\0\0")}, &about) == JUDGE_YES);
    ck_assert(judge_start((spb_bytes){(const uint8_t *)TEXT("\x10")}, &about) == JUDGE_MORE);
    ck_assert(judge_start((spb_bytes){(const uint8_t *)TEXT("SSH-2.0-x")}, &about) == JUDGE_NO);
    ck_assert(judge_start((spb_bytes){(const uint8_t *)TEXT("\xD0\0")}, &about) == JUDGE_NO);
}
END_TEST

int main(void) {
    TCase *judging = tcase_create("judging");
    tcase_add_loop_test(judging, evidence, 0, sizeof examples / sizeof *examples);
    tcase_add_test(judging, only_the_right_side_sends_it);
    tcase_add_test(judging, enough_bytes_always_give_an_answer);
    tcase_add_test(judging, the_first_bytes);
    Suite *suite = suite_create("judge");
    suite_add_tcase(suite, judging);
    return suite_run(suite);
}
