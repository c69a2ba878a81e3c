/* Decides nothing but the way: each form has a file of its own. */
#include "cli/output.h"

#include "cli/json_message.h"

void output_init(output *o, int fd, output_form form, bool use_colour) {
    o->form = form;
    out_init(&o->to, fd);
    text_init(&o->text, &o->to, use_colour);
    csv_init(&o->csv, &o->to);
    o->stats = (stats){.nodes = NULL};
}

void output_clear(output *o) {
    stats_clear(&o->stats);
}

bool output_message(output *o, const message *m, birth_scope *scope, size_t payload_bytes) {
    switch (o->form) {
    case OUTPUT_TEXT: text_message(&o->text, m); break;
    case OUTPUT_JSON: json_message_write(&o->to, m); break;
    case OUTPUT_CSV: csv_message(&o->csv, m); break;
    case OUTPUT_STATS:
    case OUTPUT_STATS_JSON: return stats_add(&o->stats, m, scope, payload_bytes);
    }
    return true;
}

void output_end(output *o, const feed_counts *counts) {
    if (o->form == OUTPUT_STATS) {
        stats_write_text(&o->stats, counts, &o->to);
    } else if (o->form == OUTPUT_STATS_JSON) {
        stats_write_json(&o->stats, counts, &o->to);
    } else if (o->form == OUTPUT_CSV) {
        csv_end(&o->csv);
    }
    out_flush(&o->to);
}
