/* Application threads that update as fast as the node can send. */
#ifndef SPB_BENCH_LOAD_H
#define SPB_BENCH_LOAD_H

#include "plant.h"

/* What the plant has for each thread. */
#define LOAD_DEVICES 32
#define LOAD_METRICS 32
#define LOAD_MAX_THREADS 4

/* For so long; messages are cut by the node's batch_max_bytes. Returns how many samples were produced. */
uint64_t load_run(const plant *p, size_t threads, size_t per_message, uint64_t for_ns);

#endif
