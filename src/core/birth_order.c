/* The order of the metrics in a birth. Most births have it already, as devices are scanned in the order of their
 * metrics: only the others are sorted. */
#include "core/birth_order.h"

#include <stdlib.h>

struct spb_dated_metric {
    uint64_t timestamp_ms;
    size_t number;
    const spb_metric *metric;
};

static uint64_t key_of(const spb_metric *metric) {
    return metric->is_definition ? 0 : metric->timestamp_ms;
}

static int compare(const void *left, const void *right) {
    const spb_dated_metric *a = left, *b = right;
    if (a->timestamp_ms != b->timestamp_ms) {
        return a->timestamp_ms < b->timestamp_ms ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

spb_status spb_birth_order__init(spb_birth_order *order, const spb_device *holder) {
    bool is_sorted = true;
    uint64_t last_ms = 0;
    *order = (spb_birth_order){.oldest_ms = UINT64_MAX, .next = holder->first_metric};
    for (const spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        uint64_t key_ms = key_of(metric);
        is_sorted = is_sorted && key_ms >= last_ms;
        last_ms = key_ms;
        order->oldest_ms = metric->timestamp_ms < order->oldest_ms ? metric->timestamp_ms : order->oldest_ms;
        order->count++;
    }
    if (is_sorted) {
        return SPB_OK;
    }
    order->sorted = malloc(order->count * sizeof *order->sorted);
    if (!order->sorted) {
        return SPB_ERR_NO_MEMORY;
    }
    size_t number = 0;
    for (const spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder, number++) {
        order->sorted[number] = (spb_dated_metric){key_of(metric), number, metric};
    }
    qsort(order->sorted, order->count, sizeof *order->sorted, compare);
    return SPB_OK;
}

const spb_metric *spb_birth_order__next(spb_birth_order *order) {
    if (order->sorted) {
        return order->at < order->count ? order->sorted[order->at++].metric : NULL;
    }
    const spb_metric *metric = order->next;
    order->next = metric ? metric->next_of_holder : NULL;
    return metric;
}

void spb_birth_order__clear(spb_birth_order *order) {
    free(order->sorted);
    order->sorted = NULL;
}
