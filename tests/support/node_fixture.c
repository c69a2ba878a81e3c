/* Decides nothing: notes what the callbacks are told. */
#include "support/node_fixture.h"

#include <check.h>
#include <stdio.h>

#include "support/deadline.h"
#include "support/wire_rules.h"

static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    (void)node, (void)reason;
    node_fixture *self = user;
    pthread_mutex_lock(&self->lock);
    self->seen[state]++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void on_command(spb_node *node, const spb_command *command, void *user) {
    (void)node;
    node_fixture *self = user;
    pthread_mutex_lock(&self->lock);
    self->commands++;
    self->last_command = command->status;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void on_log(spb_log_level level, const char *text, void *user) {
    (void)text;
    node_fixture *self = user;
    pthread_mutex_lock(&self->lock);
    self->log_lines[level]++;
    pthread_mutex_unlock(&self->lock);
}

void node_fixture_init(node_fixture *self) {
    *self = (node_fixture){.server = fake_server_new()};
    ck_assert_int_eq(pthread_mutex_init(&self->lock, NULL), 0);
    ck_assert_int_eq(pthread_cond_init(&self->changed, NULL), 0);
    self->options = (spb_node_options)SPB_NODE_OPTIONS_INIT;
    self->options.servers = "mqtt://fake";
    self->options.rebirth_window_ms = 0; /* no waiting in tests */
    self->options.group_id = "Plant1";
    self->options.node_id = "Gateway7";
    self->options.reconnect_min_ms = 10;
    self->options.reconnect_max_ms = 20;
    self->options.batch_window_ms = 5;
    self->options.on_state = on_state;
    self->options.on_command = on_command;
    self->options.on_log = on_log;
    self->options.user_data = self;
}

void node_fixture_make(node_fixture *self) {
    spb_error err = {.text = ""};
    self->options.transport = fake_server_transport(self->server);
    spb_status status = spb_node_new(&self->node, &self->options, &err);
    ck_assert_msg(status == SPB_OK, "%s", err.text);
    self->counter = spb_node_add_metric(self->node, &(spb_metric_def){.name = "Counter", .value = spb_int32(0)}, &err);
    self->press = spb_node_add_device(self->node, "Press", &err);
    spb_metric_def setpoint = {
        .name = "Setpoint", .value = spb_double(180), .min = 20, .max = 220, .on_write = self->on_write, .user = self};
    self->setpoint = self->press ? spb_device_add_metric(self->press, &setpoint, &err) : NULL;
    ck_assert_msg(self->counter && self->setpoint, "%s", err.text);
}

void node_fixture_free_node(node_fixture *self) {
    spb_node_free(self->node);
    self->node = NULL;
}

void node_fixture_clear(node_fixture *self) {
    node_fixture_free_node(self);
    wire_rules_check(self->server);
    fake_server_free(self->server);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}

void node_fixture_start(node_fixture *self) {
    spb_error err = {.text = ""};
    size_t before = node_fixture_seen(self, SPB_SESSION_ONLINE);
    ck_assert_msg(spb_node_start(self->node, &err) == SPB_OK, "%s", err.text);
    node_fixture_await_state(self, SPB_SESSION_ONLINE, before + 1);
}

static void await_at_least(node_fixture *self, const size_t *counter, size_t count, const char *what) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&self->lock);
    while (*counter < count && deadline_wait(&self->changed, &self->lock, &deadline)) {
    }
    size_t noted = *counter;
    pthread_mutex_unlock(&self->lock);
    ck_assert_msg(noted >= count, "%s: %zu times within %d s, expected: %zu", what, noted, DEADLINE_S, count);
}

void node_fixture_await_state(node_fixture *self, spb_session_state state, size_t times) {
    await_at_least(self, &self->seen[state], times, spb_session_state_name(state));
}

void node_fixture_await_commands(node_fixture *self, size_t count) {
    await_at_least(self, &self->commands, count, "commands");
}

size_t node_fixture_seen(node_fixture *self, spb_session_state state) {
    pthread_mutex_lock(&self->lock);
    size_t seen = self->seen[state];
    pthread_mutex_unlock(&self->lock);
    return seen;
}

void node_fixture_command(node_fixture *self, const char *device, const char *metric, spb_value value) {
    spb_payload_metric item = {.name = spb_str_from(metric), .value = value};
    spb_payload payload = {.metrics = &item, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    char topic[128];
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    snprintf(topic, sizeof topic, "spBv1.0/Plant1/%s/Gateway7%s%s", device ? "DCMD" : "NCMD", device ? "/" : "",
             device ? device : "");
    fake_server_deliver(self->server, topic, bytes, len);
    spb_free(bytes);
}
