/* The temperatures that a Linux kernel knows of: hardware monitors, and thermal zones that are not among them. */
#ifndef SPB_CLI_SENSORS_H
#define SPB_CLI_SENSORS_H

/* Both names are printable ASCII without '/': "coretemp" "Core 0", or "nvme 2" "temp1" of a second chip of that name.
 */
typedef void (*sensors_fn)(const char *chip, const char *label, double celsius, void *user);

/* Calls `each` for every temperature that can be read at present, in the order of the kernel's directories. `sys` is
 * usually /sys. */
void sensors_read(const char *sys, sensors_fn each, void *user);

#endif
