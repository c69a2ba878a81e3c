/* Decides how ranges are merged and split, and how their memory is reused. What the numbers mean is left to the users.
 */
#include "base/ranges.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8
#define KEPT_CAPACITY 1024 /* what an empty set may keep for the next numbers */

void spb_ranges__clear(spb_ranges *ranges) {
    free(ranges->items);
    *ranges = (spb_ranges){0};
}

spb_range spb_ranges__at(const spb_ranges *ranges, size_t index) {
    return ranges->items[ranges->start + index];
}

/* Index of the first range that ends at or after `number`; count if there is none. */
static size_t find(const spb_ranges *ranges, uint64_t number) {
    size_t low = 0, high = ranges->count;
    if (high > 0 && spb_ranges__at(ranges, high - 1).last < number) {
        return high; /* behind all others: the usual place */
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spb_ranges__at(ranges, middle).last < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Room for one more range. Moves what there is to the front once that is O(1) per range that was removed. */
static bool reserve(spb_ranges *ranges) {
    if (ranges->start + ranges->count < ranges->capacity) {
        return true;
    }
    if (ranges->start > 0 && ranges->start >= ranges->count) {
        memmove(ranges->items, ranges->items + ranges->start, ranges->count * sizeof *ranges->items);
        ranges->start = 0;
        return true;
    }
    size_t capacity = ranges->capacity ? ranges->capacity * 2 : FIRST_CAPACITY;
    spb_range *items = capacity > SIZE_MAX / sizeof *items ? NULL : realloc(ranges->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    ranges->items = items;
    ranges->capacity = capacity;
    return true;
}

/* Puts `added` ranges, for which there is room, in the place of those from `begin` up to `end`. */
static void replace(spb_ranges *ranges, size_t begin, size_t end, const spb_range *added, size_t added_count) {
    for (size_t i = begin; i < end; i++) {
        ranges->total -= spb_ranges__at(ranges, i).last - spb_ranges__at(ranges, i).first + 1;
    }
    for (size_t i = 0; i < added_count; i++) {
        ranges->total += added[i].last - added[i].first + 1;
    }
    size_t removed_count = end - begin;
    if (begin == 0 && added_count <= removed_count) { /* at the front, the start moves */
        ranges->start += removed_count - added_count;
    } else {
        memmove(ranges->items + ranges->start + begin + added_count, ranges->items + ranges->start + end,
                (ranges->count - end) * sizeof *ranges->items);
    }
    ranges->count = ranges->count - removed_count + added_count;
    if (added_count > 0) {
        memcpy(ranges->items + ranges->start + begin, added, added_count * sizeof *added);
    }
    if (ranges->count == 0) {
        ranges->start = 0;
        if (ranges->capacity > KEPT_CAPACITY) {
            spb_ranges__clear(ranges);
        }
    }
}

bool spb_ranges__add(spb_ranges *ranges, uint64_t first, uint64_t last) {
    if (!reserve(ranges)) {
        return false;
    }
    size_t begin = find(ranges, first > 0 ? first - 1 : 0); /* one that ends just before it is continued */
    size_t end = begin;
    spb_range merged = {.first = first, .last = last};
    while (end < ranges->count && (last == UINT64_MAX || spb_ranges__at(ranges, end).first <= last + 1)) {
        spb_range each = spb_ranges__at(ranges, end++);
        merged.first = each.first < merged.first ? each.first : merged.first;
        merged.last = each.last > merged.last ? each.last : merged.last;
    }
    replace(ranges, begin, end, &merged, 1);
    return true;
}

bool spb_ranges__remove(spb_ranges *ranges, uint64_t first, uint64_t last) {
    size_t begin = find(ranges, first);
    size_t end = begin;
    spb_range kept[2];
    size_t kept_count = 0;
    while (end < ranges->count && spb_ranges__at(ranges, end).first <= last) {
        spb_range each = spb_ranges__at(ranges, end++);
        if (each.first < first) {
            kept[kept_count++] = (spb_range){.first = each.first, .last = first - 1};
        }
        if (each.last > last) {
            kept[kept_count++] = (spb_range){.first = last + 1, .last = each.last};
        }
    }
    if (end == begin) {
        return true;
    }
    if (kept_count > end - begin && !reserve(ranges)) {
        return false;
    }
    replace(ranges, begin, end, kept, kept_count);
    return true;
}

bool spb_ranges__contains(const spb_ranges *ranges, uint64_t number) {
    size_t index = find(ranges, number);
    return index < ranges->count && spb_ranges__at(ranges, index).first <= number;
}

bool spb_ranges__around(const spb_ranges *ranges, uint64_t number, spb_range *out) {
    if (!spb_ranges__contains(ranges, number)) {
        return false;
    }
    *out = spb_ranges__at(ranges, find(ranges, number));
    return true;
}

bool spb_ranges__next(const spb_ranges *ranges, uint64_t from, spb_range *out) {
    size_t index = find(ranges, from);
    if (index == ranges->count) {
        return false;
    }
    *out = spb_ranges__at(ranges, index);
    out->first = out->first < from ? from : out->first;
    return true;
}

uint64_t spb_ranges__count(const spb_ranges *ranges, uint64_t first, uint64_t last) {
    uint64_t count = 0;
    for (size_t i = find(ranges, first); i < ranges->count && spb_ranges__at(ranges, i).first <= last; i++) {
        spb_range each = spb_ranges__at(ranges, i);
        uint64_t from = each.first < first ? first : each.first;
        uint64_t to = each.last > last ? last : each.last;
        count += to - from + 1;
    }
    return count;
}
