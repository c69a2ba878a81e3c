/* Decides what kind of run a seed is: which moves are frequent, which faults exist, and how the session is set up. Runs
 * that leave some faults out reach states that a mixture of everything never does. */
#include "sim/sim.h"

static const sim_move *const actors[] = {
    sim_application_moves, sim_model_moves,   sim_transport_moves, sim_host_moves,      sim_process_moves,
    sim_primary_moves,     sim_journal_moves, sim_broker_moves,    sim_exception_moves, sim_fence_moves};

/* The highest chance that a run may give to a fault, in 1/1000. */
static const unsigned highest[SIM_FAULT_COUNT] = {[SIM_CONNECT_REFUSED] = 300,
                                                  [SIM_CONNECT_SILENT] = 150,
                                                  [SIM_CONNECT_TIMES_OUT] = 150,
                                                  [SIM_CONNECT_LATE] = 200,
                                                  [SIM_CALL_REFUSED] = 100,
                                                  [SIM_SUBSCRIBE_REFUSED] = 200,
                                                  [SIM_SUBSCRIBE_SILENT] = 100,
                                                  [SIM_PUBLISH_REFUSED] = 30,
                                                  [SIM_DUPLICATE_CALLBACK] = 200,
                                                  [SIM_REORDERED_CALLBACK] = 200,
                                                  [SIM_STALE_CALLBACK] = 1000,
                                                  [SIM_SLOW_WRITE] = 400,
                                                  [SIM_DEATH_UNNOTICED] = 1000,
                                                  [SIM_KEEP_ALIVE] = 500,
                                                  [SIM_SAVE_FAILS] = 300,
                                                  [SIM_SAVE_SLOW] = 500,
                                                  [SIM_LATE_TICK] = 300,
                                                  [SIM_ALLOCATION_FAILS] = 15,
                                                  [SIM_BUSY] = 200,
                                                  [SIM_PULL_SLOWLY] = 200,
                                                  [SIM_HOST_MISSES] = 60,
                                                  [SIM_APPEND_FAILS] = 100,
                                                  [SIM_COMMIT_FAILS] = 100,
                                                  [SIM_READ_FAILS] = 100,
                                                  [SIM_STORE_SLOW] = 300};

static void add_actor(sim_scenario *scenario, const sim_move *moves) {
    for (; moves->act; moves++) {
        scenario->moves[scenario->move_count++] = moves;
    }
}

void sim_scenario_draw(sim *s) {
    static const unsigned scales[] = {0, 1, 1, 2, 8};
    static const unsigned gaps[] = {1, 10, 50, 400};
    sim_scenario *scenario = &s->scenario;
    for (size_t i = 0; i < sizeof actors / sizeof *actors; i++) {
        add_actor(scenario, actors[i]);
    }
    for (size_t i = 0; i < scenario->move_count; i++) {
        unsigned weight = scenario->moves[i]->weight * scales[sim_below(s, 5)];
        scenario->weights[i] = weight;
        scenario->total_weight += weight;
    }
    scenario->weights[0]++; /* never nothing at all */
    scenario->total_weight++;
    for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
        scenario->permille[i] = sim_below(s, 2) == 0 ? 0 : sim_below(s, highest[i] + 1);
    }
    scenario->gap_ms = gaps[sim_below(s, 4)];
    bool is_large = sim_below(s, 16) == 0;
    s->max_metrics = is_large ? SIM_MAX_METRICS : 30;
    s->has_rules = scenario->permille[SIM_ALLOCATION_FAILS] == 0 && sim_below(s, 4) != 0;
    s->max_holders = is_large ? SIM_MAX_HOLDERS : 6;
}

static uint32_t one_of(sim *s, const uint32_t *items, uint32_t count) {
    return items[sim_below(s, count)];
}

#define ONE_OF(s, ...) one_of(s, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static void delivery_draw(sim *s, spb_session_options *o) {
    s->has_journal = sim_below(s, 4) != 0;
    o->delivery = (spb_delivery)ONE_OF(s, SPB_DELIVERY_AUTO, SPB_DELIVERY_LIVE, SPB_DELIVERY_OUTAGE,
                                       SPB_DELIVERY_OUTAGE, SPB_DELIVERY_DURABLE, SPB_DELIVERY_DURABLE);
    if (s->wanted_level != SPB_DELIVERY_AUTO) {
        o->delivery = s->wanted_level;
        s->has_journal |= s->wanted_level != SPB_DELIVERY_LIVE;
    }
    s->level = !s->has_journal                    ? SPB_DELIVERY_LIVE
               : o->delivery == SPB_DELIVERY_AUTO ? SPB_DELIVERY_OUTAGE
                                                  : o->delivery;
    o->confirm = sim_below(s, 8) == 0 ? SPB_CONFIRM_WINDOW : SPB_CONFIRM_FENCE;
    o->max_unconfirmed_bytes = ONE_OF(s, 65536, 65536, 1 << 20);
    o->store_window_ms = ONE_OF(s, 0, 10, 1000, 5000);
    o->host_window_ms = ONE_OF(s, UINT32_MAX, UINT32_MAX, 0, 5000);
    o->replay_samples_per_s = ONE_OF(s, 0, 50, 1000, 100000);
    o->replay_bytes_per_s = ONE_OF(s, 0, 0, 20000, 1000000);
    o->max_sample_age_s = ONE_OF(s, 0, 0, 0, 100);
    o->fence_within_ms = (const uint32_t[]){0, 1000, 10000, 60000}[(s->seed * UINT64_C(0xd1b54a32d192ed03)) >> 62];
    o->settle_ms = (const uint32_t[]){0, 500, 500, 5000}[(s->seed * UINT64_C(0x9e3779b97f4a7c15)) >> 62];
    o->resend_on_rebirth_ms = (const uint32_t[]){0, 0, 1000, 30000}[(s->seed * UINT64_C(0xbf58476d1ce4e5b9)) >> 62];
    o->strict_order = s->level != SPB_DELIVERY_LIVE && (s->seed * UINT64_C(0x9e3779b97f4a7c15) >> 60) % 3 == 0;
    s->journal.max_bytes = ONE_OF(s, 1 << 20, 1 << 20, 1 << 20, 20000);
    s->journal.drops_newest = sim_below(s, 2) == 0;
    s->journal.is_apart = (s->seed * UINT64_C(0x94d049bb133111eb)) >> 63;
    s->has_unset_clocks = s->has_journal && sim_below(s, 6) == 0;
    o->clock_wait_s = (const uint32_t[]){0, 0, 10, 600}[(s->seed * UINT64_C(0xa0761d6478bd642f)) >> 62];
    s->bytes_per_s =
        (const uint32_t[]){0, 0, 0, 0, 0, 1200, 8000, 32000}[(s->seed * UINT64_C(0xd6e8feb86659fd93)) >> 61];
    sim_note(s, "level %d, confirm %d, keep-alive %u s, window %u ms, %zu bytes, store window %u ms, host window %u ms",
             (int)s->level, (int)o->confirm, o->keep_alive_s, o->batch_window_ms, o->batch_max_bytes,
             o->store_window_ms, o->host_window_ms);
    sim_note(s,
             "replay %u samples/s, %u bytes/s, age %u s, journal of %llu bytes, settle time %u ms, resend %u ms, clock "
             "wait %u s%s",
             o->replay_samples_per_s, o->replay_bytes_per_s, o->max_sample_age_s,
             (unsigned long long)s->journal.max_bytes, o->settle_ms, o->resend_on_rebirth_ms, o->clock_wait_s,
             o->strict_order ? ", strict order" : "");
    sim_note(s, "the link carries %u bytes/s", s->bytes_per_s);
}

spb_session_options sim_options_draw(sim *s) {
    spb_session_options o = SPB_SESSION_OPTIONS_INIT;
    static const char *const lists[] = {"mqtt://first", "mqtt://first, mqtt://second",
                                        "mqtt://first,mqtt://second , mqtt://third"};
    s->server_count = ONE_OF(s, 1, 1, 2, 3);
    o.servers = lists[s->server_count - 1];
    o.primary_host_id = sim_below(s, 2) == 0 ? SIM_HOST : NULL;
    o.legacy_state = sim_below(s, 4) == 0;
    o.next_server_metric = sim_below(s, 3) == 0;
    s->has_packet_limits = sim_below(s, 6) == 0;
    o.host_wait_ms = ONE_OF(s, 0, 200, 5000);
    o.group_id = SIM_GROUP;
    o.node_id = SIM_NODE;
    o.keep_alive_s = ONE_OF(s, 1, 5, 30);
    o.connect_timeout_ms = ONE_OF(s, 100, 1000, 10000);
    o.reconnect_min_ms = ONE_OF(s, 10, 200, 1000);
    o.reconnect_max_ms = ONE_OF(s, 1000, 5000, 60000);
    o.batch_window_ms = ONE_OF(s, 0, 1, 100, 1000);
    o.batch_max_bytes = ONE_OF(s, 1, 60, 500, 65536);
    o.batch_max_samples = ONE_OF(s, 1, 3, 10000, 10000);
    o.max_in_flight = ONE_OF(s, 1, 2, 5, 64);
    o.rebirth_window_ms = ONE_OF(s, 0, 0, 20, 1000, 5000);
    o.no_aliases = sim_below(s, 5) == 0;
    s->has_stored = sim_below(s, 2) == 0;
    s->stored_bdseq = (uint8_t)ONE_OF(s, 0, 7, 250, 254, 255);
    delivery_draw(s, &o);
    if (s->has_rules &&
        s->level != SPB_DELIVERY_LIVE) { /* what overflows into the journal is sent besides, some time */
        o.batch_max_bytes = 65536;
    }
    return o;
}
