/* What the application publishes: devices, metrics and a template, which come and go. */
#include <stdio.h>

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
    spb_value first = (metric->has_rule ? sim_near_value : sim_value)(&space, metric->type, sim_draw(s));
    sim_space spaces[2];
    spb_value choices[] = {sim_value(&spaces[0], metric->type, metric->choice_seed),
                           sim_value(&spaces[1], metric->type, metric->choice_seed + 1)};
    bool is_rich = sim_below(s, 4) == 0;
    uint64_t age_ms = sim_below(s, 100000), stamp_ms = sim_stamp_ms(s);
    spb_metric_def def = {.name = metric->name,
                          .deadband = metric->rule.deadband,
                          .deadband_percent = metric->rule.deadband_percent,
                          .max = metric->rule.range,
                          .min_interval_ms = metric->rule.min_interval_ms,
                          .max_interval_ms = metric->rule.max_interval_ms,
                          .keeps_all = metric->rule.keeps_all,
                          .sends_unchanged = metric->rule.sends_unchanged,
                          .is_urgent = metric->is_urgent,
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
    metric->hash = sim_look(&def.value, SPB_SAMPLE_GOOD);
    metric->timestamp_ms = def.timestamp_ms == SPB_NOW ? stamp_ms : def.timestamp_ms;
    metric->given_alias = spb_metric_alias(metric->handle);
    metric->record = metric->newest = SIM_NO_RECORD;
    sim_exception_define(metric, &def, metric->timestamp_ms);
    metric->first_hash = metric->hash;
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
    sim_exception_draw(s, metric);
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
        device->scan++;
        sim_exception_doubt(s, holder);
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
int sim_model_any(sim *s) {
    int index = s->metric_count > 0 ? (int)sim_below(s, (uint32_t)s->metric_count) : -1;
    return index >= 0 && s->metrics[index].is_removed ? -1 : index;
}

static void forget_metric(sim *s, sim_metric *metric) {
    s->counts.dropped_offline += metric->is_unsent && !metric->witness.is_held;
    s->counts.suppressed += metric->witness.is_held;
    s->counts.has_guessed |= metric->is_unsure;
    if (metric->witness.is_held && metric->record != SIM_NO_RECORD) {
        s->ledger.records[metric->record].is_excused = true;
    }
    metric->witness.is_held = false;
    metric->due_ms = SPB_NEVER;
    metric->is_unsent = metric->is_behind = false;
    metric->is_removed = true;
}

/* Hosts know it from this round of births. */
static bool is_followed(const sim *s, const sim_holder *holder) {
    return s->wire.is_born && !s->wire.is_leaving && holder->is_born && !holder->is_due;
}

static void remove_metric(sim *s) {
    int index = sim_model_any(s);
    if (index < 0) {
        return;
    }
    sim_metric *metric = &s->metrics[index];
    sim_holder *holder = &s->holders[metric->holder];
    sim_note(s, "  %s of %s is removed", metric->name, holder->id);
    sim_exception_release(s, index);
    sim_exception_cut(s);
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
    sim_exception_called(s);
    sim_rules_called(s);
}

static void remove_device(sim *s) {
    unsigned index = sim_below(s, (uint32_t)s->holder_count);
    sim_holder *device = &s->holders[index];
    if (index == 0 || device->is_removed) {
        return;
    }
    sim_note(s, "  %s is removed", device->id);
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].holder == index && !s->metrics[i].is_removed) {
            sim_exception_release(s, (int)i);
        }
    }
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
    sim_exception_called(s);
    sim_rules_called(s);
}

/* ---- devices that blink ---- */

/* A device blinks: it goes and comes, or comes and goes, with samples in between. */
static void blink(sim *s) {
    flip_device(s);
    sim_application_update_much(s);
    for (unsigned holder = 1; holder < s->holder_count && sim_below(s, 4) != 0; holder++) {
        set_online(s, holder, !s->holders[holder].is_online);
        sim_application_update(s);
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
        sim_exception_cut(s);
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

/* ---- a new process ---- */

/* What an application does first. A definition that found no memory is tried again. */
void sim_model_define(sim *s) {
    for (size_t i = 0; i < s->metric_count; i++) { /* without a store, those of a session end with it */
        s->metrics[i].alias = s->has_journal ? sim_rules_saved_alias(s, &s->metrics[i]) : 0;
        s->metrics[i].given_alias = s->metrics[i].alias;
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

/* The first one. */
void sim_model_begin(sim *s) {
    for (uint32_t n = sim_below(s, 4); n > 0; n--) {
        add_device(s);
    }
    for (uint32_t n = sim_below(s, 12); n > 0; n--) {
        add_metric(s);
    }
}

const sim_move sim_model_moves[] = {{"a new metric", 6, false, add_metric},
                                    {"a new device", 3, false, add_device},
                                    {"a metric is removed", 4, false, remove_metric},
                                    {"a device is removed", 1, false, remove_device},
                                    {"a template is defined", 1, false, define_template},
                                    {"a template is removed", 1, false, remove_template},
                                    {"an instance of no template", 1, false, add_wrong_instance},
                                    {"a device comes or goes", 8, false, flip_device},
                                    {"devices blink", 3, false, blink},
                                    {0}};
