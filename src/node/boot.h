/* Which run of the machine this is. */
#ifndef SPB_NODE_BOOT_H
#define SPB_NODE_BOOT_H

#include <stdint.h>

/* A number that no other run of the machine has, also on another machine, as far as 64 bits can tell; 0: the system
 * does not say. `path`: /proc/sys/kernel/random/boot_id. */
uint64_t spb_boot__id(const char *path);

#endif
