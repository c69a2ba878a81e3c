/* Decides what the edge node under test consists of, and tells what it says. */
#include <stdio.h>
#include <string.h>

#include "chaos/clocks.h"
#include "chaos/edge.h"
#include "chaos/samples.h"

static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    (void)node, (void)user;
    edge_say("state %s", spb_session_state_name(state));
    if (reason) {
        fprintf(stderr, "%s: %s\n", spb_session_state_name(state), reason);
    }
}

static void on_log(spb_log_level level, const char *text, void *user) {
    (void)user;
    uint64_t now = chaos_clock_true_ms();
    fprintf(stderr, "%llu.%03llu %d %s\n", (unsigned long long)(now / 1000), (unsigned long long)(now % 1000),
            (int)level, text);
}

static spb_metric *must(spb_metric *metric, const spb_error *err) {
    return metric ? metric : (edge_die("metric", err->text), NULL);
}

static void add_metric(edge *self, unsigned metric) {
    static const spb_type types[] = {
        [CHAOS_INTEGER] = SPB_INT64, [CHAOS_REAL] = SPB_DOUBLE, [CHAOS_CLOCKED] = SPB_STRING};
    spb_error err = {.text = ""};
    unsigned holder = metric / self->account->per_holder;
    char name[CHAOS_TEXT];
    if (holder > 0 && !self->devices[holder]) {
        chaos_device_name(holder, name);
        self->devices[holder] = spb_node_add_device(self->node, name, &err);
        if (!self->devices[holder]) {
            edge_die("device", err.text);
        }
    }
    chaos_metric_name(metric, name);
    spb_metric_def def = {.name = name, .type = types[chaos_form_of(metric)], .sends_unchanged = true};
    self->metrics[metric] = must(holder > 0 ? spb_device_add_metric(self->devices[holder], &def, &err)
                                            : spb_node_add_metric(self->node, &def, &err),
                                 &err);
}

void edge_node_start(edge *self) {
    spb_error err = {.text = ""};
    self->options.on_state = on_state;
    self->options.on_log = on_log;
    if (spb_node_new(&self->node, &self->options, &err) != SPB_OK) {
        edge_die("spb_node_new", err.text);
    }
    spb_metric_def life = {.name = CHAOS_LIFE, .value = spb_int64((int64_t)self->account->lives - 1)};
    must(spb_node_add_metric(self->node, &life, &err), &err);
    for (unsigned metric = 0; metric < self->account->metrics; metric++) {
        add_metric(self, metric);
    }
    if (spb_node_start(self->node, &err) != SPB_OK) {
        edge_die("spb_node_start", err.text);
    }
}

void edge_node_count(edge *self) {
    spb_stats stats;
    spb_node_stats(self->node, &stats);
    self->life->counts = (chaos_counts){
        .accepted = stats.samples_accepted,
        .confirmed = stats.samples_confirmed,
        .stored = stats.samples_stored,
        .replayed = stats.samples_replayed,
        .resent = stats.samples_resent,
        .dropped_offline = stats.samples_dropped_offline,
        .dropped_overflow = stats.samples_dropped_overflow,
        .dropped_lost = stats.samples_dropped_lost,
        .dropped_choice = stats.samples_dropped_choice,
        .dropped_gone = stats.samples_dropped_gone,
        .dropped_disk = stats.samples_dropped_disk,
        .dropped_by_store = stats.journal.dropped_full + stats.journal.dropped_age + stats.journal.dropped_damage,
    };
}
