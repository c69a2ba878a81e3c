/* What a node is made of: the session, its transport and its store. */
#ifndef SPB_NODE_PARTS_H
#define SPB_NODE_PARTS_H

#include "node/node.h"

/*
 * Makes the parts that the application did not bring. node->transport and node->store are those that it did, or NULL.
 * On failure what was made stays in the node, to be freed. Statuses of spb_node_new.
 */
spb_status spb_parts__make(spb_node *node, const spb_node_options *options, spb_error *err);
/* Each may be NULL. */
void spb_parts__free(spb_transport *transport, spb_store *store, spb_session *session);

#endif
