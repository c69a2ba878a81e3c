/*
 * The store interface: what an edge node must still know after a restart.
 *
 * libspb brings one implementation, a SQLite file. Who has a database of his own implements this struct: embed it as
 * the first member of your own and hand it to spb_node_options.store. One thread at a time calls it; calls may block
 * for as long as the disk takes.
 */
#ifndef SPB_STORE_H
#define SPB_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <spb/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spb_store spb_store;

struct spb_store {
    /* The bdSeq of the last CONNECT of this node. *found is false in a new store. SPB_ERR_STORE. */
    spb_status (*load_bdseq)(spb_store *self, uint8_t *bdseq, bool *found, spb_error *err);

    /* Returns only when the number would survive a power cut. SPB_ERR_STORE. */
    spb_status (*save_bdseq)(spb_store *self, uint8_t bdseq, spb_error *err);

    /* Closes the store. */
    void (*free)(spb_store *self);
};

/*
 * Opens or creates the SQLite file `path` (mode 0600) and keeps it for this process alone until it is freed. A file
 * belongs to one edge node, named by group_id and node_id: another one is refused.
 * SPB_ERR_STORE: cannot be opened, is not a store of libspb, or has a newer schema. SPB_ERR_STORE_BUSY: another process
 * has it open. SPB_ERR_ARGUMENT: it belongs to another edge node. SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_store_open(spb_store **out, const char *path, const char *group_id, const char *node_id,
                                  spb_error *err);

#ifdef __cplusplus
}
#endif

#endif
