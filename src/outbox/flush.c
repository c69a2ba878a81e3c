/* Decides when everything that was accepted before a flush is safe. What is done to make it so is left to the session.
 */
#include "outbox/flush.h"

static spb_epoch *epoch_of(spb_flushes *flushes, uint64_t number) {
    return &flushes->epochs[number % SPB_MAX_EPOCHS];
}

void spb_flushes__init(spb_flushes *flushes) {
    *flushes = (spb_flushes){.current = 1, .first = 1};
    epoch_of(flushes, 1)->number = 1;
}

uint8_t spb_flushes__begin(spb_flushes *flushes) {
    epoch_of(flushes, flushes->current)->pending++;
    return (uint8_t)(flushes->current % SPB_MAX_EPOCHS);
}

static void settle(spb_flushes *flushes, spb_epoch *epoch) {
    epoch->pending -= epoch->pending > 0;
    while (flushes->first < flushes->current && epoch_of(flushes, flushes->first)->pending == 0) {
        flushes->first++;
    }
}

void spb_flushes__confirm(spb_flushes *flushes, uint8_t epoch) {
    settle(flushes, &flushes->epochs[epoch]);
}

void spb_flushes__store(spb_flushes *flushes, uint8_t epoch, uint64_t id) {
    spb_epoch *of = &flushes->epochs[epoch];
    of->stored_id = id > of->stored_id ? id : of->stored_id;
    of->has_stored = true;
    settle(flushes, of);
}

void spb_flushes__lose(spb_flushes *flushes, uint8_t epoch) {
    spb_epoch *of = &flushes->epochs[epoch];
    of->has_lost |= of->number < flushes->current; /* what was lost before the flush is not what it was for */
    settle(flushes, of);
}

/* The epoch that is `SPB_MAX_EPOCHS` back makes room. */
static void open_next(spb_flushes *flushes) {
    spb_epoch *next = epoch_of(flushes, ++flushes->current);
    flushes->last_stored = next->has_stored ? next->number : flushes->last_stored;
    flushes->last_lost = next->has_lost ? next->number : flushes->last_lost;
    *next = (spb_epoch){.number = flushes->current};
}

uint64_t spb_flushes__close(spb_flushes *flushes, uint64_t stored_id, bool wants_birth) {
    spb_epoch *epoch = epoch_of(flushes, flushes->current);
    uint64_t ticket = flushes->current;
    epoch->since = flushes->first;
    if (stored_id > 0) {
        epoch->stored_id = stored_id > epoch->stored_id ? stored_id : epoch->stored_id;
        epoch->has_stored = true;
    } else {
        epoch->has_stored = false; /* all of that has arrived since */
    }
    if (wants_birth && !epoch->wants_birth) {
        epoch->wants_birth = true;
        epoch->pending++;
        flushes->wanting_birth++;
    }
    if (flushes->current + 1 - flushes->first < SPB_MAX_EPOCHS) { /* else it takes more, and is waited for a while */
        open_next(flushes);
        flushes->first += flushes->first < flushes->current && epoch->pending == 0 && flushes->first == ticket;
    }
    return ticket;
}

bool spb_flushes__next_born(spb_flushes *flushes, uint8_t *epoch) {
    for (uint64_t number = flushes->first; flushes->wanting_birth > 0 && number <= flushes->current; number++) {
        spb_epoch *of = epoch_of(flushes, number);
        if (of->wants_birth) {
            of->wants_birth = false;
            flushes->wanting_birth--;
            *epoch = (uint8_t)(number % SPB_MAX_EPOCHS);
            return true;
        }
    }
    return false;
}

void spb_flushes__born_again(spb_flushes *flushes, uint8_t epoch) {
    flushes->epochs[epoch].wants_birth = true;
    flushes->wanting_birth++;
}

void spb_flushes__lose_value(spb_flushes *flushes) {
    for (uint64_t number = flushes->first; flushes->wanting_birth > 0 && number <= flushes->current; number++) {
        epoch_of(flushes, number)->has_lost |= epoch_of(flushes, number)->wants_birth;
    }
}

spb_flush spb_flushes__look(const spb_flushes *flushes, uint64_t ticket, uint64_t committed_id) {
    const spb_epoch *asked = &flushes->epochs[ticket % SPB_MAX_EPOCHS];
    if (ticket == 0 || ticket > flushes->current) {
        return SPB_FLUSH_CONFIRMED; /* nobody asked */
    }
    if (ticket >= flushes->first && (ticket > flushes->first || asked->pending > 0)) {
        return SPB_FLUSH_PENDING;
    }
    if (asked->number != ticket) { /* long forgotten */
        return ticket <= flushes->last_lost     ? SPB_FLUSH_LOST
               : ticket <= flushes->last_stored ? SPB_FLUSH_STORED
                                                : SPB_FLUSH_CONFIRMED;
    }
    spb_flush result = SPB_FLUSH_CONFIRMED;
    for (uint64_t number = asked->since; number <= ticket; number++) {
        const spb_epoch *of = &flushes->epochs[number % SPB_MAX_EPOCHS];
        if (of->number != number) {
            continue;
        }
        if (of->has_lost) {
            return SPB_FLUSH_LOST;
        }
        if (of->has_stored && of->stored_id > committed_id) {
            return SPB_FLUSH_PENDING;
        }
        result = of->has_stored ? SPB_FLUSH_STORED : result;
    }
    return result;
}
