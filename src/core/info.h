/* What an NBIRTH says of the session itself. */
#ifndef SPB_CORE_INFO_H
#define SPB_CORE_INFO_H

#include "core/certificate.h"

#define SPB_MAX_BIRTH_FACTS 16
/* As of this moment; returns how many. */
size_t spb_session__birth_facts(const spb_session *session, spb_birth_fact facts[SPB_MAX_BIRTH_FACTS]);
/* A metric of the node cannot have this name. */
bool spb_session__is_own_name(const spb_session *session, const char *name);

#endif
