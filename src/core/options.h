/* Which options of a session are good. */
#ifndef SPB_CORE_OPTIONS_H
#define SPB_CORE_OPTIONS_H

#include <spb/session.h>

/* SPB_ERR_ARGUMENT, SPB_ERR_NAME. */
spb_status spb_session__check_options(const spb_session_options *options, spb_error *err);
/* The level that comes of what is asked for and what there is. */
spb_delivery spb_session__level(const spb_session_options *options);

#endif
