/* Files of the options that hold a secret, a password or a key, and those that say which servers are trusted. */
#ifndef SPB_TRANSPORT_SECRET_H
#define SPB_TRANSPORT_SECRET_H

#include <spb/transport.h>

/*
 * What makes one of these files less safe than it should be: others can change it; and a secret: each user of the
 * machine can read it, or it is a symbolic link, which may lead elsewhere tomorrow. Begin with *index 0; false: there
 * is nothing more. `text` names the option and the file. A file that is not there is no business of this function.
 */
bool spb_secret__next(const spb_mqtt_options *settings, size_t *index, char *text, size_t size);

#endif
