/*
 * Decides which block a sample joins, and when an open block is closed. Whether hosts follow the sample is the
 * session's matter; where the block goes then is left to live.c and append.c.
 */
#include "codec/encode.h"
#include "outbox/entity.h"

/* A link that is slower than its samples keeps as many full blocks of an entity as this. */
#define MAX_WAITING_BLOCKS 16
/* On a narrow link, a block is closed at so many parts of the window. */
#define PARTS_OF_BLOCK 2
/* And so much more while the journal is asked to take the oldest, which cannot make room then, nor can those behind it
 * without going ahead of it. */
#define MAX_ASKED_BYTES ((size_t)64 * 1024)
/* No sample of a number is longer. */
#define MOST_NUMBER_BYTES 64
/* What may wait in memory for the journal. */
#define MAX_HISTORY_BYTES ((size_t)16 * 1024 * 1024)

spb_block_limits spb_outbox__limits(const spb_entity *entity, size_t most_bytes) {
    const spb_session_options *options = entity->outbox->options;
    const spb_window *window = &entity->outbox->fences.window;
    size_t full_bytes = spb_window__part(window, options->batch_max_bytes / PARTS_OF_BLOCK) * PARTS_OF_BLOCK;
    full_bytes = options->batch_max_bytes < full_bytes + PARTS_OF_BLOCK ? options->batch_max_bytes : full_bytes;
    return (spb_block_limits){.full_bytes = entity->is_scanning ? SIZE_MAX : full_bytes,
                              .full_samples = entity->is_scanning ? UINT32_MAX : options->batch_max_samples,
                              .most_bytes = most_bytes};
}

static spb_block_limits history_limits(const spb_entity *entity) {
    const spb_session_options *options = entity->outbox->options;
    return (spb_block_limits){.full_bytes = options->batch_max_bytes, .full_samples = options->batch_max_samples};
}

bool spb_outbox__is_over(const spb_entity *entity, size_t more, size_t unsettled) {
    const spb_session_options *options = entity->outbox->options;
    const spb_outbox_block *first = spb_entity__first_live(entity);
    if (!first) {
        return false;
    }
    size_t most_bytes = MAX_WAITING_BLOCKS * options->batch_max_bytes;
    most_bytes += spb_outbox__is_asked(entity->outbox, first) ? MAX_ASKED_BYTES : 0;
    return entity->live_bytes + more > most_bytes ||
           entity->outbox->waiting_bytes + unsettled + more > options->max_waiting_bytes;
}

bool spb_outbox__is_history_over(const spb_entity *entity, size_t more) {
    return entity->outbox->history_bytes + more > MAX_HISTORY_BYTES;
}

/* ---- windows ---- */

static bool is_waiting(const spb_entity *entity) {
    return entity->is_scanning || entity->is_patient;
}

/* The open block waits for the end of a window from now on; without a window it leaves at once, with what joined it by
 * then. */
static void begin_window(spb_entity *entity, spb_time now) {
    spb_outbox *outbox = entity->outbox;
    uint32_t window_ms = outbox->options->batch_window_ms;
    spb_outbox_block *block = entity->open;
    if (!block || is_waiting(entity)) {
        return;
    }
    block->is_due = window_ms == 0;
    if (window_ms > 0) {
        spb_deadlines__set(&outbox->opens, &block->timer, now.mono_ms + window_ms);
    }
}

static void close(spb_outbox_block **open) {
    spb_outbox_block *block = *open;
    if (block) {
        spb_deadlines__cancel(&block->entity->outbox->opens, &block->timer);
        spb_list__remove(&block->of_state);
        block->state = SPB_BLOCK_READY;
        *open = NULL;
        spb_entity__place(block->entity);
    }
}

void spb_outbox__close_live(spb_entity *entity) {
    close(&entity->open);
}

static void close_one(spb_entity *entity, spb_outbox_block **open) {
    entity->outbox->open_history_bytes -= *open ? spb_block__metrics(*open).len : 0;
    close(open);
}

void spb_outbox__close_history(spb_entity *entity) {
    close_one(entity, &entity->open_past);
    close_one(entity, &entity->open_history);
}

void spb_outbox__close_all(spb_outbox *outbox) {
    while (outbox->open_live.first) {
        spb_outbox__close_live(SPB_LINKED(outbox->open_live.first, spb_outbox_block, of_state)->entity);
    }
}

void spb_outbox__close_all_history(spb_outbox *outbox) {
    while (outbox->open_history.first) {
        spb_outbox__close_history(SPB_LINKED(outbox->open_history.first, spb_outbox_block, of_state)->entity);
    }
}

void spb_outbox__hurry(spb_entity *entity) {
    if (entity->outbox->level == SPB_DELIVERY_DURABLE) {
        spb_outbox__close_live(entity);
    }
}

void spb_outbox__begin_scan(spb_entity *entity) {
    entity->is_scanning = true;
    if (entity->open) {
        spb_deadlines__cancel(&entity->outbox->opens, &entity->open->timer);
        entity->open->is_due = false;
        spb_entity__place(entity);
    }
}

void spb_outbox__end_scan(spb_entity *entity, spb_time now) {
    if (entity->is_scanning) {
        entity->is_scanning = false;
        begin_window(entity, now);
        spb_entity__place(entity);
    }
}

void spb_outbox__end_patience(spb_entity *entity) {
    if (entity->is_scanning) {
        entity->is_patient = false;
    } else {
        spb_outbox__close_live(entity);
    }
}

bool spb_entity__has_patient(const spb_entity *entity) {
    return entity->is_patient && entity->open;
}

void spb_outbox__send_first(spb_entity *entity) {
    spb_outbox__close_live(entity);
    for (spb_list_link *link = entity->live.first; link; link = link->next) {
        spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_live);
        entity->first_count += !block->is_first;
        block->is_first = true;
    }
    spb_entity__place(entity);
}

/* ---- samples ---- */

bool spb_outbox__reserve(spb_outbox *outbox, spb_entity *entity, size_t bytes) {
    if (!outbox->spare) {
        outbox->spare = spb_outbox__new_block(outbox, NULL, SPB_BLOCK_LIVE);
    }
    return outbox->spare && spb_block__reserve(outbox->spare, bytes) &&
           (!entity->open || spb_block__reserve(entity->open, bytes)) &&
           (!entity->open_history || spb_block__reserve(entity->open_history, bytes)) &&
           (!entity->open_past || spb_block__reserve(entity->open_past, bytes));
}

static spb_outbox_block *begin(spb_entity *entity, spb_block_kind kind, spb_list *list) {
    spb_outbox *outbox = entity->outbox;
    spb_outbox_block *block = outbox->spare;
    outbox->spare = NULL;
    spb_outbox__adopt(entity, block);
    block->kind = kind;
    block->epoch = spb_flushes__begin(&outbox->flushes);
    block->boot = outbox->is_clock_set ? 0 : outbox->options->boot;
    if (outbox->journal.is_used) {
        spb_list__push(list, &block->of_entity);
    }
    return block;
}

void spb_outbox__add_live(spb_entity *entity, spb_bytes metric, uint64_t timestamp_ms, bool is_patient,
                          const spb_block_limits *limits, spb_time now) {
    spb_outbox *outbox = entity->outbox;
    if (entity->open && !spb_block__takes(entity->open, metric.len, timestamp_ms, limits)) {
        spb_outbox__close_live(entity);
    }
    bool is_new = !entity->open, was_patient = entity->is_patient;
    if (is_new) {
        if (outbox->options->strict_order) { /* it waits for what is ahead of it */
            spb_outbox__close_history(entity);
        }
        entity->open = begin(entity, SPB_BLOCK_LIVE, &entity->unstored);
        entity->open->number = ++entity->begun;
        spb_list__push(&entity->live, &entity->open->of_live);
        spb_list__push(&outbox->open_live, &entity->open->of_state);
    }
    spb_outbox_block *block = entity->open;
    entity->is_patient = is_patient && (is_new || was_patient);
    entity->live_bytes += metric.len;
    outbox->waiting_bytes += metric.len;
    if (spb_block__append(block, metric, timestamp_ms, limits)) {
        spb_outbox__close_live(entity);
    } else if (is_new || (was_patient && !is_patient)) {
        begin_window(entity, now);
        spb_entity__place(entity);
    }
}

size_t spb_outbox__join(spb_entity *entity, const spb_outbox_number *number, size_t most_bytes, size_t unsettled) {
    spb_outbox_block *block = entity->open;
    if (!block || entity->is_patient || spb_outbox__is_over(entity, MOST_NUMBER_BYTES, unsettled)) {
        return 0;
    }
    spb_block_limits limits = spb_outbox__limits(entity, most_bytes);
    size_t begin = block->bytes.len;
    if (!spb_encode__sample(&block->bytes, number->alias, number->timestamp_ms, number->is_transient, number->value) ||
        !spb_block__join(block, begin, number->timestamp_ms, &limits)) {
        return 0;
    }
    size_t bytes = block->bytes.len - begin;
    entity->live_bytes += bytes;
    return bytes;
}

static uint32_t history_window_ms(const spb_outbox *outbox) {
    const spb_session_options *o = outbox->options;
    bool is_durable = outbox->level == SPB_DELIVERY_DURABLE; /* which promises what it promises online, too */
    return is_durable && o->batch_window_ms < o->store_window_ms ? o->batch_window_ms : o->store_window_ms;
}

/* With many entities, open blocks alone would fill the memory: the oldest is closed before its time. */
static void make_room(spb_outbox *outbox) {
    if (outbox->open_history_bytes > MAX_HISTORY_BYTES / 4) {
        spb_outbox__close_history(SPB_LINKED(outbox->open_history.first, spb_outbox_block, of_state)->entity);
    }
}

/* The sample joins the open block, if that takes it, or a new one, which is the last of the list. */
static void add_to(spb_entity *entity, spb_outbox_block **open, spb_list *list, spb_bytes metric, uint64_t timestamp_ms,
                   spb_time now) {
    spb_outbox *outbox = entity->outbox;
    spb_block_limits limits = history_limits(entity);
    /* A live block that was begun after it may have older samples of the same metric. */
    if (*open && ((*open)->of_entity.next || !spb_block__takes(*open, metric.len, timestamp_ms, &limits))) {
        close_one(entity, open);
    }
    if (!*open) {
        if (outbox->options->strict_order) { /* live data that comes later is behind it */
            spb_outbox__close_live(entity);
        }
        *open = begin(entity, SPB_BLOCK_HISTORY, list);
        (*open)->number = entity->begun;
        entity->histories += list == &entity->unstored;
        spb_list__push(&outbox->open_history, &(*open)->of_state);
        spb_deadlines__set(&outbox->opens, &(*open)->timer, now.mono_ms + history_window_ms(outbox));
    }
    outbox->history_bytes += metric.len;
    outbox->open_history_bytes += metric.len;
    if (spb_block__append(*open, metric, timestamp_ms, &limits)) {
        close_one(entity, open);
    }
    make_room(outbox);
}

void spb_outbox__add_history(spb_entity *entity, spb_bytes metric, uint64_t timestamp_ms, spb_time now) {
    add_to(entity, &entity->open_history, &entity->unstored, metric, timestamp_ms, now);
}

void spb_outbox__add_past(spb_entity *entity, spb_bytes metric, uint64_t timestamp_ms, spb_time now) {
    add_to(entity, &entity->open_past, &entity->past, metric, timestamp_ms, now);
}
