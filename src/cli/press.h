/* A small simulated press: a heated tool, a drive, and a sensor with noise. Pure: the same seed and the same steps
 * always give the same course. */
#ifndef SPB_CLI_PRESS_H
#define SPB_CLI_PRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PRESS_AMBIENT_C 21.0
#define PRESS_SETPOINT_MIN_C 20.0
#define PRESS_SETPOINT_MAX_C 220.0
#define PRESS_SETPOINT_DEFAULT_C 180.0
/* It presses while the tool is this close to the setpoint. */
#define PRESS_BAND_C 10.0

typedef enum press_state {
    PRESS_STOPPED,  /* not running: the tool takes the temperature of the room */
    PRESS_HEATING,  /* running, too cold to press */
    PRESS_PRESSING, /* running, and counting strokes */
    PRESS_COOLING   /* running, too hot to press */
} press_state;

typedef struct press {
    double setpoint_c; /* inputs: to be set between steps; from PRESS_SETPOINT_MIN_C to PRESS_SETPOINT_MAX_C */
    bool running;

    double temperature_c; /* outputs of the last step: what the sensor says, to 0.01 °C */
    double pressure_bar;  /* of the hydraulics, to 0.1 bar */
    uint32_t strokes;     /* since press_init; wraps */
    press_state state;

    double tool_c; /* private: the true temperature */
    uint32_t stroke_ms;
    uint32_t pending_ms;
    uint64_t noise;
} press;

/* A cold press, running, with the default setpoint. */
void press_init(press *p, uint64_t seed);
/* Lets time pass. Steps of any length add up to the same course. */
void press_step(press *p, uint32_t elapsed_ms);
/* "Stopped", "Heating", "Pressing", "Cooling". */
const char *press_state_name(press_state state);

#endif
