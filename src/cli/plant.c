/* Decides which metrics the demo edge node has, and when one of them is updated. Where the values come from is left to
 * machine.c and press.c. */
#include "cli/plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/version.h>

#include "cli/complain.h"
#include "cli/machine.h"
#include "cli/press.h"

/* Measurements that turn up while the node runs cost a new birth each time; a machine where they come without end,
 * under ever new names, stops at this number. */
enum { MAX_MEASURED = 1000 };

typedef struct measured {
    spb_metric *metric;
    uint64_t round; /* in which it was last measured */
} measured;

struct plant {
    spb_node *node;
    machine *machine;
    measured *items;
    size_t count;
    size_t expected; /* readings come in the same order each time, so this is probably the next one */
    uint64_t round;
    bool has_complained; /* of a metric that could not be added */

    press press;
    spb_metric *temperature, *setpoint, *pressure, *running, *strokes, *state;
};

/* ---- the machine ---- */

/* Not each reading is a change; only changes are worth a message. */
static void update(spb_metric *metric, spb_value value) {
    spb_value last;
    if (spb_metric_read(metric, &last, NULL) != SPB_OK) {
        return;
    }
    if (!spb_value_equal(&last, &value)) {
        spb_metric_update(metric, value, SPB_NOW);
    }
    spb_value_clear(&last);
}

static measured *find(plant *p, const char *name) {
    for (size_t i = 0; i < p->count; i++) {
        size_t index = (p->expected + i) % p->count;
        if (strcmp(spb_metric_name(p->items[index].metric), name) == 0) {
            p->expected = index + 1;
            return &p->items[index];
        }
    }
    return NULL;
}

static void add(plant *p, const machine_reading *reading) {
    spb_metric_def def = {.name = reading->name, .value = reading->value, .unit = reading->unit};
    spb_metric *metric = NULL;
    spb_error err = {.text = "there are too many"};
    if (p->count < MAX_MEASURED) {
        metric = spb_node_add_metric(p->node, &def, &err);
    }
    if (metric) {
        p->items[p->count++] = (measured){.metric = metric, .round = p->round};
    } else if (!p->has_complained) {
        complain("%s and perhaps further measurements are left out: %s", reading->name, err.text);
        p->has_complained = true;
    }
}

static void on_reading(const machine_reading *reading, void *user) {
    plant *p = user;
    measured *known = find(p, reading->name);
    if (!known) {
        add(p, reading);
    } else if (known->round != p->round) {
        known->round = p->round;
        update(known->metric, reading->value);
    }
}

static void measure_machine(plant *p) {
    p->round++;
    p->expected = 0;
    machine_read(p->machine, on_reading, p);
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i].round != p->round) { /* a CPU, disk, interface or sensor is gone, or does not answer */
            update(p->items[i].metric, spb_null(spb_metric_type(p->items[i].metric)));
        }
    }
}

/* ---- the press ---- */

/* Type and range were checked by the library. The press gets the new value by way of the metric. */
static spb_status accept_write(spb_metric *metric, spb_value *wanted, void *user) {
    (void)metric;
    (void)wanted;
    (void)user;
    return SPB_OK;
}

/* What hosts may write is read back from the metric: its value, and no copy of it, is what counts. */
static void read_inputs(plant *p) {
    spb_value value;
    if (spb_metric_read(p->setpoint, &value, NULL) == SPB_OK) {
        p->press.setpoint_c = value.as.f64;
        spb_value_clear(&value);
    }
    if (spb_metric_read(p->running, &value, NULL) == SPB_OK) {
        p->press.running = value.as.boolean;
        spb_value_clear(&value);
    }
}

static void run_press(plant *p, uint64_t elapsed_ms) {
    read_inputs(p);
    press_step(&p->press, elapsed_ms < UINT32_MAX ? (uint32_t)elapsed_ms : UINT32_MAX);
    update(p->temperature, spb_double(p->press.temperature_c));
    update(p->pressure, spb_double(p->press.pressure_bar));
    update(p->strokes, spb_uint32(p->press.strokes));
    update(p->state, spb_string(press_state_name(p->press.state)));
}

static spb_status add_press(plant *p, spb_error *err) {
    spb_device *device = spb_node_add_device(p->node, "PLC-1", err);
    if (!device) {
        return err->status;
    }
    const press *now = &p->press;
    const struct {
        spb_metric **to;
        spb_metric_def def;
    } metrics[] = {
        {&p->temperature,
         {.name = "Temperature",
          .value = spb_double(now->temperature_c),
          .unit = "°C",
          .description = "Of the tool; follows Setpoint while Running"}},
        {&p->setpoint,
         {.name = "Setpoint",
          .value = spb_double(now->setpoint_c),
          .unit = "°C",
          .min = PRESS_SETPOINT_MIN_C,
          .max = PRESS_SETPOINT_MAX_C,
          .description = "Writable",
          .on_write = accept_write}},
        {&p->pressure,
         {.name = "Pressure",
          .value = spb_double(now->pressure_bar),
          .unit = "bar",
          .description = "Of the hydraulics"}},
        {&p->running,
         {.name = "Running", .value = spb_boolean(now->running), .description = "Writable", .on_write = accept_write}},
        {&p->strokes,
         {.name = "Strokes",
          .value = spb_uint32(now->strokes),
          .description = "Since the start; counts while the tool is near Setpoint"}},
        {&p->state,
         {.name = "State",
          .value = spb_string(press_state_name(now->state)),
          .description = "Stopped, Heating, Pressing or Cooling"}},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        *metrics[i].to = spb_device_add_metric(device, &metrics[i].def, err);
        if (!*metrics[i].to) {
            return err->status;
        }
    }
    return SPB_OK;
}

/* ---- */

static spb_status add_all(plant *p, spb_error *err) {
    spb_metric_def version = {.name = "Node Info/Version", .value = spb_string(spb_version())};
    if (!spb_node_add_metric(p->node, &version, err)) {
        return err->status;
    }
    measure_machine(p);
    return add_press(p, err);
}

spb_status plant_new(plant **out, spb_node *node, spb_error *err) {
    spb_status status = SPB_ERR_NO_MEMORY;
    plant *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p) {
        p->node = node;
        p->items = calloc(MAX_MEASURED, sizeof *p->items);
        p->machine = machine_new(&(machine_roots)MACHINE_ROOTS_INIT);
        press_init(&p->press, 1);
    }
    if (!p || !p->items || !p->machine) {
        snprintf(err->text, sizeof err->text, "out of memory");
    } else {
        status = add_all(p, err);
    }
    if (status != SPB_OK) {
        plant_free(p);
        return status;
    }
    *out = p;
    return SPB_OK;
}

void plant_free(plant *p) {
    if (p) {
        machine_free(p->machine);
        free(p->items);
        free(p);
    }
}

void plant_measure(plant *p, uint64_t elapsed_ms) {
    measure_machine(p);
    run_press(p, elapsed_ms);
}
