/* A transport to nowhere: every message is published at once. For what is measured without a network. */
#ifndef SPB_BENCH_SINK_H
#define SPB_BENCH_SINK_H

#include <spb/transport.h>

/* To be handed to a node, which frees it. */
spb_transport *sink_new(void);

#endif
