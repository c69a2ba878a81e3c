/* The options of the MQTT transport, checked and kept. */
#ifndef SPB_TRANSPORT_SETTINGS_H
#define SPB_TRANSPORT_SETTINGS_H

#include <spb/transport.h>

/* The longest password that is read from a file, with its NUL. */
#define SPB_PASSWORD_MAX 4096

/* A copy of its own of all that `options` (NULL: the defaults) point to; the version and the packet size are filled in.
 * SPB_ERR_ARGUMENT: they do not go together, or a file cannot be used. SPB_ERR_NO_MEMORY. After a failure there is
 * nothing to clear. */
spb_status spb_settings__init(spb_mqtt_options *out, const spb_mqtt_options *options, spb_error *err);
void spb_settings__clear(spb_mqtt_options *settings);

/* The password for one CONNECT, in `buffer` or kept elsewhere; *out is NULL when there is none. The caller wipes the
 * buffer when CONNECT is made. SPB_ERR_ARGUMENT: the file cannot be read, or its first line is too long. */
spb_status spb_settings__password(const spb_mqtt_options *settings, char buffer[static SPB_PASSWORD_MAX],
                                  const char **out, spb_error *err);

#endif
