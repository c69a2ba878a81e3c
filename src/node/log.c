/* Decides how many lines a node writes into the log of the application. What is worth one is left to all others. */
#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "node/clock.h"
#include "node/node.h"

/* Whatever it is that floods a log: a damaged journal, a server, a host. */
#define MAX_LINES_PER_S 100
#define DROPPED_EVERY_MS 1000

static void tell_left_out(spb_node *node, uint64_t now_ms) {
    uint64_t left_out = spb_quota__tell(&node->logged, now_ms);
    if (left_out > 0) {
        char text[80];
        snprintf(text, sizeof text, "%" PRIu64 " more lines in the same second were left out", left_out);
        node->on_log(SPB_LOG_WARNING, text, node->user_data);
    }
}

void spb_node__log(spb_node *node, spb_log_level level, const char *text) {
    if (!node->on_log || level > node->log_level) {
        return;
    }
    uint64_t now_ms = spb_clock__now().mono_ms;
    tell_left_out(node, now_ms);
    if (spb_quota__take(&node->logged, MAX_LINES_PER_S, now_ms)) {
        char shown[512]; /* a store of the application's own may have said anything */
        spb_escape__text(shown, sizeof shown, spb_str_from(text));
        node->on_log(level, shown, node->user_data);
    }
}

void spb_node__log_dropped(spb_node *node, uint64_t dropped, uint64_t now_ms) {
    node->dropped += dropped;
    if (node->dropped > 0 && now_ms >= node->dropped_after_ms) {
        char text[120];
        snprintf(text, sizeof text, "%" PRIu64 " incoming messages dropped: more than the mailbox holds",
                 node->dropped);
        node->dropped = 0;
        node->dropped_after_ms = now_ms < SPB_NEVER ? now_ms + DROPPED_EVERY_MS : 0;
        spb_node__log(node, SPB_LOG_ERROR, text);
    }
    tell_left_out(node, now_ms);
}

uint64_t spb_node__log_due_ms(const spb_node *node) {
    uint64_t lines_ms = spb_quota__due_ms(&node->logged);
    return node->dropped > 0 && node->dropped_after_ms < lines_ms ? node->dropped_after_ms : lines_ms;
}
