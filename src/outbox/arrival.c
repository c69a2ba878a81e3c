/*
 * Decides when the births of a connection have arrived. A fence behind them shows it, where fences are trusted; else
 * time does, as for data: see confirm.c. When other births may follow is another question, as one more only has to
 * find the link free: any answer to a fence behind them shows that. A server that answers no fence at all is waited for
 * no longer than a keep-alive.
 */
#include "outbox/arrival.h"

#include <spb/session.h>

void spb_arrival__begin(spb_arrival *arrival, spb_fences *fences, bool is_by_time, uint64_t now_ms) {
    bool is_read = fences->read >= fences->last;
    *arrival = (spb_arrival){.last = fences->last,
                             .handed_ms = now_ms,
                             .written_ms = SPB_NEVER,
                             .is_awaited = is_by_time || !is_read,
                             .is_under_way = !is_read};
    spb_fences__ask_behind(fences, fences->last);
    spb_arrival__written(arrival, fences, now_ms);
}

void spb_arrival__written(spb_arrival *arrival, const spb_fences *fences, uint64_t now_ms) {
    if (arrival->is_awaited && arrival->written_ms == SPB_NEVER && fences->written >= arrival->last) {
        arrival->written_ms = now_ms;
    }
}

void spb_arrival__passed(spb_arrival *arrival, uint64_t ordinal, uint64_t took_ms, uint64_t now_ms) {
    if (arrival->is_under_way && ordinal >= arrival->last) {
        arrival->is_under_way = false;
        arrival->passed_ms = now_ms;
        arrival->took_ms = took_ms;
    }
}

void spb_arrival__read(spb_arrival *arrival, uint64_t ordinal) {
    arrival->is_under_way = arrival->is_under_way && ordinal < arrival->last;
    arrival->is_awaited = arrival->is_awaited && ordinal < arrival->last;
}

uint64_t spb_arrival__believed_ms(const spb_arrival *arrival, const spb_fences *fences) {
    bool is_written = arrival->is_awaited && arrival->written_ms != SPB_NEVER;
    return is_written ? spb_fences__believed_ms(fences, arrival->last, arrival->written_ms) : SPB_NEVER;
}

uint64_t spb_arrival__free_ms(const spb_arrival *arrival, const spb_fences *fences) {
    return !arrival->is_under_way ? 0 : fences->is_mute ? arrival->handed_ms + fences->keep_alive_ms : SPB_NEVER;
}
