/* malloc and its relatives of this program, which fail now and then while armed. */
#ifndef SIM_ALLOCATION_H
#define SIM_ALLOCATION_H

#include <stdbool.h>
#include <stdint.h>

/* From now on each allocation fails with this chance, drawn from *random. */
void sim_allocation_arm(uint64_t *random, unsigned permille);
/* They succeed again. True when one has failed. */
bool sim_allocation_disarm(void);

#endif
