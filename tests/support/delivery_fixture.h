/* A session with a journal in memory: what the tests of delivery begin with. */
#ifndef TESTS_SUPPORT_DELIVERY_FIXTURE_H
#define TESTS_SUPPORT_DELIVERY_FIXTURE_H

#include "support/wire_journal.h"

extern wire w;
extern wire_journal journal;
extern spb_session_options options; /* may be changed before the wire is opened */
extern spb_metric *x;               /* Int32, of the node, when a test has made it */

/* An empty journal, and the usual options. */
void delivery_setup(void);
void delivery_teardown(void);
/* Opens the wire, with x, and brings it ONLINE. */
void go_online(void);
/* A sample of x, which is taken. */
void update(int32_t value);

#endif
