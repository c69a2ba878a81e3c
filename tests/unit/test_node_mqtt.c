/* A node on a real mosquitto: its life, and a server that goes away and comes back. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include <spb/spb.h>

#include "support/broker.h"
#include "support/deadline.h"
#include "support/suite.h"

static broker *server;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t seen[SPB_SESSION_STOPPING + 1];

static void setup(void) {
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        seen[i] = 0;
    }
    server = broker_new();
    broker_start(server);
}

static void teardown(void) {
    broker_free(server);
}

static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    (void)node, (void)reason, (void)user;
    pthread_mutex_lock(&lock);
    seen[state]++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void await_state(spb_session_state state, size_t times) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&lock);
    while (seen[state] < times && deadline_wait(&changed, &lock, &deadline)) {
    }
    size_t noted = seen[state];
    pthread_mutex_unlock(&lock);
    ck_assert_msg(noted >= times, "%s: %zu times within %d s, expected: %zu", spb_session_state_name(state), noted,
                  DEADLINE_S, times);
}

static spb_node *make_node(void) {
    spb_error err = {.text = ""};
    spb_node *node;
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.servers = broker_uri(server);
    options.group_id = "Plant1";
    options.node_id = "Gateway7";
    options.reconnect_min_ms = 50;
    options.reconnect_max_ms = 200;
    options.on_state = on_state;
    ck_assert_msg(spb_node_new(&node, &options, &err) == SPB_OK, "%s", err.text);
    return node;
}

START_TEST(it_is_born_publishes_and_says_goodbye) {
    spb_stats stats;
    spb_node *node = make_node();
    spb_metric *metric = spb_node_add_metric(node, &(spb_metric_def){.name = "Load", .value = spb_double(0)}, NULL);
    ck_assert_int_eq(spb_node_start(node, NULL), SPB_OK);
    await_state(SPB_SESSION_ONLINE, 1);
    ck_assert_int_eq(spb_metric_update(metric, spb_double(0.5), SPB_NOW), SPB_OK);
    ck_assert_int_eq(spb_node_stop(node, 60000), SPB_OK);
    spb_node_stats(node, &stats);
    ck_assert_uint_eq(stats.samples_published, 1);
    ck_assert_int_eq(stats.state, SPB_SESSION_STOPPED);
    spb_node_free(node);
}
END_TEST

START_TEST(it_is_back_after_the_server_was_restarted) {
    spb_stats stats;
    spb_node *node = make_node();
    ck_assert_int_eq(spb_node_start(node, NULL), SPB_OK);
    await_state(SPB_SESSION_ONLINE, 1);
    broker_kill(server);
    await_state(SPB_SESSION_WAITING, 1);
    broker_start(server);
    await_state(SPB_SESSION_ONLINE, 2);
    spb_node_stats(node, &stats);
    ck_assert_uint_eq(stats.births, 2);
    ck_assert_uint_eq(stats.connections_lost, 1);
    ck_assert_int_eq(spb_node_stop(node, 60000), SPB_OK);
    spb_node_free(node);
}
END_TEST

START_TEST(it_can_be_freed_while_the_server_says_nothing) {
    broker_freeze(server);
    spb_node *node = make_node();
    ck_assert_int_eq(spb_node_start(node, NULL), SPB_OK);
    await_state(SPB_SESSION_CONNECTING, 1);
    spb_node_free(node);
    ck_assert_uint_eq(seen[SPB_SESSION_ONLINE], 0);
    broker_thaw(server);
}
END_TEST

START_TEST(a_stop_ends_in_time_when_the_server_says_nothing) {
    spb_node *node = make_node();
    ck_assert_int_eq(spb_node_start(node, NULL), SPB_OK);
    await_state(SPB_SESSION_CONNECTING, 1);
    broker_freeze(server);
    spb_status status = spb_node_stop(node, 500);
    ck_assert(status == SPB_OK || status == SPB_ERR_TIMEOUT); /* the kernel takes a DISCONNECT that nobody reads */
    await_state(SPB_SESSION_STOPPED, 1);
    spb_node_free(node);
    broker_thaw(server);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_mqtt");
    TCase *tests = tcase_create("node_mqtt");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, it_is_born_publishes_and_says_goodbye);
    tcase_add_test(tests, it_is_back_after_the_server_was_restarted);
    tcase_add_test(tests, it_can_be_freed_while_the_server_says_nothing);
    tcase_add_test(tests, a_stop_ends_in_time_when_the_server_says_nothing);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
