/* The application: adds devices and metrics, updates values, answers writes, starts and stops; its clock may step. */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

/* The value of a metric that is defined: one that a restart can repeat is not needed, any will do. */
static spb_status never_called(spb_metric *metric, spb_value *value, void *user) {
    (void)metric;
    (void)value;
    (void)user;
    return SPB_ERR_REFUSED;
}

/* ---- devices and metrics ---- */

static bool define_metric(sim *s, unsigned holder, int index) {
    sim_metric *metric = &s->metrics[index];
    sim_space space;
    spb_property property = {.key = spb_str_from("Colour"), .value = spb_string("red")};
    spb_value first = sim_value(&space, metric->type, sim_draw(s));
    sim_space spaces[2];
    spb_value choices[] = {sim_value(&spaces[0], metric->type, metric->choice_seed),
                           sim_value(&spaces[1], metric->type, metric->choice_seed + 1)};
    bool is_rich = sim_below(s, 4) == 0;
    uint64_t age_ms = sim_below(s, 100000), stamp_ms = sim_stamp_ms(s);
    spb_metric_def def = {.name = metric->name,
                          .type = metric->type,
                          .value = first,
                          .timestamp_ms = age_ms % 2 == 0 || age_ms >= stamp_ms ? SPB_NOW : stamp_ms - age_ms,
                          .unit = is_rich ? "mm" : NULL,
                          .description = is_rich ? "what it is" : NULL,
                          .properties = &property,
                          .property_count = is_rich,
                          .choices = choices,
                          .choice_count = metric->choice_seed != 0 ? 2 : 0,
                          .max_command_age_ms = metric->has_age_limit ? SIM_MAX_COMMAND_AGE_MS : 0,
                          .keep = metric->keep,
                          .on_write = metric->is_writable ? never_called : NULL};
    spb_error err;
    sim_enter(s);
    spb_status status =
        spb_session_add_metric(s->session, &metric->handle, s->holders[holder].handle, &def, s->now, &err);
    bool is_short = sim_leave(s);
    if (status != SPB_OK) {
        if (!is_short || status != SPB_ERR_NO_MEMORY || metric->handle) {
            sim_fail(s, "call", "add_metric %s: %s", metric->name, spb_status_name(status));
        }
        return false;
    }
    metric->holder = holder;
    metric->hash = sim_hash(&def.value);
    metric->timestamp_ms = def.timestamp_ms == SPB_NOW ? stamp_ms : def.timestamp_ms;
    metric->given_alias = spb_metric_alias(metric->handle);
    metric->record = SIM_NO_RECORD;
    metric->in_birth = metric->is_unsent = metric->is_behind = false;
    if (holder == 0) {
        s->wire.has_cause = s->wire.has_change = true;
    } else {
        s->holders[holder].has_cause = true;
    }
    return true;
}

static void add_metric_to(sim *s, unsigned holder) {
    int index = (int)s->metric_count;
    if (s->metric_count == s->max_metrics) {
        return;
    }
    sim_metric *metric = &s->metrics[index];
    snprintf(metric->name, sizeof metric->name, "%sm%d", sim_below(s, 4) == 0 ? "Line 1/Press/" : "", index);
    metric->type = sim_type(sim_draw(s));
    bool is_plain = metric->type == SPB_INT64 || metric->type == SPB_STRING || metric->type == SPB_DOUBLE;
    metric->is_writable = sim_below(s, 3) == 0;
    metric->choice_seed = is_plain && sim_below(s, 3) == 0 ? 2 + 11 * sim_below(s, 50) : 0;
    metric->has_age_limit = is_plain && metric->type != SPB_STRING && sim_below(s, 3) == 0;
    metric->keep = sim_below(s, 4) == 0 ? (spb_keep)sim_below(s, 3) : SPB_KEEP_ALL;
    s->metric_count += define_metric(s, holder, index);
}

static bool define_device(sim *s, unsigned holder) {
    sim_holder *device = &s->holders[holder];
    spb_error err;
    sim_enter(s);
    spb_status status = spb_session_add_device(s->session, &device->handle, device->id, s->now, &err);
    bool is_short = sim_leave(s);
    if (status != SPB_OK) {
        if (!is_short || status != SPB_ERR_NO_MEMORY || device->handle) {
            sim_fail(s, "call", "add_device %s: %s", device->id, spb_status_name(status));
        }
        return false;
    }
    device->is_online = device->has_cause = true;
    return true;
}

static void add_device(sim *s) {
    unsigned holder = (unsigned)s->holder_count;
    if (s->holder_count == s->max_holders) {
        return;
    }
    snprintf(s->holders[holder].id, sizeof s->holders[holder].id, "D%u", holder);
    s->holder_count += define_device(s, holder);
}

static void add_metric(sim *s) {
    unsigned holder = sim_below(s, (uint32_t)s->holder_count);
    if (!s->holders[holder].is_removed) {
        add_metric_to(s, holder);
    }
}

static void set_online(sim *s, unsigned holder, bool is_online) {
    sim_holder *device = &s->holders[holder];
    if (device->is_online == is_online || device->is_removed) {
        return;
    }
    device->is_online = is_online;
    if (is_online) {
        device->has_cause = true;
    } else if (device->is_born) {
        device->is_dying = true;
        device->may_lose |= device->is_due;
    }
    if (!is_online) {
        device->is_due = false;
    }
    if (!is_online && !device->is_born) { /* no birth will follow that these could follow */
        sim_rules_drop_owed(s, holder);
    }
    sim_note(s, "  %s is %s", device->id, is_online ? "online" : "offline");
    spb_session_set_device_online(s->session, device->handle, is_online, s->now);
    sim_rules_called(s);
}

static void flip_device(sim *s) {
    if (s->holder_count > 1) {
        unsigned holder = 1 + sim_below(s, (uint32_t)s->holder_count - 1);
        set_online(s, holder, !s->holders[holder].is_online);
    }
}

/* ---- what is removed ---- */

/* -1: none, or one that was removed. */
static int any_metric(sim *s) {
    int index = s->metric_count > 0 ? (int)sim_below(s, (uint32_t)s->metric_count) : -1;
    return index >= 0 && s->metrics[index].is_removed ? -1 : index;
}

static void forget_metric(sim *s, sim_metric *metric) {
    s->counts.dropped_offline += metric->is_unsent;
    metric->is_unsent = metric->is_behind = false;
    metric->is_removed = true;
}

/* Hosts know it from this round of births. */
static bool is_followed(const sim *s, const sim_holder *holder) {
    return s->wire.is_born && !s->wire.is_leaving && holder->is_born && !holder->is_due;
}

static void remove_metric(sim *s) {
    int index = any_metric(s);
    if (index < 0) {
        return;
    }
    sim_metric *metric = &s->metrics[index];
    sim_holder *holder = &s->holders[metric->holder];
    sim_note(s, "  %s of %s is removed", metric->name, holder->id);
    if (holder->may_lose || spb_session_get_state(s->session) == SPB_SESSION_STOPPING) {
        sim_rules_doubt_owed(s, metric->holder);
    } else if (!is_followed(s, holder)) {
        sim_rules_drop_owed(s, metric->holder);
    }
    holder->is_flushing = true;
    forget_metric(s, metric);
    if (metric->holder == 0) {
        s->wire.has_cause = s->wire.has_change = true;
    } else {
        holder->has_cause = true;
    }
    spb_session_remove_metric(s->session, metric->handle, s->now);
    sim_rules_called(s);
}

static void remove_device(sim *s) {
    unsigned index = sim_below(s, (uint32_t)s->holder_count);
    sim_holder *device = &s->holders[index];
    if (index == 0 || device->is_removed) {
        return;
    }
    sim_note(s, "  %s is removed", device->id);
    if (is_followed(s, device) && !device->may_lose) {
        device->is_dying = true;
    } else if (device->may_lose || spb_session_get_state(s->session) == SPB_SESSION_STOPPING) {
        sim_rules_doubt_owed(s, index);
    } else {
        sim_rules_drop_owed(s, index);
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].holder == index && !s->metrics[i].is_removed) {
            forget_metric(s, &s->metrics[i]);
        }
    }
    device->is_removed = true;
    device->is_online = device->is_due = device->has_cause = false;
    spb_session_remove_device(s->session, device->handle, s->now);
    sim_rules_called(s);
}

/* ---- values ---- */

static uint64_t draw_timestamp(sim *s, const sim_metric *metric) {
    uint64_t stamp_ms = sim_stamp_ms(s), age_ms;
    switch (sim_below(s, 10)) {
    case 0: age_ms = sim_below(s, 60000); return age_ms < stamp_ms ? stamp_ms - age_ms : SPB_NOW;
    case 1: return metric->timestamp_ms;
    case 2: return stamp_ms + sim_below(s, 1000);
    case 3: return stamp_ms;
    default: return SPB_NOW;
    }
}

static void update_metric(sim *s, int index) {
    sim_metric *metric = &s->metrics[index];
    sim_space space;
    spb_stats before;
    spb_value value = sim_value(&space, metric->type, sim_draw(s));
    uint64_t timestamp_ms = draw_timestamp(s, metric);
    uint64_t stamp_ms = timestamp_ms == SPB_NOW ? sim_stamp_ms(s) : timestamp_ms;
    if (sim_ledger_find(s, index, sim_hash(&value), stamp_ms) != SIM_NO_RECORD) {
        return; /* nobody could tell the two apart */
    }
    spb_session_stats(s->session, &before);
    sim_enter(s);
    spb_status status = spb_session_update(s->session, metric->handle, &value, timestamp_ms, s->now);
    bool is_short = sim_leave(s);
    if (status == SPB_OK) {
        sim_rules_accepted(s, index, &value, stamp_ms, &before);
    } else if (!is_short || status != SPB_ERR_NO_MEMORY) {
        sim_fail(s, "call", "update of %s: %s", metric->name, spb_status_name(status));
    }
}

void sim_application_update(sim *s) {
    int index = any_metric(s);
    if (index >= 0) {
        update_metric(s, index);
    }
}

void sim_application_update_much(sim *s) {
    for (uint32_t n = sim_below(s, 60); n > 0; n--) {
        sim_application_update(s);
    }
}

/* A device blinks: it goes and comes, or comes and goes, with samples in between. */
static void blink(sim *s) {
    flip_device(s);
    sim_application_update_much(s);
    for (unsigned holder = 1; holder < s->holder_count && sim_below(s, 4) != 0; holder++) {
        set_online(s, holder, !s->holders[holder].is_online);
        sim_application_update(s);
    }
}

static void update_wrongly(sim *s) {
    int index = any_metric(s);
    if (index >= 0) {
        const sim_metric *metric = &s->metrics[index];
        spb_value value = spb_null(metric->type == SPB_INT8 ? SPB_INT16 : SPB_INT8);
        spb_status status = spb_session_update(s->session, metric->handle, &value, SPB_NOW, s->now);
        if (status != SPB_ERR_TYPE) {
            sim_fail(s, "call", "a value of another datatype: %s", spb_status_name(status));
        }
    }
}

/* ---- writes ---- */

/* The memory of one that was removed may serve a later one; the name tells them apart. */
static int index_of(const sim *s, const spb_metric *handle) {
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].handle == handle && strcmp(s->metrics[i].name, spb_metric_name(handle)) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void answer_write(sim *s, int index, spb_status status, const spb_value *value) {
    spb_stats before, after;
    if (sim_ledger_find(s, index, sim_hash(value), sim_stamp_ms(s)) != SIM_NO_RECORD) {
        status = SPB_ERR_REFUSED; /* as above */
    }
    spb_session_stats(s->session, &before);
    sim_enter(s);
    spb_session_on_write_done(s->session, s->metrics[index].handle, status, value, s->now);
    sim_leave(s);
    spb_session_stats(s->session, &after);
    if (after.samples_accepted > before.samples_accepted) {
        s->counts.writes_accepted++;
        sim_rules_accepted(s, index, value, sim_stamp_ms(s), &before);
    } else if (after.commands_refused != before.commands_refused + 1) {
        sim_fail(s, "commands", "a write was neither accepted nor refused");
    }
}

static void answer_later(sim *s, sim_event *event) {
    sim_space space;
    spb_value value = sim_value(&space, s->metrics[event->metric].type, sim_draw(s));
    sim_note(s, "< the application answers a write of %s", s->metrics[event->metric].name);
    answer_write(s, event->metric, event->status, &value);
}

/* Neither too old nor another value than the metric takes. */
static void judge_write(sim *s, const sim_metric *metric, const spb_value *wanted) {
    sim_space space;
    uint64_t hash = sim_hash(wanted);
    for (uint64_t seed = SIM_OLD_SEED; seed <= (s->has_clock_stepped ? SIM_OLD_SEED : SIM_STALE_SEED); seed++) {
        spb_value old = sim_value(&space, metric->type, seed);
        if (metric->has_age_limit && hash == sim_hash(&old)) {
            sim_fail(s, "commands", "a command on %s that is too old was passed on", metric->name);
        }
    }
    for (unsigned i = 0; i < 2 && metric->choice_seed != 0; i++) {
        spb_value choice = sim_value(&space, metric->type, metric->choice_seed + i);
        if (hash == sim_hash(&choice)) {
            return;
        }
    }
    if (metric->choice_seed != 0) {
        sim_fail(s, "commands", "%s was written with none of its choices", metric->name);
    }
}

void sim_application_write(sim *s, spb_metric *handle, const spb_value *wanted) {
    int index = index_of(s, handle);
    sim_note(s, "> WRITE %s", index < 0 ? "?" : s->metrics[index].name);
    if (index < 0 || !s->metrics[index].is_writable || wanted->type != s->metrics[index].type) {
        sim_fail(s, "commands", "WRITE of what cannot be written, or with another datatype");
        return;
    }
    judge_write(s, &s->metrics[index], wanted);
    spb_status status = sim_below(s, 4) == 0 ? SPB_ERR_REFUSED : SPB_OK;
    uint32_t manner = sim_below(s, 4);
    if (manner == 0 && !s->is_calm) {
        sim_event *event = sim_later(s, sim_below(s, 1000), answer_later);
        event->metric = index;
        event->status = status;
        event->of_process = true;
    } else {
        sim_space space;
        spb_value other = sim_value(&space, s->metrics[index].type, sim_draw(s));
        answer_write(s, index, status, manner == 1 ? &other : wanted);
    }
}

/* ---- a template ---- */

static void define_template(sim *s) {
    spb_payload_metric member = {.name = spb_str_from("Speed"), .value = spb_double(0)};
    spb_template definition = {.is_definition = true, .metrics = &member, .metric_count = 1};
    spb_error err;
    sim_enter(s);
    spb_status status = spb_session_add_template(s->session, SIM_TEMPLATE, &definition, s->now, &err);
    bool is_short = sim_leave(s);
    if (status != (s->has_template ? SPB_ERR_EXISTS : SPB_OK) && (!is_short || status != SPB_ERR_NO_MEMORY)) {
        sim_fail(s, "call", "add_template: %s", spb_status_name(status));
    }
    if (status == SPB_OK) {
        s->has_template = true;
        s->wire.lacks_template = s->wire.has_cause = s->wire.has_change = true;
    }
}

static void remove_template(sim *s) {
    spb_status status = spb_session_remove_template(s->session, SIM_TEMPLATE, s->now, NULL);
    sim_rules_called(s);
    if (status != (s->has_template ? SPB_OK : SPB_ERR_NOT_FOUND)) {
        sim_fail(s, "call", "remove_template: %s", spb_status_name(status));
    }
    if (status == SPB_OK) {
        s->has_template = false;
        s->holders[0].is_flushing = true;
        s->wire.lacks_template = s->wire.has_cause = s->wire.has_change = true;
    }
}

/* An instance of what is not defined has no place (tck-id-payloads-template-definition-nbirth). */
static void add_wrong_instance(sim *s) {
    spb_payload_metric member = {.name = spb_str_from("Speed"), .value = spb_double(1)};
    spb_template instance = {.template_ref = spb_str_from("Unknown"), .metrics = &member, .metric_count = 1};
    spb_metric_def def = {.name = "instance", .value = {.type = SPB_TEMPLATE, .as.tmpl = &instance}};
    spb_metric *metric;
    spb_status status = spb_session_add_metric(s->session, &metric, NULL, &def, s->now, NULL);
    if (status != SPB_ERR_NOT_FOUND || metric) {
        sim_fail(s, "template", "an instance of an unknown template: %s", spb_status_name(status));
    }
}

/* ---- start and stop ---- */

void sim_application_start(sim *s) {
    s->wants_up = true;
    s->attempts = spb_session_get_state(s->session) == SPB_SESSION_STOPPED ? 0 : s->attempts;
    sim_enter(s);
    spb_session_start(s->session, s->now);
    sim_leave(s);
}

void sim_application_stop(sim *s, uint32_t timeout_ms) {
    s->wants_up = false;
    sim_note(s, "  within %u ms", (unsigned)timeout_ms);
    uint64_t end_ms = s->now.mono_ms + timeout_ms;
    s->stop_by_ms = end_ms < s->stop_by_ms ? end_ms : s->stop_by_ms;
    sim_enter(s);
    spb_session_stop(s->session, timeout_ms, s->now);
    sim_leave(s);
}

static void stop(sim *s) {
    static const uint32_t timeouts[] = {0, 1, 50, 1000, 10000};
    sim_application_stop(s, timeouts[sim_below(s, 5)]);
}

static void ask_for_rebirth(sim *s) {
    spb_session_state state = spb_session_get_state(s->session);
    bool is_connected = state >= SPB_SESSION_SUBSCRIBING && state <= SPB_SESSION_ONLINE;
    spb_session_rebirth(s->session, s->now);
    s->wire.has_cause |= s->wire.is_born;
    s->wire.wants_birth |= is_connected;
}

static void tick(sim *s) {
    sim_enter(s);
    spb_session_on_tick(s->session, s->now);
    sim_leave(s);
}

static void set_clock(sim *s) {
    if (s->now.wall_ms >= SPB_EARLIEST_MS) {
        return;
    }
    s->now.wall_ms = UINT64_C(1700000000000) + s->now.mono_ms + sim_below(s, 1000000);
    s->has_clock_stepped = true;
    s->clock_offset_ms = (int64_t)(s->now.wall_ms - s->now.mono_ms);
    tick(s);
    for (size_t i = 0; i < s->metric_count; i++) {
        sim_metric *metric = &s->metrics[i];
        metric->timestamp_ms += metric->timestamp_ms < SPB_EARLIEST_MS ? (uint64_t)s->clock_offset_ms : 0;
    }
    s->wire.has_cause = s->wire.has_change = true;
    for (size_t i = 0; i < s->holder_count; i++) {
        s->holders[i].has_cause = true;
    }
}

static void flush(sim *s) {
    sim_enter(s);
    uint64_t ticket = spb_session_flush(s->session, s->now);
    sim_leave(s);
    if (s->level != SPB_DELIVERY_LIVE) {
        sim_flush_begin(s, ticket);
    }
}

static void step_clock(sim *s) {
    if (s->now.wall_ms < SPB_EARLIEST_MS) {
        return;
    }
    uint64_t step_ms = sim_below(s, 2) == 0 ? sim_below(s, 3000) : sim_below(s, 100000000);
    s->has_clock_stepped = true;
    s->now.wall_ms = sim_below(s, 2) == 0 ? s->now.wall_ms + step_ms : s->now.wall_ms - step_ms;
}

const sim_move sim_application_moves[] = {{"update", 120, false, sim_application_update},
                                          {"many updates", 10, false, sim_application_update_much},
                                          {"an update of another datatype", 1, false, update_wrongly},
                                          {"a new metric", 6, false, add_metric},
                                          {"a new device", 3, false, add_device},
                                          {"a metric is removed", 4, false, remove_metric},
                                          {"a device is removed", 1, false, remove_device},
                                          {"a template is defined", 1, false, define_template},
                                          {"a template is removed", 1, false, remove_template},
                                          {"an instance of no template", 1, false, add_wrong_instance},
                                          {"a device comes or goes", 8, false, flip_device},
                                          {"devices blink", 3, false, blink},
                                          {"start", 10, false, sim_application_start},
                                          {"stop", 3, false, stop},
                                          {"the application asks for a rebirth", 2, false, ask_for_rebirth},
                                          {"tick", 3, false, tick},
                                          {"the wall clock steps", 3, false, step_clock},
                                          {"the wall clock is set", 2, false, set_clock},
                                          {"flush", 4, false, flush},
                                          {0}};

/* ---- a new process ---- */

/* What an application does first. A definition that found no memory is tried again. */
static void define_all(sim *s) {
    for (size_t i = 0; i < s->metric_count; i++) { /* without a store, those of a session end with it */
        s->metrics[i].alias = s->has_journal ? sim_rules_saved_alias(s, &s->metrics[i]) : 0;
    }
    for (unsigned i = 1; i < s->holder_count; i++) {
        bool is_online = s->holders[i].is_online;
        while (!s->has_failed && !s->holders[i].is_removed && !define_device(s, i)) {
        }
        set_online(s, i, is_online);
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        while (!s->has_failed && !s->metrics[i].is_removed && !define_metric(s, s->metrics[i].holder, (int)i)) {
        }
    }
}

void sim_application_begin(sim *s) {
    bool is_first = s->holder_count == 0;
    if (is_first) {
        s->holder_count = 1; /* the node */
        s->holders[0].is_online = true;
    }
    sim_process_begin(s);
    if (s->has_failed) {
        return;
    }
    define_all(s);
    for (uint32_t n = is_first ? sim_below(s, 4) : 0; n > 0; n--) {
        add_device(s);
    }
    for (uint32_t n = is_first ? sim_below(s, 12) : 0; n > 0; n--) {
        add_metric(s);
    }
    if (s->wants_up || sim_below(s, 4) != 0) {
        sim_application_start(s);
    }
}
