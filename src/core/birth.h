/* The messages that say what there is: births and deaths of the node and of its devices. */
#ifndef SPB_CORE_BIRTH_H
#define SPB_CORE_BIRTH_H

#include "core/session.h"

/* A DBIRTH soon. */
void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now);
/* Hosts do not follow the device any more: what waits goes to the journal, or is lost, so none of it is behind. */
void spb_session__shelve(spb_device *device);
/* Each of these becomes the action. On failure there is none, and the connection must end. */
spb_status spb_session__publish_node_birth(spb_session *session, spb_time now, spb_action *out);
spb_status spb_session__publish_device_birth(spb_session *session, spb_device *device, spb_time now, spb_action *out);
spb_status spb_session__publish_device_death(spb_session *session, spb_device *device, spb_time now, spb_action *out);
spb_status spb_session__publish_node_death(spb_session *session, spb_time now, spb_action *out);
/* The device of that ID that was removed and is not dead yet: its DDEATH comes ahead of all that a new one of that ID
 * says, and both have the same entity. NULL: there is none. */
spb_device *spb_session__dying_namesake(const spb_session *session, spb_str id);
/* Skips the devices that do not want a DBIRTH; NULL: all have theirs. */
spb_device *spb_session__next_to_be_born(spb_session *session, spb_time now);

#endif
