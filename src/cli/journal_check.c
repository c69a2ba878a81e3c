/* Decides what is wrong in a block that can be read. */
#include "cli/journal_check.h"

#include <inttypes.h>
#include <stdio.h>

static bool has_its_times(const journal *from, const spb_block *block) {
    uint64_t first_ms = UINT64_MAX, last_ms = 0;
    for (size_t i = 0; i < from->payload->metric_count; i++) {
        uint64_t ms = from->payload->metrics[i].timestamp_ms; /* as it is stored */
        first_ms = ms < first_ms ? ms : first_ms;
        last_ms = ms > last_ms ? ms : last_ms;
    }
    return first_ms == block->first_ms && last_ms == block->last_ms;
}

void journal_check(const journal *from, const journal_block *found, journal_report report, void *context) {
    char line[120];
    const spb_block *block = &found->block;
    size_t count = from->payload->metric_count;
    if (count != block->samples) {
        snprintf(line, sizeof line, "it holds %zu samples, and is said to hold %" PRIu32, count, block->samples);
        report(context, block->id, line);
    }
    if (!has_its_times(from, block)) {
        report(context, block->id, "its samples are not of the time that it is said to have");
    }
    if (found->unknown > 0) {
        snprintf(line, sizeof line, "%zu samples have an alias that the store does not explain", found->unknown);
        report(context, block->id, line);
    }
    if (found->misfits > 0) {
        snprintf(line, sizeof line, "%zu samples are not of the datatype of their metric", found->misfits);
        report(context, block->id, line);
    }
}
