/* Decides which counters stand for dropped samples that are told of. When they are is left to notice.c. */
#include "outbox/outbox.h"

static void count(const spb_outbox *outbox, uint64_t counts[SPB_DROPS]) {
    const spb_stats *stats = outbox->stats;
    const spb_store_info *journal = &outbox->journal.info;
    counts[SPB_DROP_OFFLINE] = stats->samples_dropped_offline;
    counts[SPB_DROP_LOST] = stats->samples_dropped_lost;
    counts[SPB_DROP_OVERFLOW] = stats->samples_dropped_overflow;
    counts[SPB_DROP_GONE] = stats->samples_dropped_gone;
    counts[SPB_DROP_AGE] = stats->samples_dropped_age + journal->dropped_age;
    counts[SPB_DROP_DISK] = stats->samples_dropped_disk;
    counts[SPB_DROP_FULL] = journal->dropped_full;
    counts[SPB_DROP_DAMAGE] = journal->dropped_damage;
}

void spb_outbox__begin_drops(spb_outbox *outbox) {
    uint64_t counts[SPB_DROPS];
    count(outbox, counts);
    for (int i = 0; i < SPB_DROPS; i++) {
        outbox->notices->drops[i].told = counts[i];
    }
}

void spb_outbox__tell_drops(spb_outbox *outbox, uint64_t now_ms) {
    uint64_t counts[SPB_DROPS];
    count(outbox, counts);
    spb_notices__tell_drops(outbox->notices, counts, now_ms);
}

uint64_t spb_outbox__drops_ms(const spb_outbox *outbox) {
    uint64_t counts[SPB_DROPS];
    count(outbox, counts);
    return spb_notices__drops_ms(outbox->notices, counts);
}
