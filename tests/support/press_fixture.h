/* A session with one device, whose metrics have rules: what the tests of report by exception begin with. */
#ifndef TESTS_SUPPORT_PRESS_FIXTURE_H
#define TESTS_SUPPORT_PRESS_FIXTURE_H

#include "support/wire.h"

extern wire w;
extern spb_device *press;

/* A window of 100 ms, and else the usual options. */
void press_setup(void);
void press_teardown(void);
/* Opens the wire with others, when it is closed. */
void open_with(const spb_session_options *options);
/* A metric of the device. */
spb_metric *add(spb_metric_def def);
/* One that sends all, once a second; and it may. */
spb_metric *add_deferring(uint32_t max_interval_ms);
/* A sample that is taken; with flags; of that time. */
void update(spb_metric *metric, double value);
void flagged(spb_metric *metric, spb_value value, uint32_t flags);
void at(spb_metric *metric, double value, uint64_t timestamp_ms);
/* Everything that was accepted is in one place. */
void assert_balance(void);
/* The values in the last DDATA, "1 2.5 3". */
const char *last_values(void);

#endif
