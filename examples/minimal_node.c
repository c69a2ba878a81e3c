/*
 * A first edge node: a press with a temperature that it measures, and a setpoint that a host may write.
 * cc minimal_node.c $(pkg-config --cflags --libs spb) -o minimal_node; ./minimal_node mqtt://127.0.0.1:1883
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <spb/spb.h>

static volatile sig_atomic_t running = 1;

static void on_signal(int number) {
    (void)number;
    running = 0;
}

static void on_log(spb_log_level level, const char *text, void *user) {
    (void)level, (void)user;
    fprintf(stderr, "%s\n", text);
}

/* A host wants another setpoint. SPB_OK accepts it, and the library publishes the new value. */
static spb_status on_write(spb_metric *setpoint, spb_value *wanted, void *plc) {
    *(double *)plc = wanted->as.f64;
    printf("%s is now %.1f\n", spb_metric_name(setpoint), wanted->as.f64);
    return SPB_OK;
}

int main(int argc, char **argv) {
    double setting = 0; /* of the PLC; only the node's thread touches it */
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.servers = argc > 1 ? argv[1] : "mqtt://127.0.0.1:1883";
    options.group_id = "Plant1";
    options.node_id = "Gateway7";
    options.on_log = on_log;

    spb_error err = {.text = ""};
    spb_node *node = NULL;
    spb_device *press = NULL;
    spb_metric_def temperature_def = {.name = "Temperature", .value = spb_double(20), .unit = "°C"};
    spb_metric_def setpoint_def = {
        .name = "Setpoint", .value = spb_double(180), .min = 20, .max = 220, .on_write = on_write, .user = &setting};
    spb_metric *temperature = NULL;
    if (spb_node_new(&node, &options, &err) != SPB_OK || !(press = spb_node_add_device(node, "Press", &err)) ||
        !(temperature = spb_device_add_metric(press, &temperature_def, &err)) ||
        !spb_device_add_metric(press, &setpoint_def, &err) || spb_node_start(node, &err) != SPB_OK) {
        fprintf(stderr, "%s\n", err.text);
        spb_node_free(node);
        return 1;
    }
    signal(SIGINT, on_signal);
    for (int scan = 0; running; scan++) {
        spb_metric_update(temperature, spb_double(20 + scan % 10), SPB_NOW);
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    spb_status status = spb_node_stop(node, 5000 /* ms */);
    spb_node_free(node);
    return status == SPB_OK ? 0 : 1;
}
