/* Decides what happens next: the calendar, the session's own deadline, or a move of one of the actors; carries out what
 * the session wants. What that leads to is left to the actors, whether it was right to the rules. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/allocation.h"
#include "sim/sim.h"

/* More than this from one cause is a busy loop. */
#define MAX_ACTIONS_AT_ONCE 20000
#define MAX_IDLE_TICKS 20
#define IDLE_TICKS_PER_S 3 /* messages count as read, have settled, and were kept long enough */
/* Between the actions of one step. */
#define MAX_MOVES_BETWEEN 30

/* ---- chance ---- */

static uint64_t draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t sim_draw(sim *s) {
    return draw(&s->random);
}

uint32_t sim_below(sim *s, uint32_t limit) {
    return (uint32_t)(sim_draw(s) % limit);
}

uint64_t sim_delay_ms(sim *s) {
    uint32_t kind = sim_below(s, 16);
    return sim_below(s, kind == 0 ? 400 : kind < 8 ? 4 : 30);
}

uint64_t sim_stamp_ms(const sim *s) {
    return s->now.wall_ms < SPB_EARLIEST_MS ? s->now.mono_ms : s->now.wall_ms;
}

bool sim_happens(sim *s, sim_fault fault) {
    return !s->is_calm && sim_below(s, 1000) < s->scenario.permille[fault];
}

/* ---- notes ---- */

void sim_note(sim *s, const char *format, ...) {
    if (!s->trace) {
        return;
    }
    char line[512];
    int head = snprintf(line, sizeof line, "%9llu  ", (unsigned long long)s->now.mono_ms);
    va_list args;
    va_start(args, format);
    vsnprintf(line + head, sizeof line - (size_t)head, format, args);
    va_end(args);
    s->trace(s->trace_context, line);
}

void sim_fail(sim *s, const char *rule, const char *format, ...) {
    if (s->has_failed) {
        return;
    }
    s->has_failed = true;
    snprintf(s->rule, sizeof s->rule, "%s", rule);
    va_list args;
    va_start(args, format);
    vsnprintf(s->failure, sizeof s->failure, format, args);
    va_end(args);
    sim_note(s, "BROKEN %s: %s", s->rule, s->failure);
}

/* ---- memory that may be refused ---- */

void sim_enter(sim *s) {
    unsigned permille = s->is_calm ? 0 : s->scenario.permille[SIM_ALLOCATION_FAILS];
    sim_allocation_arm(&s->allocation_random, permille);
}

bool sim_leave(sim *s) {
    bool has_failed = sim_allocation_disarm();
    if (has_failed) {
        sim_note(s, "  (an allocation failed)");
        s->wire.has_cause = s->wire.has_change = true; /* a birth may repair what could not be sent */
        for (size_t i = 0; i < s->holder_count; i++) {
            s->holders[i].has_cause = true;
        }
    }
    sim_exception_called(s);
    sim_rules_called(s);
    return has_failed;
}

/* ---- the calendar: a heap ---- */

static bool is_before(const sim_event *a, const sim_event *b) {
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

sim_event *sim_later(sim *s, uint64_t delay_ms, void (*happen)(sim *s, sim_event *event)) {
    sim_event *event = calloc(1, sizeof *event);
    if (s->event_count == s->event_capacity) {
        s->event_capacity = s->event_capacity ? s->event_capacity * 2 : 64;
        s->calendar = realloc(s->calendar, s->event_capacity * sizeof *s->calendar);
    }
    if (!event || !s->calendar) {
        abort();
    }
    event->at_ms = s->now.mono_ms + delay_ms;
    event->order = s->event_order++;
    event->happen = happen;
    size_t at = s->event_count++;
    for (; at > 0 && is_before(event, s->calendar[(at - 1) / 2]); at = (at - 1) / 2) {
        s->calendar[at] = s->calendar[(at - 1) / 2];
    }
    s->calendar[at] = event;
    return event;
}

void sim_carry(sim_event *event, const void *payload, size_t len) {
    event->payload = malloc(len + 1);
    if (!event->payload) {
        abort();
    }
    if (len > 0) {
        memcpy(event->payload, payload, len);
    }
    event->payload_len = len;
}

static sim_event *take_first(sim *s) {
    sim_event *first = s->calendar[0], *last = s->calendar[--s->event_count];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < s->event_count) {
        child += child + 1 < s->event_count && is_before(s->calendar[child + 1], s->calendar[child]);
        if (!is_before(s->calendar[child], last)) {
            break;
        }
        s->calendar[at] = s->calendar[child];
        at = child;
    }
    s->calendar[at] = last;
    return first;
}

static void free_event(sim_event *event) {
    free(event->records);
    free(event->payload);
    free(event);
}

/* ---- moves ---- */

static void move(sim *s, bool may_be_abrupt) {
    const sim_scenario *scenario = &s->scenario;
    unsigned at = sim_below(s, scenario->total_weight);
    size_t i = 0;
    for (; at >= scenario->weights[i]; i++) {
        at -= scenario->weights[i];
    }
    if (may_be_abrupt || !scenario->moves[i]->is_abrupt) {
        sim_note(s, "* %s", scenario->moves[i]->name);
        scenario->moves[i]->act(s);
    }
}

/* ---- actions ---- */

static void call_transport(sim *s, const spb_action *action) {
    spb_status status;
    if (action->kind == SPB_ACTION_CONNECT) {
        sim_rules_connect(s, action);
        status = sim_transport_connect(s, &action->as.connect);
    } else if (action->kind == SPB_ACTION_SUBSCRIBE) {
        status = sim_transport_subscribe(s, action->link);
    } else if (action->kind == SPB_ACTION_FENCE) {
        status = sim_transport_fence(s, action->link, action->as.fence.form);
    } else {
        status = sim_transport_publish(s, action->link, &action->as.publish);
    }
    if (status != SPB_OK) {
        sim_note(s, "  refused by the transport");
        if (action->link == s->wire.link) {
            s->wire.is_over = true;
        }
        if (action->kind == SPB_ACTION_CONNECT && spb_session_get_state(s->session) == SPB_SESSION_CONNECTING) {
            sim_rules_unsent(s); /* else it was stopped meanwhile, and does not hear of this */
        }
        sim_enter(s);
        spb_session_on_action_failed(s->session, action->link, status, "refused", s->now);
        sim_leave(s);
    }
}

static void look_at_link(sim *s, uint32_t link) {
    uint64_t left, carried = sim_transport_carried(s, link, &left);
    sim_note(s, "> LOOK: %llu bytes", (unsigned long long)carried);
    sim_fence_see(s, carried, left);
    sim_enter(s);
    spb_session_on_carried(s->session, link, carried, left, s->now);
    sim_leave(s);
}

static void call_store(sim *s, const spb_action *action) {
    if (!s->has_journal) {
        sim_fail(s, "journal", "there is none");
    }
    sim_journal_ask(s, action);
    switch (action->kind) {
    case SPB_ACTION_SAVE_ALIASES:
        sim_journal_save_aliases(s, action->as.aliases.items, action->as.aliases.count);
        break;
    case SPB_ACTION_SAVE_CLOCK: sim_journal_save_clock(s, action->as.clock.boot, action->as.clock.offset_ms); break;
    case SPB_ACTION_APPEND: sim_journal_append(s, &action->as.block); break;
    case SPB_ACTION_CONFIRM: sim_journal_confirm(s, action->as.confirm.first_id, action->as.confirm.last_id); break;
    case SPB_ACTION_KEEP: sim_journal_keep(s, action); break;
    case SPB_ACTION_COMMIT: sim_journal_commit(s); break;
    case SPB_ACTION_EXPIRE: sim_journal_expire(s, action->as.before_ms); break;
    case SPB_ACTION_READ: sim_journal_read(s, action->as.read_from_id); break;
    default: sim_fail(s, "actions", "one of an unknown kind"); break;
    }
}

static void carry_out(sim *s, const spb_action *action) {
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ: sim_store_save(s, action->as.bdseq); break;
    case SPB_ACTION_CONNECT:
    case SPB_ACTION_SUBSCRIBE:
    case SPB_ACTION_FENCE:
    case SPB_ACTION_PUBLISH: call_transport(s, action); break;
    case SPB_ACTION_LOOK: look_at_link(s, action->link); break;
    case SPB_ACTION_DISCONNECT: sim_transport_disconnect(s, action->link); break;
    case SPB_ACTION_CLOSE:
        sim_note(s, "> CLOSE %u", (unsigned)action->link);
        sim_transport_close(s, action->link);
        break;
    case SPB_ACTION_WRITE: sim_application_write(s, action->as.write.metric, &action->as.write.value); break;
    case SPB_ACTION_COMMAND: break;
    case SPB_ACTION_BIRTH_TOO_LARGE: sim_rules_too_large(s, &action->as.birth_too_large); break;
    case SPB_ACTION_STATE: sim_rules_told(s, action->as.state.state); break;
    case SPB_ACTION_LOG:
        sim_note(s, "> LOG %s", action->as.log.text);
        sim_rules_logged(s, action->as.log.text);
        sim_births_logged(s, action->as.log.text);
        break;
    default: call_store(s, action); break;
    }
}

/* The rules see an action in the moment it is pulled: that is when its number was given. */
static void judge(sim *s, const spb_action *action) {
    bool is_of_store = action->kind >= SPB_ACTION_SAVE_ALIASES && action->kind <= SPB_ACTION_READ;
    s->store_actions += is_of_store && action->kind != SPB_ACTION_CONFIRM && action->kind != SPB_ACTION_KEEP &&
                        action->kind != SPB_ACTION_EXPIRE;
    /* These go on in silence; and of what was dropped before, the log tells once in a minute. */
    bool is_quiet =
        action->kind == SPB_ACTION_FENCE || action->kind == SPB_ACTION_LOOK || action->kind == SPB_ACTION_LOG;
    s->actions += !is_quiet && !is_of_store;
    s->idle_ticks = 0;
    if (action->kind == SPB_ACTION_PUBLISH) {
        sim_rules_publish(s, &action->as.publish);
    } else if (action->kind == SPB_ACTION_DISCONNECT) {
        sim_rules_disconnect(s, action);
    } else if (action->kind == SPB_ACTION_FENCE) {
        sim_rules_fence(s, action);
    } else if (action->kind == SPB_ACTION_SUBSCRIBE) {
        sim_rules_subscribe(s, action);
    } else if (action->kind == SPB_ACTION_WRITE || action->kind == SPB_ACTION_COMMAND) {
        if (s->counts.commands_in-- == 0) {
            sim_fail(s, "commands", "more commands were passed on than came in");
        }
    }
}

/* What an action points to must stay as it is until the next one is pulled, whatever is called meanwhile; what is for
 * the store until the answer: see journal.c. */
uint64_t sim_fingerprint(const spb_action *action) {
    uint64_t hash = 0;
    if (action->kind == SPB_ACTION_PUBLISH) {
        spb_value topic = spb_string(action->as.publish.topic);
        spb_value payload = spb_bytes_value(action->as.publish.payload.data, action->as.publish.payload.len);
        hash = sim_hash(&topic) ^ sim_hash(&payload);
    } else if (action->kind == SPB_ACTION_CONNECT) {
        spb_value payload = spb_bytes_value(action->as.connect.will.payload.data, action->as.connect.will.payload.len);
        hash = sim_hash(&payload);
    } else if (action->kind == SPB_ACTION_APPEND) {
        const spb_block *block = &action->as.block;
        spb_value metrics = spb_bytes_value(block->metrics.data, block->metrics.len);
        spb_value device = spb_string_view(SPB_STRING, block->device_id);
        hash = sim_hash(&metrics) ^ sim_hash(&device);
    } else if (action->kind == SPB_ACTION_SAVE_ALIASES) {
        for (size_t i = 0; i < action->as.aliases.count; i++) {
            spb_value name = spb_string_view(SPB_STRING, action->as.aliases.items[i].name);
            hash = hash * 31 + (sim_hash(&name) ^ action->as.aliases.items[i].alias);
        }
    } else if (action->kind == SPB_ACTION_LOG) {
        spb_value text = spb_string(action->as.log.text);
        hash = sim_hash(&text);
    }
    return hash;
}

static void between(sim *s, const spb_action *action) {
    uint64_t before = sim_fingerprint(action);
    move(s, false);
    sim_journal_hurry(s);
    if (sim_fingerprint(action) != before) {
        sim_fail(s, "actions", "what an action points to was changed by another call");
    }
}

/* Moves lead to actions, and moves between actions to more of them: without a limit there is no end. */
static bool has_time_to_move(sim *s) {
    bool has_time = s->moves_between < MAX_MOVES_BETWEEN && sim_happens(s, SIM_PULL_SLOWLY);
    s->moves_between += has_time;
    return has_time;
}

void sim_pump(sim *s) {
    spb_action action;
    unsigned count = 0;
    while (!s->has_failed) {
        sim_exception_ring(s);
        sim_fence_look(s);
        sim_enter(s);
        bool has_action = spb_session_next_action(s->session, s->now, &action);
        sim_leave(s);
        sim_ledger_watch(s);
        if (!has_action) {
            break;
        }
        if (++count > MAX_ACTIONS_AT_ONCE) {
            sim_fail(s, "busy", "more than %d actions at one moment", MAX_ACTIONS_AT_ONCE);
        }
        judge(s, &action);
        if (has_time_to_move(s)) {
            between(s, &action);
        }
        carry_out(s, &action);
        if (has_time_to_move(s)) {
            move(s, false);
        }
    }
    if (s->has_failed) {
        return;
    }
    sim_rules_drained(s);
    uint64_t deadline_ms = spb_session_deadline_ms(s->session);
    s->wake_ms = deadline_ms;
    if (deadline_ms != SPB_NEVER && sim_happens(s, SIM_LATE_TICK)) {
        s->wake_ms += sim_below(s, 500);
    }
}

/* ---- time ---- */

static void advance_to(sim *s, uint64_t mono_ms) {
    s->now.wall_ms += mono_ms - s->now.mono_ms;
    s->now.mono_ms = mono_ms;
}

static void tick(sim *s) {
    s->wake_ms = SPB_NEVER;
    /* By time, messages are confirmed, and leave the window of the host, second by second. */
    bool is_by_time = s->options.confirm == SPB_CONFIRM_WINDOW || s->options.primary_host_id;
    is_by_time &= s->level != SPB_DELIVERY_LIVE;
    is_by_time |= sim_fence_is_without(s); /* so it is at every level then */
    is_by_time |= sim_awaits_clock(s);     /* once in a second the session looks at it */
    s->idle_since_ms = s->idle_ticks == 0 ? s->now.mono_ms : s->idle_since_ms;
    uint64_t idle_s = (s->now.mono_ms - s->idle_since_ms) / 1000;
    uint64_t most = MAX_IDLE_TICKS + (is_by_time ? IDLE_TICKS_PER_S * idle_s : 0);
    if (++s->idle_ticks > most) {
        sim_fail(s, "busy", "%llu ticks in a row without any action", (unsigned long long)most);
    }
    sim_exception_ring(s);
    sim_fence_look(s);
    sim_enter(s);
    spb_session_on_tick(s->session, s->now);
    sim_leave(s);
}

/* A worker takes all events that wait before it looks for actions; and it may have been asleep. */
static void pump_soon(sim *s) {
    if (s->has_failed || s->busy_until_ms != SPB_NEVER) {
        return;
    }
    if (sim_happens(s, SIM_BUSY)) {
        s->busy_until_ms = s->now.mono_ms + sim_below(s, 100);
    } else {
        sim_pump(s);
    }
}

/* Lets everything happen that is due until then. */
void sim_run_until(sim *s, uint64_t end_ms) {
    while (!s->has_failed) {
        uint64_t event_ms = s->event_count > 0 ? s->calendar[0]->at_ms : SPB_NEVER;
        uint64_t next_ms = event_ms < s->wake_ms ? event_ms : s->wake_ms;
        bool is_busy_till_then = s->busy_until_ms < next_ms;
        next_ms = is_busy_till_then ? s->busy_until_ms : next_ms;
        if (next_ms > end_ms) {
            break;
        }
        advance_to(s, next_ms > s->now.mono_ms ? next_ms : s->now.mono_ms);
        if (is_busy_till_then) {
            s->busy_until_ms = SPB_NEVER;
            sim_pump(s);
            continue;
        }
        if (event_ms <= s->wake_ms) {
            sim_event *event = take_first(s);
            if (!event->is_void) {
                event->happen(s, event);
            }
            free_event(event);
        } else {
            tick(s);
        }
        pump_soon(s);
    }
    advance_to(s, end_ms);
}

/* Mostly moments; now and then as long as the timers of a session. */
static uint64_t gap_ms(sim *s) {
    uint32_t kind = sim_below(s, 64);
    uint32_t usual = s->scenario.gap_ms;
    return sim_below(s, kind == 0 ? 30000 : kind < 4 ? 2000 : kind < 24 ? 2 : usual + 1);
}

/* ---- a run ---- */

void sim_run(sim *s, uint64_t seed, uint64_t steps) {
    *s = (sim){.seed = seed,
               .random = seed,
               .trace = s->trace,
               .trace_context = s->trace_context,
               .wanted_level = s->wanted_level};
    sim_draw(s);
    s->allocation_random = sim_draw(s);
    s->now = (spb_time){.mono_ms = sim_below(s, 1000000), .wall_ms = UINT64_C(1700000000000)};
    s->wake_ms = s->busy_until_ms = s->stop_by_ms = s->host_offline_ms = SPB_NEVER;
    s->saving = -1;
    s->host = &s->hosts[0];
    s->state_clock_ms = 1000000 + sim_below(s, 1000000);
    sim_scenario_draw(s);
    s->options = sim_options_draw(s);
    sim_fence_draw(s);
    if (s->has_unset_clocks) { /* nor does anybody know the age of anything */
        s->has_clock_stepped = true;
        s->now.wall_ms = 1000 + sim_below(s, 100000);
    }
    sim_application_begin(s);
    uint64_t storm = 50 + sim_below(s, 200);
    for (s->steps = 1; s->steps <= steps && !s->has_failed; s->steps++) {
        s->moves_between = 0;
        sim_run_until(s, s->now.mono_ms + gap_ms(s));
        if (s->has_failed) {
            break;
        }
        move(s, true);
        pump_soon(s);
        if (s->steps % storm == 0 || s->steps == steps) {
            sim_calm(s);
        }
    }
}

void sim_clear(sim *s) {
    spb_session_free(s->session);
    for (size_t i = 0; i < s->event_count; i++) {
        free_event(s->calendar[i]);
    }
    free(s->calendar);
    sim_broker_clear(s);
    sim_way_clear(s);
    sim_journal_clear(s);
    sim_ledger_clear(s);
    for (size_t i = 0; i < SIM_MAX_HOLDERS; i++) {
        free(s->holders[i].owed);
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        witness_end(&s->metrics[i].witness);
    }
    s->session = NULL;
    s->calendar = NULL;
    s->event_count = 0;
}
