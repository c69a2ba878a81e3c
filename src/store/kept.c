/*
 * Decides which blocks count as kept. The mark only spares the host what it has: when it is lost, or not believed, the
 * block is sent again.
 */
#include "store/kept.h"

#include <inttypes.h>
#include <stdio.h>

void spb_kept__clear(spb_kept *kept) {
    spb_ranges__clear(&kept->ids);
    *kept = (spb_kept){0};
}

spb_status spb_kept__add(spb_kept *kept, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err) {
    uint64_t before = kept->ids.total;
    if (kept->kept_for != kept_for) {
        spb_kept__clear(kept);
        kept->kept_for = kept_for;
    }
    if (kept_for != 0 && !spb_ranges__add(&kept->ids, first_id, last_id)) {
        return spb_error__no_memory(err, "what is kept");
    }
    kept->is_saved &= kept->ids.total == before;
    return SPB_OK;
}

uint64_t spb_kept__of(const spb_kept *kept, uint64_t id) {
    return spb_ranges__contains(&kept->ids, id) ? kept->kept_for : 0;
}

void spb_kept__write(const spb_kept *kept, char text[SPB_KEPT_TEXT_BYTES]) {
    size_t count = kept->ids.count, begin = count > SPB_KEPT_MOST_RANGES ? count - SPB_KEPT_MOST_RANGES : 0;
    int len = snprintf(text, SPB_KEPT_TEXT_BYTES, "%" PRIu64, kept->kept_for);
    for (size_t i = begin; i < count; i++) {
        spb_range range = spb_ranges__at(&kept->ids, i);
        len +=
            snprintf(text + len, SPB_KEPT_TEXT_BYTES - (size_t)len, " %" PRIu64 "-%" PRIu64, range.first, range.last);
    }
}

/* The number at *at, behind that character, if any; it moves on. False: there is none, or it is larger than `most`. */
static bool read_number(const char **at, char before, uint64_t most, uint64_t *out) {
    const char *p = *at;
    uint64_t number = 0;
    if (before != 0 && *p++ != before) {
        return false;
    }
    if (*p < '0' || *p > '9') {
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (number > (most - digit) / 10 || digit > most) {
            return false;
        }
        number = 10 * number + digit;
    }
    *at = p;
    *out = number;
    return true;
}

void spb_kept__read(spb_kept *kept, const char *text, uint64_t last_id) {
    uint64_t kept_for, first, last, before = 0;
    bool is_sound = read_number(&text, 0, UINT64_MAX, &kept_for) && kept_for != 0;
    spb_kept__clear(kept);
    kept->kept_for = is_sound ? kept_for : 0;
    while (is_sound && *text) {
        is_sound = read_number(&text, ' ', last_id, &first) && read_number(&text, '-', last_id, &last) &&
                   first > before && first <= last && spb_ranges__add(&kept->ids, first, last);
        before = last;
    }
    if (!is_sound) {
        spb_kept__clear(kept);
    }
    kept->is_saved = is_sound;
}
