/* Nodes that are to be asked for a rebirth: each once, after a random time, so that many watchers, or many nodes, do
 * not ask or answer in one moment. */
#ifndef SPB_CLI_REBIRTH_REQUEST_H
#define SPB_CLI_REBIRTH_REQUEST_H

#include "cli/live.h"
#include "cli/watch_table.h"

enum { REBIRTH_MIN_MS = 200, REBIRTH_MAX_MS = 3000 };

typedef struct rebirth_requests rebirth_requests;

/* NULL: no memory. */
rebirth_requests *rebirth_requests_new(uint64_t seed);
void rebirth_requests_free(rebirth_requests *all);
/* The node has no birth that is known. False: no memory. */
bool rebirth_requests_add(rebirth_requests *all, const spb_topic *node, uint64_t now_ms);
/* Asks those whose time has come, if their birth has not. Where there is no connection, nobody is asked any more.
 * Returns the ms until the next time, −1: there is none. */
int rebirth_requests_send(rebirth_requests *all, const watch_table *known, live *to, uint64_t now_ms, uint64_t unix_ms);

#endif
