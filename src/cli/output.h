/* Where messages go: text, JSON lines, CSV, or sums at the end. */
#ifndef SPB_CLI_OUTPUT_H
#define SPB_CLI_OUTPUT_H

#include "cli/csv.h"
#include "cli/stats.h"
#include "cli/text.h"

typedef enum output_form { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV, OUTPUT_STATS, OUTPUT_STATS_JSON } output_form;

typedef struct output {
    output_form form;
    out to;
    text_state text;
    csv csv;
    stats stats;
} output;

void output_init(output *o, int fd, output_form form, bool use_colour);
void output_clear(output *o);
/* `scope`, payload_bytes: as stats_add. False: no memory. */
bool output_message(output *o, const message *m, birth_scope *scope, size_t payload_bytes);
/* After the last message. */
void output_end(output *o, const feed_counts *counts);
/* Only sums: names and values are not looked at. */
static inline bool output_is_sums(const output *o) {
    return o->form == OUTPUT_STATS || o->form == OUTPUT_STATS_JSON;
}

#endif
