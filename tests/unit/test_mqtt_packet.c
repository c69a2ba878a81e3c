/* MQTT packets, one by one: headers, bodies, and everything that is wrong with them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/mqtt_packet.h"
#include "support/suite.h"

#define PACKET(text)                                                                                                   \
    (spb_bytes) {                                                                                                      \
        (const uint8_t *)(text), sizeof(text) - 1                                                                      \
    }

static void assert_str(spb_str got, const char *wanted) {
    ck_assert_msg(spb_str_equal(got, spb_str_from(wanted)), "%.*s is not %s", (int)got.len, got.data ? got.data : "",
                  wanted);
}

typedef struct header_example {
    const char *bytes;
    size_t len;
    mqtt_result result;
    uint32_t body_bytes;
} header_example;

static const header_example headers[] = {
    {"", 0, MQTT_SHORT, 0},
    {"\xC0", 1, MQTT_SHORT, 0},
    {"\xC0\0", 2, MQTT_OK, 0},
    {"\x30\x7F", 2, MQTT_OK, 127},
    {"\x30\x80", 2, MQTT_SHORT, 0},
    {"\x30\x80\x01", 3, MQTT_OK, 128},
    {"\x30\xFF\xFF\xFF\x7F", 5, MQTT_OK, 268435455},
    {"\x30\xFF\xFF\xFF\xFF", 5, MQTT_BAD, 0},
    {"\x30\x80\x00", 3, MQTT_BAD, 0}, /* longer than it need be */
    {"\x00\x00", 2, MQTT_BAD, 0},
    {"\x36\x05", 2, MQTT_BAD, 0}, /* QoS 3 */
    {"\x3B\x05", 2, MQTT_OK, 5},
    {"\x80\x05", 2, MQTT_BAD, 0}, /* SUBSCRIBE has the flags 2 */
    {"\x82\x05", 2, MQTT_OK, 5},
    {"\x21\x02", 2, MQTT_BAD, 0},
};

START_TEST(the_fixed_header) {
    const header_example *e = &headers[_i];
    mqtt_header h;
    mqtt_result result = mqtt_read_header((spb_bytes){(const uint8_t *)e->bytes, e->len}, &h);
    ck_assert_int_eq(result, e->result);
    if (result == MQTT_OK) {
        ck_assert_uint_eq(h.body_bytes, e->body_bytes);
        ck_assert_uint_eq(h.header_bytes, e->len);
    }
}
END_TEST

START_TEST(connect_with_everything) {
    static const char body[] = "\0\4MQTT\4\xEE\0\x1E\0\2gw\0\6a/b/cd\0\3\x08\1\2\0\2me\0\2pw";
    capture_connect c;
    uint8_t level;
    ck_assert_ptr_null(mqtt_read_connect(PACKET(body), &c, &level));
    ck_assert_uint_eq(level, 4);
    assert_str(c.client_id, "gw");
    assert_str(c.will_topic, "a/b/cd");
    assert_str(c.user_name, "me");
    ck_assert_uint_eq(c.will_payload.len, 3);
    ck_assert_uint_eq(c.keep_alive_s, 30);
    ck_assert_uint_eq(c.will_qos, 1);
    ck_assert(c.is_clean && c.has_will && c.will_retain && !c.has_session_expiry);
}
END_TEST

START_TEST(connect_of_mqtt_5) {
    static const char body[] = "\0\4MQTT\5\x06\0\x0A\x05\x11\0\0\1\0\0\0\x05\x18\0\0\0\7\0\1t\0\0";
    capture_connect c;
    uint8_t level;
    ck_assert_ptr_null(mqtt_read_connect(PACKET(body), &c, &level));
    ck_assert_uint_eq(level, 5);
    ck_assert_uint_eq(c.session_expiry_s, 256);
    ck_assert_uint_eq(c.will_delay_s, 7);
    ck_assert(c.has_session_expiry && c.is_clean && c.has_will);
    ck_assert_uint_eq(c.client_id.len, 0);
    ck_assert_ptr_nonnull(c.client_id.data); /* empty, not absent */
    ck_assert_ptr_null(c.user_name.data);
}
END_TEST

START_TEST(connect_of_old_clients_and_bridges) {
    capture_connect c;
    uint8_t level;
    ck_assert_ptr_null(mqtt_read_connect(PACKET("\0\6MQIsdp\3\2\0\1\0\1x"), &c, &level));
    ck_assert_uint_eq(level, 3);
    ck_assert_ptr_null(mqtt_read_connect(PACKET("\0\4MQTT\x84\2\0\1\0\1x"), &c, &level));
    ck_assert_uint_eq(level, 4);
}
END_TEST

START_TEST(connect_that_is_wrong) {
    capture_connect c;
    uint8_t level;
    static const char whole[] = "\0\4MQTT\4\xEE\0\x1E\0\2gw\0\6a/b/cd\0\3\x08\1\2\0\2me\0\2pw";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        ck_assert_ptr_nonnull(mqtt_read_connect((spb_bytes){(const uint8_t *)whole, len}, &c, &level));
    }
    ck_assert_ptr_nonnull(mqtt_read_connect(PACKET("\0\4MQTT\4\2\0\1\0\1xy"), &c, &level));
    ck_assert_ptr_nonnull(mqtt_read_connect(PACKET("\0\4MQTT\6\2\0\1\0\1x"), &c, &level));
    ck_assert_ptr_nonnull(mqtt_read_connect(PACKET("\0\4HTTP\4\2\0\1\0\1x"), &c, &level));
    ck_assert_ptr_nonnull(mqtt_read_connect(PACKET("\0\4MQTT\5\2\0\1\1\x99\0\1x"), &c, &level)); /* no such property */
}
END_TEST

START_TEST(connack) {
    capture_connack c;
    spb_str id;
    ck_assert_ptr_null(mqtt_read_connack(PACKET("\1\5"), 4, &c, &id));
    ck_assert(c.session_present && c.reason == 5 && !id.data);
    ck_assert_ptr_null(mqtt_read_connack(PACKET("\0\0\6\x12\0\3abc"), 5, &c, &id));
    assert_str(id, "abc");
    ck_assert_ptr_nonnull(mqtt_read_connack(PACKET("\0"), 4, &c, &id));
    ck_assert_ptr_nonnull(mqtt_read_connack(PACKET("\0\0\0"), 4, &c, &id));
    ck_assert_ptr_nonnull(mqtt_read_connack(PACKET("\0\0\6\x12\0\3ab"), 5, &c, &id));
}
END_TEST

START_TEST(publish) {
    capture_publish p;
    uint8_t guess = 0;
    ck_assert_ptr_null(mqtt_read_publish(0x0B, PACKET("\0\3a/b\1\2xyz"), 4, &p, &guess));
    assert_str(p.topic, "a/b");
    ck_assert(p.qos == 1 && p.retain && p.is_duplicate && p.packet_id == 0x0102 && p.payload.len == 3);
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\3a/b"), 4, &p, &guess));
    ck_assert(p.qos == 0 && p.packet_id == 0 && p.payload.len == 0);
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\3a/b\3\x23\0\x09xyz"), 5, &p, &guess));
    ck_assert(p.topic_alias == 9 && p.payload.len == 3);
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\0\3\x23\0\x09xyz"), 5, &p, &guess));
    ck_assert_uint_eq(p.topic.len, 0);
    ck_assert_ptr_nonnull(mqtt_read_publish(0, PACKET("\0\3a/"), 4, &p, &guess));
    ck_assert_ptr_nonnull(mqtt_read_publish(2, PACKET("\0\3a/b\1"), 4, &p, &guess));
    ck_assert_ptr_nonnull(mqtt_read_publish(0, PACKET("\0\0xyz"), 4, &p, &guess));
    ck_assert_ptr_nonnull(mqtt_read_publish(0, PACKET("\0\3a/b\3\x23\0"), 5, &p, &guess));
}
END_TEST

/* Where CONNECT was not captured, the version shows in what stands behind the topic. */
START_TEST(publish_of_an_unknown_version) {
    capture_publish p;
    uint8_t guess = 0;
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\3a/b\x08\xEF\xFF\x85\x9A\xA0\x34\x12\0"), 0, &p, &guess));
    ck_assert(guess != 5 && p.payload.len == 9);
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\3a/b\0\x08\xEF\xFF\x85\x9A\xA0\x34"), 0, &p, &guess));
    ck_assert(guess == 5 && p.payload.len == 7 && p.payload.data[0] == 8);
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\0\3\x23\0\x09\x08\x01"), 0, &p, &guess));
    ck_assert(guess == 5 && p.topic_alias == 9);
    ck_assert_ptr_null(mqtt_read_publish(0, PACKET("\0\3a/b{\"online\":true}"), 0, &p, &guess));
    ck_assert(guess != 5 && p.payload.data[0] == '{');
}
END_TEST

static size_t count_filters(const capture_subscribe *s, char *all) {
    size_t cursor = 0;
    size_t count = 0;
    capture_filter filter;
    *all = '\0';
    while (capture_next_filter(s, &cursor, &filter)) {
        sprintf(all + strlen(all), "%.*s=%d ", (int)filter.topic.len, filter.topic.data, filter.qos);
        count++;
    }
    return count;
}

START_TEST(subscribe) {
    capture_subscribe s;
    char all[64];
    ck_assert_ptr_null(mqtt_read_subscribe(PACKET("\0\7\0\3a/+\1\0\1#\2"), 4, true, &s));
    ck_assert_uint_eq(count_filters(&s, all), 2);
    ck_assert_str_eq(all, "a/+=1 #=2 ");
    ck_assert_uint_eq(s.packet_id, 7);
    ck_assert_ptr_null(mqtt_read_subscribe(PACKET("\0\7\0\0\3a/+\x2D"), 5, true, &s));
    ck_assert_uint_eq(count_filters(&s, all), 1);
    ck_assert_str_eq(all, "a/+=1 ");
    ck_assert_ptr_null(mqtt_read_subscribe(PACKET("\0\7\0\0\3a/+\1"), 0, true, &s)); /* of an unknown version */
    ck_assert_uint_eq(count_filters(&s, all), 1);
    ck_assert_ptr_null(mqtt_read_subscribe(PACKET("\0\7\0\3a/+\0\1#"), 4, false, &s));
    ck_assert_uint_eq(count_filters(&s, all), 2);
    ck_assert_ptr_nonnull(mqtt_read_subscribe(PACKET("\0\7"), 4, true, &s));
    ck_assert_ptr_nonnull(mqtt_read_subscribe(PACKET("\0\7\0\3a/+"), 4, true, &s));
    ck_assert_ptr_nonnull(mqtt_read_subscribe(PACKET("\0\7\0\3a/+\3"), 4, true, &s));
}
END_TEST

START_TEST(suback_and_disconnect) {
    capture_suback s;
    capture_disconnect d;
    ck_assert_ptr_null(mqtt_read_suback(PACKET("\0\7\1\x80"), 4, &s));
    ck_assert(s.packet_id == 7 && s.reasons.len == 2 && s.reasons.data[1] == 0x80);
    ck_assert_ptr_null(mqtt_read_suback(PACKET("\0\7\0\1"), 5, &s));
    ck_assert(s.reasons.len == 1 && s.reasons.data[0] == 1);
    ck_assert_ptr_nonnull(mqtt_read_suback(PACKET("\0\7"), 4, &s));
    ck_assert_ptr_null(mqtt_read_disconnect(PACKET(""), &d));
    ck_assert_uint_eq(d.reason, 0);
    ck_assert_ptr_null(mqtt_read_disconnect(PACKET("\4"), &d));
    ck_assert_uint_eq(d.reason, 4);
    ck_assert_ptr_null(mqtt_read_disconnect(PACKET("\4\5\x11\0\0\0\1"), &d));
    ck_assert_ptr_nonnull(mqtt_read_disconnect(PACKET("\4\5\x11\0\0\0"), &d));
}
END_TEST

int main(void) {
    TCase *packets = tcase_create("packets");
    tcase_add_loop_test(packets, the_fixed_header, 0, sizeof headers / sizeof *headers);
    tcase_add_test(packets, connect_with_everything);
    tcase_add_test(packets, connect_of_mqtt_5);
    tcase_add_test(packets, connect_of_old_clients_and_bridges);
    tcase_add_test(packets, connect_that_is_wrong);
    tcase_add_test(packets, connack);
    tcase_add_test(packets, publish);
    tcase_add_test(packets, publish_of_an_unknown_version);
    tcase_add_test(packets, subscribe);
    tcase_add_test(packets, suback_and_disconnect);
    Suite *suite = suite_create("mqtt_packet");
    suite_add_tcase(suite, packets);
    return suite_run(suite);
}
