/* Conversations: events of whole ones, of such that were begun in the middle, with holes, with what is no MQTT. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/talk.h"
#include "support/suite.h"

static uint8_t scratch[WEBSOCKET_SCRATCH_BYTES];
static heap memory;
static capture_counts counts;
static talk_world world;
static talk t;
static char told[4096]; /* the events, a line each */
static uint64_t packet;
static bool wants_more;

static const char *const kinds[] = {
    [CAPTURE_CONNECT] = "CONNECT",       [CAPTURE_CONNACK] = "CONNACK", [CAPTURE_PUBLISH] = "PUBLISH",
    [CAPTURE_SUBSCRIBE] = "SUBSCRIBE",   [CAPTURE_SUBACK] = "SUBACK",   [CAPTURE_UNSUBSCRIBE] = "UNSUBSCRIBE",
    [CAPTURE_DISCONNECT] = "DISCONNECT", [CAPTURE_GAP] = "GAP",         [CAPTURE_CLOSED] = "CLOSED"};

static void say(const char *format, ...) {
    va_list arguments;
    size_t used = strlen(told);
    va_start(arguments, format);
    vsnprintf(told + used, sizeof told - used, format, arguments);
    va_end(arguments);
}

static bool on_event(const capture_event *e, void *user) {
    (void)user;
    ck_assert_ptr_eq(e->client, &t.addresses[t.client]);
    ck_assert_uint_eq(e->packet, packet);
    spb_str client = e->client_id.data ? e->client_id : spb_str_from("?");
    say("%s %s %.*s", e->direction == CAPTURE_FROM_CLIENT ? ">" : "<", kinds[e->kind], (int)client.len, client.data);
    if (e->kind == CAPTURE_PUBLISH) {
        spb_str topic = e->as.publish.topic.data ? e->as.publish.topic : spb_str_from("?");
        say(" %.*s %u", (int)topic.len, topic.data, (unsigned)e->as.publish.payload.len);
    } else if (e->kind == CAPTURE_GAP) {
        const capture_gap *gap = &e->as.gap;
        say(" %d lost %u skipped %u%s", gap->cause, (unsigned)gap->lost_bytes, (unsigned)gap->skipped_bytes,
            gap->is_resynchronised ? "" : " to the end");
    }
    say("\n");
    return wants_more;
}

static void begin_with(bool is_from_start) {
    t = (talk){.connection = 1, .is_certain = is_from_start, .client = TALK_FIRST};
    talk_begin(&t, is_from_start);
    told[0] = '\0';
}

static void begin(void) {
    memory = (heap){0};
    counts = (capture_counts){0};
    world = (talk_world){.memory = &memory,
                         .scratch = scratch,
                         .forwards = forward_new(),
                         .counts = &counts,
                         .max_packet_bytes = 4096,
                         .on_event = on_event};
    packet = 0;
    wants_more = true;
    begin_with(true);
}

static void end(void) {
    talk_end(&t, &world);
    talk_clear(&t, &memory);
    forward_free(world.forwards);
    ck_assert_uint_eq(memory.used, 0);
}

static void send_bytes(int from, const void *bytes, size_t len) {
    packet++;
    talk_bytes(&t, &world, from, (spb_bytes){bytes, len}, (stamp){packet * 1000, packet});
}

#define SEND(from, text) send_bytes(from, text, sizeof(text) - 1)

static void lose(int from, uint64_t count) {
    packet++;
    talk_hole(&t, &world, from, count, (stamp){packet * 1000, packet});
}

#define CONNECT "\x10\x0E\0\4MQTT\4\2\0\1\0\2gw"
#define CONNECT_5 "\x10\x0F\0\4MQTT\5\2\0\1\0\0\2gw"
#define CONNACK "\x20\2\0\0"
#define CONNACK_5 "\x20\3\0\0\0"
#define DATA "\x30\x16\0\x11spBv1.0/G/NDATA/N\x08\x01\x18"
#define PING "\xC0\0"
#define PONG "\xD0\0"

START_TEST(a_whole_conversation) {
    SEND(0, CONNECT);
    SEND(1, CONNACK);
    SEND(0, "\x82\x08\0\1\0\3a/+\1");
    SEND(1, "\x90\3\0\1\1");
    SEND(0, DATA DATA PING);
    SEND(1, PONG DATA);
    SEND(0, "\xA2\7\0\2\0\3a/+\xE0\0");
    talk_close(&t, &world, 0, false, (stamp){1, packet});
    talk_close(&t, &world, 1, true, (stamp){1, packet}); /* only the first counts */
    ck_assert_str_eq(told, "> CONNECT gw\n< CONNACK gw\n> SUBSCRIBE gw\n< SUBACK gw\n"
                           "> PUBLISH gw spBv1.0/G/NDATA/N 3\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n"
                           "< PUBLISH gw spBv1.0/G/NDATA/N 3\n> UNSUBSCRIBE gw\n> DISCONNECT gw\n> CLOSED gw\n");
    ck_assert_uint_eq(counts.mqtt_connections, 1);
}
END_TEST

START_TEST(byte_by_byte) {
    static const char all[] = CONNECT DATA PING DATA;
    for (size_t i = 0; i < sizeof all - 1; i++) {
        send_bytes(0, all + i, 1);
    }
    ck_assert_str_eq(told, "> CONNECT gw\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(aliases_are_of_one_direction_and_connection) {
    SEND(0, CONNECT_5);
    SEND(1, CONNACK_5);
    SEND(0, "\x30\x0A\0\3a/b\3\x23\0\7x");
    SEND(0, "\x30\7\0\0\3\x23\0\7x");
    SEND(1, "\x30\7\0\0\3\x23\0\7x");
    SEND(0, "\x30\x0A\0\3c/d\3\x23\0\7x");
    SEND(0, "\x30\7\0\0\3\x23\0\7x");
    SEND(0, CONNECT_5);
    SEND(0, "\x30\7\0\0\3\x23\0\7x");
    ck_assert_str_eq(told, "> CONNECT gw\n< CONNACK gw\n> PUBLISH gw a/b 1\n> PUBLISH gw a/b 1\n< PUBLISH gw ? 1\n"
                           "> PUBLISH gw c/d 1\n> PUBLISH gw c/d 1\n> CONNECT gw\n> PUBLISH gw ? 1\n");
}
END_TEST

START_TEST(an_assigned_client_id) {
    SEND(0, "\x10\x0D\0\4MQTT\5\2\0\1\0\0\0");
    SEND(1, "\x20\x09\0\0\6\x12\0\3new");
    SEND(0, "\x30\x17\0\x11spBv1.0/G/NDATA/N\0\x08\x01\x18");
    ck_assert_str_eq(told, "> CONNECT \n< CONNACK new\n> PUBLISH new spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(in_the_middle_roles_show_in_packets_of_one_side) {
    begin_with(false);
    t.client = TALK_SECOND; /* a wrong guess */
    SEND(0, DATA);
    SEND(0, "\x82\x08\0\1\0\3a/+\1");
    SEND(0, DATA);
    ck_assert_str_eq(told, "< GAP ? 1 lost 0 skipped 0\n< PUBLISH ? spBv1.0/G/NDATA/N 3\n> SUBSCRIBE ?\n"
                           "> PUBLISH ? spBv1.0/G/NDATA/N 3\n");
    ck_assert(t.is_certain && t.client == TALK_FIRST);
}
END_TEST

START_TEST(in_the_middle_of_a_packet) {
    begin_with(false);
    SEND(0, "rest of something" DATA);
    ck_assert_str_eq(told, "> GAP ? 1 lost 0 skipped 17\n> PUBLISH ? spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(in_the_middle_byte_by_byte) {
    static const char all[] = "rest" DATA DATA;
    begin_with(false);
    for (size_t i = 0; i < sizeof all - 1; i++) {
        send_bytes(0, all + i, 1);
    }
    ck_assert_str_eq(told, "> GAP ? 1 lost 0 skipped 4\n> PUBLISH ? spBv1.0/G/NDATA/N 3\n"
                           "> PUBLISH ? spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(a_hole_in_a_packet_ends_with_that_packet) {
    SEND(0, CONNECT "\x30\x16\0\x11spBv");
    lose(0, 10);
    SEND(0, "01234"); /* 22 + 2 − 8 − 10 − 5 = 1 byte is left */
    ck_assert_str_eq(told, "> CONNECT gw\n");
    SEND(0, "5" PING DATA);
    ck_assert_str_eq(told, "> CONNECT gw\n> GAP gw 0 lost 10 skipped 14\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(a_hole_up_to_the_next_packet) {
    SEND(0, CONNECT "\x30\x16\0\x11spBv");
    lose(0, 16);
    ck_assert_str_eq(told, "> CONNECT gw\n> GAP gw 0 lost 16 skipped 8\n");
    SEND(0, DATA);
    ck_assert_str_eq(told + strlen("> CONNECT gw\n> GAP gw 0 lost 16 skipped 8\n"),
                     "> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(after_a_hole_of_whole_packets_the_next_one_is_looked_for) {
    SEND(0, CONNECT);
    lose(0, 1000);
    SEND(0, "tail" DATA);
    lose(0, 5);
    SEND(0, DATA);
    ck_assert_str_eq(told, "> CONNECT gw\n> GAP gw 0 lost 1000 skipped 4\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n"
                           "> GAP gw 0 lost 5 skipped 0\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
    ck_assert_uint_eq(counts.lost_bytes, 1005);
}
END_TEST

START_TEST(several_holes_before_a_beginning_are_one_gap) {
    SEND(0, CONNECT);
    lose(0, 10);
    SEND(0, "xxx");
    lose(0, 20);
    SEND(0, "yyyy" DATA);
    ck_assert_str_eq(told, "> CONNECT gw\n> GAP gw 0 lost 30 skipped 7\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(a_gap_at_the_end_is_told) {
    SEND(0, CONNECT DATA "\x30\x16\0\x11");
    talk_end(&t, &world);
    ck_assert_str_eq(told, "> CONNECT gw\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n> GAP gw 0 lost 0 skipped 4 to the end\n");
}
END_TEST

START_TEST(a_packet_that_is_wrong_inside_is_passed_over) {
    SEND(0, CONNECT);
    SEND(0, "\x32\x05\0\x03z/z"); /* QoS 1 without a packet id */
    SEND(0, DATA);
    ck_assert_str_eq(told, "> CONNECT gw\n> GAP gw 2 lost 0 skipped 7\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(a_packet_beyond_the_limit_is_passed_over) {
    static char large[4096];
    SEND(0, CONNECT "\x30\x80\x40\0\x11spBv1.0/G/NDATA/N"); /* 8192 bytes */
    send_bytes(0, large, sizeof large);
    ck_assert_uint_le(memory.used, 4096);
    send_bytes(0, large, 8192 - 19 - sizeof large);
    SEND(0, DATA);
    ck_assert_str_eq(told, "> CONNECT gw\n> GAP gw 3 lost 0 skipped 8195\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(hostile_packets_do_not_nest) {
    /* Each begins like a message of Sparkplug and is wrong inside: 20,000 of them, in one piece and byte by byte. */
    enum { COUNT = 20000 };
    static const char wrong[] = "\x32\x13\0\x11spBv1.0/G/NDATA/N";
    const size_t len = sizeof wrong - 1;
    char *all = malloc(COUNT * len);
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(all + i * len, wrong, len);
    }
    SEND(0, CONNECT);
    send_bytes(0, all, COUNT * len);
    for (size_t i = 0; i < 100 * len; i++) {
        send_bytes(0, all + i, 1);
    }
    free(all);
    told[0] = '\0';
    SEND(0, DATA DATA);
    ck_assert_ptr_nonnull(strstr(told, "> PUBLISH gw spBv1.0/G/NDATA/N 3\n"));
}
END_TEST

START_TEST(what_is_no_mqtt_gives_no_events) {
    SEND(0, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    SEND(1, "HTTP/1.1 200 OK\r\n\r\n" DATA);
    lose(1, 100);
    SEND(1, DATA);
    ck_assert_str_eq(told, "");
    begin_with(true);
    SEND(1, "SSH-2.0-OpenSSH\r\n" DATA);
    SEND(0, "SSH-2.0-OpenSSH\r\n" DATA);
    ck_assert_str_eq(told, "");
    ck_assert_uint_eq(counts.mqtt_connections + counts.tls_connections, 0);
}
END_TEST

START_TEST(in_the_middle_of_another_protocol_the_search_ends) {
    static char noise[4096];
    begin_with(false);
    memset(noise, 'x', sizeof noise);
    for (int i = 0; i < 100; i++) {
        send_bytes(0, noise, sizeof noise);
    }
    SEND(0, DATA); /* nobody listens any more */
    ck_assert_str_eq(told, "");
    ck_assert_uint_eq(memory.used, 0);
}
END_TEST

START_TEST(tls_is_counted_once) {
    SEND(0, "\x16\x03\x01\x02\0\1");
    SEND(1, "\x16\x03\x03\x02\0\2");
    ck_assert_uint_eq(counts.tls_connections, 1);
    ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(a_forced_port_needs_no_proof) {
    world.is_forced = true;
    begin_with(false);
    SEND(0, "\x30\x07\0\3a/bon");
    ck_assert_str_eq(told, "> GAP ? 1 lost 0 skipped 0\n> PUBLISH ? a/b 2\n");
}
END_TEST

START_TEST(web_sockets) {
    SEND(0, "GET /mqtt HTTP/1.1\r\nupgrade: WebSocket\r\n");
    SEND(0, "\r\n");
    SEND(1, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x82\x04" CONNACK);
    SEND(0, "\x82\x90\0\0\0\0" CONNECT);
    SEND(0, "\x82\x85\0\0\0\0"
            "\x30\x16\0\x11s"
            "\x80\x93\0\0\0\0pBv1.0/G/NDATA/N\x08\x01\x18");
    ck_assert_str_eq(told, "< CONNACK ?\n> CONNECT gw\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
    told[0] = '\0';
    SEND(0, "\x82\x98\0\0\0\0"
            "\x30\x16");
    lose(0, 3);
    SEND(0, "pBv1.0/G/NDATA/N\x08\x01\x18"); /* the frame, and the packet, end here */
    SEND(0, "\x82\x98\0\0\0\0" DATA);
    ck_assert_str_eq(told, "> GAP gw 0 lost 3 skipped 21\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
    told[0] = '\0';
    lose(0, 30);
    SEND(0, "xyz\x82\x98\0\0\0\0" DATA);
    ck_assert_str_eq(told, "> GAP gw 0 lost 30 skipped 3\n> PUBLISH gw spBv1.0/G/NDATA/N 3\n");
}
END_TEST

START_TEST(whoever_wants_no_more_gets_no_more) {
    wants_more = false;
    SEND(0, CONNECT DATA DATA);
    ck_assert_str_eq(told, "> CONNECT gw\n");
    ck_assert(world.is_stopped);
}
END_TEST

int main(void) {
    TCase *talks = tcase_create("talks");
    tcase_add_checked_fixture(talks, begin, end);
    tcase_add_test(talks, a_whole_conversation);
    tcase_add_test(talks, byte_by_byte);
    tcase_add_test(talks, aliases_are_of_one_direction_and_connection);
    tcase_add_test(talks, an_assigned_client_id);
    tcase_add_test(talks, in_the_middle_roles_show_in_packets_of_one_side);
    tcase_add_test(talks, in_the_middle_of_a_packet);
    tcase_add_test(talks, in_the_middle_byte_by_byte);
    tcase_add_test(talks, a_hole_in_a_packet_ends_with_that_packet);
    tcase_add_test(talks, a_hole_up_to_the_next_packet);
    tcase_add_test(talks, after_a_hole_of_whole_packets_the_next_one_is_looked_for);
    tcase_add_test(talks, several_holes_before_a_beginning_are_one_gap);
    tcase_add_test(talks, a_gap_at_the_end_is_told);
    tcase_add_test(talks, a_packet_that_is_wrong_inside_is_passed_over);
    tcase_add_test(talks, a_packet_beyond_the_limit_is_passed_over);
    tcase_add_test(talks, hostile_packets_do_not_nest);
    tcase_add_test(talks, what_is_no_mqtt_gives_no_events);
    tcase_add_test(talks, in_the_middle_of_another_protocol_the_search_ends);
    tcase_add_test(talks, tls_is_counted_once);
    tcase_add_test(talks, a_forced_port_needs_no_proof);
    tcase_add_test(talks, web_sockets);
    tcase_add_test(talks, whoever_wants_no_more_gets_no_more);
    Suite *suite = suite_create("talk");
    suite_add_tcase(suite, talks);
    return suite_run(suite);
}
