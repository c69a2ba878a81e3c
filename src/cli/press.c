/* Decides how the simulated press behaves: a first-order lag, a band in which it presses, a stroke of fixed length.
 * Who sets its inputs and who publishes its outputs is left to cmd_edge.c. */
#include "cli/press.h"

enum { TICK_MS = 100, LAG_MS = 6000, STROKE_MS = 2500 };

static const double full_pressure_bar = 160.0;

/* To the nearest of so many parts of 1. What is measured here is never negative. */
static double rounded(double value, double parts) {
    return (double)(int64_t)(value * parts + 0.5) / parts;
}

/* Noise of the sensor: -0.1 … 0.1 °C, most of it near 0 (splitmix64; the sum of two equal distributions). */
static double next_noise_c(press *p) {
    p->noise += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = p->noise;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    double sum = (double)(z >> 32) + (double)(z & UINT32_MAX);
    return (sum / UINT32_MAX - 1.0) * 0.1;
}

static press_state state_now(const press *p) {
    if (!p->running) {
        return PRESS_STOPPED;
    }
    if (p->tool_c < p->setpoint_c - PRESS_BAND_C) {
        return PRESS_HEATING;
    }
    return p->tool_c > p->setpoint_c + PRESS_BAND_C ? PRESS_COOLING : PRESS_PRESSING;
}

static void tick(press *p) {
    double target_c = p->running ? p->setpoint_c : PRESS_AMBIENT_C;
    p->tool_c += (target_c - p->tool_c) * TICK_MS / LAG_MS;
    p->state = state_now(p);
    if (p->state == PRESS_PRESSING) {
        p->stroke_ms += TICK_MS;
    } else {
        p->stroke_ms = 0; /* the tool opens: the begun stroke does not count */
    }
    if (p->stroke_ms >= STROKE_MS) {
        p->stroke_ms = 0;
        p->strokes++;
    }
    double way = (double)p->stroke_ms / STROKE_MS;
    p->pressure_bar = rounded(full_pressure_bar * 4 * way * (1 - way), 10);
    p->temperature_c = rounded(p->tool_c + next_noise_c(p), 100);
}

void press_init(press *p, uint64_t seed) {
    *p = (press){.setpoint_c = PRESS_SETPOINT_DEFAULT_C,
                 .running = true,
                 .temperature_c = PRESS_AMBIENT_C,
                 .state = PRESS_HEATING,
                 .tool_c = PRESS_AMBIENT_C,
                 .noise = seed};
}

void press_step(press *p, uint32_t elapsed_ms) {
    uint64_t left_ms = (uint64_t)p->pending_ms + elapsed_ms;
    for (; left_ms >= TICK_MS; left_ms -= TICK_MS) {
        tick(p);
    }
    p->pending_ms = (uint32_t)left_ms;
}

const char *press_state_name(press_state state) {
    switch (state) {
    case PRESS_STOPPED: return "Stopped";
    case PRESS_HEATING: return "Heating";
    case PRESS_PRESSING: return "Pressing";
    case PRESS_COOLING: return "Cooling";
    }
    return "Stopped";
}
