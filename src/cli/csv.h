/*
 * Metrics as rows of CSV (RFC 4180: CRLF, quotes doubled), under a header:
 *
 *   time        of the value, else of the payload, else of the capture: 2026-11-22T12:35:53.969Z
 *   node        group/node
 *   device      empty: of the node itself
 *   metric      its name; "alias N" if no birth explains it
 *   type        "Int32" …; "Unknown" if neither message nor birth tells
 *   value       numbers, true and false, text as it is, DateTime as above, Bytes and File in base64; arrays, DataSets,
 *               Templates and property sets as JSON (json_message.h). Empty without quotes: null; "": an empty text
 *   quality     the property Quality: 192 is good, 0 bad, 500 stale; empty: not told
 *   historical  true or false
 *
 * Messages without metrics, and those of hosts, have no rows.
 */
#ifndef SPB_CLI_CSV_H
#define SPB_CLI_CSV_H

#include "cli/message.h"
#include "cli/out.h"

typedef struct csv {
    out *to;
    bool has_header;
    out nested; /* JSON on its way into a field */
} csv;

void csv_init(csv *c, out *to);
void csv_message(csv *c, const message *m);
/* After the last message: there is a header also if there was none. */
void csv_end(csv *c);

#endif
