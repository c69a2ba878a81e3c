/* Decides when what was written is committed, and how long a store that fails is left alone. What is written is left to
 * the session. */
#include "outbox/journal.h"

#include "base/deadlines.h"

#define MIN_WAIT_MS 1000
#define MAX_WAIT_MS 60000
/* A commit costs as much as many samples: those of this size, or of this time, share one. */
#define COMMIT_BYTES ((size_t)1024 * 1024)
#define CONFIRM_MS 1000

void spb_journal__init(spb_journal *journal, const spb_store_info *info, bool is_used, bool expires) {
    *journal = (spb_journal){.is_used = is_used,
                             .info = *info,
                             .appended_id = info->last_id,
                             .committed_id = info->last_id,
                             .commit_ms = SPB_NEVER,
                             .confirm_ms = SPB_NEVER,
                             .read_ms = SPB_NEVER,
                             .expire_ms = is_used && expires ? 0 : SPB_NEVER};
}

void spb_journal__clear(spb_journal *journal) {
    spb_ranges__clear(&journal->confirms);
    spb_ranges__clear(&journal->keeps);
    spb_ranges__clear(&journal->told);
}

bool spb_journal__cannot_take(const spb_journal *journal) {
    return journal->is_failing || journal->is_full;
}

void spb_journal__appended(spb_journal *journal, uint64_t id, size_t bytes, uint32_t wait_ms, uint64_t now_ms) {
    journal->appended_id = id;
    journal->bytes += bytes;
    journal->has_news = true;
    spb_due__by(&journal->commit_ms, journal->bytes >= COMMIT_BYTES ? now_ms : now_ms + wait_ms);
}

bool spb_journal__confirm(spb_journal *journal, uint64_t first_id, uint64_t last_id, uint64_t now_ms) {
    if (!spb_ranges__add(&journal->confirms, first_id, last_id)) {
        return false;
    }
    spb_due__by(&journal->confirm_ms, now_ms + CONFIRM_MS);
    return true;
}

void spb_journal__keep(spb_journal *journal, uint64_t first_id, uint64_t last_id) {
    if (journal->kept_for != 0) {
        spb_ranges__add(&journal->keeps, first_id, last_id);
    }
}

void spb_journal__forget_kept(spb_journal *journal, uint64_t now_ms) {
    if (journal->kept_for != 0) { /* else the store may know of an earlier run, for that same host */
        journal->forgets_kept = true;
        spb_due__by(&journal->commit_ms, now_ms + CONFIRM_MS);
        spb_ranges__clear(&journal->keeps);
    }
}

void spb_journal__keep_for(spb_journal *journal, uint64_t kept_for, uint64_t now_ms) {
    if (journal->kept_for != kept_for) {
        spb_journal__forget_kept(journal, now_ms);
        journal->kept_for = kept_for;
    }
}

void spb_journal__want_commit(spb_journal *journal, uint64_t now_ms) {
    if (journal->has_news || journal->confirms.count > 0) {
        spb_due__by(&journal->commit_ms, now_ms);
    }
}

bool spb_journal__failed(spb_journal *journal, uint64_t now_ms) {
    bool is_news = !journal->is_failing;
    journal->wait_ms = is_news ? MIN_WAIT_MS : journal->wait_ms * 2 > MAX_WAIT_MS ? MAX_WAIT_MS : journal->wait_ms * 2;
    journal->is_failing = true;
    journal->retry_ms = now_ms + journal->wait_ms;
    return is_news;
}

bool spb_journal__went_well(spb_journal *journal) {
    bool is_news = journal->is_failing;
    journal->is_failing = false;
    return is_news;
}
