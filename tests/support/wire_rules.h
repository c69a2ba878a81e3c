/* The rules that everything a node ever sends must keep, checked over the record of a fake server. */
#ifndef SPB_TEST_WIRE_RULES_H
#define SPB_TEST_WIRE_RULES_H

#include <spb/payload.h>

#include "support/fake_transport.h"

/*
 * Fails the test at the first message that breaks a rule: the will is an NDEATH of QoS 1 with bdSeq + 1 of the node's
 * will before; the first message of a link is an NBIRTH with the bdSeq of its will; NBIRTHs have seq 0 and all that
 * follows counts on without a gap; a device has a DBIRTH after the last NBIRTH before it has data; nothing follows an
 * NDEATH.
 */
void wire_rules_check(fake_server *server);
/* The only metric `name` of a message; fails the test when it is not there. The payload is the caller's. */
spb_value wire_metric(const fake_message *message, const char *name, spb_payload **payload);

#endif
