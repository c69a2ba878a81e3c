/* What the demo edge node publishes: the measurements of this machine as metrics of the node, and the device PLC-1, a
 * simulated press. */
#ifndef SPB_CLI_PLANT_H
#define SPB_CLI_PLANT_H

#include <spb/node.h>

typedef struct plant plant;

/* Adds everything to a node that is not started yet, with first values. The node must live as long as the plant is
 * used. On failure *out is NULL, and the node is only good for being freed. Statuses as spb_node_add_metric. */
spb_status plant_new(plant **out, spb_node *node, spb_error *err);
/* The node keeps its metrics. NULL is fine. */
void plant_free(plant *p);
/* Measures, lets the press run for the time that went by, and updates what has changed. */
void plant_measure(plant *p, uint64_t elapsed_ms);

#endif
