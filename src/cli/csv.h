/* Metrics as rows of CSV. The section CSV of src/cli/help/decode.txt, which is a part of the man page, has its columns.
 */
#ifndef SPB_CLI_CSV_H
#define SPB_CLI_CSV_H

#include "cli/message.h"
#include "cli/out.h"

typedef struct csv {
    out *to;
    bool has_header;
    bool is_after_separator; /* within a cell, for is_safe */
    bool is_safe; /* cells that a spreadsheet might take for a formula begin with an apostrophe; false from csv_init */
    out nested;   /* JSON on its way into a field */
} csv;

void csv_init(csv *c, out *to);
void csv_message(csv *c, const message *m);
/* After the last message: there is a header also if there was none. */
void csv_end(csv *c);

#endif
