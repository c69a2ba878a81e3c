/* Whether a file is a store, of which version, and whose. */
#ifndef SPB_STORE_SCHEMA_H
#define SPB_STORE_SCHEMA_H

#include "store/database.h"

/*
 * In the caller's transaction: makes an empty file the store of that edge node, or finds that it is one, and brings it
 * to the present version. SPB_ERR_STORE: it is the database of another program, has a newer schema, or is damaged.
 * SPB_ERR_ARGUMENT: it belongs to another edge node.
 */
spb_status spb_schema__settle(spb_database *database, const char *group_id, const char *node_id, spb_error *err);
/* Finds that it is a store, without a change, and fills database->shape. *version is that of its schema; 0: it is
 * empty. */
spb_status spb_schema__recognise(spb_database *database, int64_t *version, spb_error *err);
/* Whose it is: "group/node", from malloc. */
spb_status spb_schema__owner(spb_database *database, char **owner, spb_error *err);

/* Whether the file tells an owner, and it is another one. */
bool spb_schema__is_of_another(spb_database *database, const char *group_id, const char *node_id);

#endif
