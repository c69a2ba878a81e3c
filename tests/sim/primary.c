/* The primary host application: online or offline on each broker by itself, as its retained STATE says. Now and then it
 * flaps, an old STATE comes late, or somebody else writes garbage. Its clock is its own, and never goes back. */
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

/* To the node, if it is there to hear. */
static void deliver(sim *s, const sim_broker *broker, const sim_state *state, bool retained) {
    if (broker->connection == 0 || !broker->is_subscribed || !s->options.primary_host_id) {
        return;
    }
    sim_event *event = sim_transport_report(s, broker->connection, SPB_TRANSPORT_MESSAGE, SPB_OK, sim_delay_ms(s));
    if (event) {
        snprintf(event->topic, sizeof event->topic, "%s",
                 s->options.legacy_state ? "STATE/" SIM_HOST : SPB_NAMESPACE "/STATE/" SIM_HOST);
        sim_carry(event, state->text, strlen(state->text));
        event->retained = retained;
        event->state = *state;
    }
}

void sim_primary_greet(sim *s, unsigned server) {
    if (s->options.primary_host_id && s->states[server].kind != SIM_STATE_NONE) {
        deliver(s, &s->brokers[server], &s->states[server], true);
    }
}

static sim_state make_state(const sim *s, bool is_online, uint64_t timestamp_ms) {
    sim_state state = {.kind = is_online ? SIM_STATE_ONLINE : SIM_STATE_OFFLINE, .timestamp_ms = timestamp_ms};
    if (s->options.legacy_state) {
        snprintf(state.text, sizeof state.text, "%s", is_online ? "ONLINE" : "OFFLINE");
    } else {
        snprintf(state.text, sizeof state.text, "{\"online\":%s,\"timestamp\":%llu}", is_online ? "true" : "false",
                 (unsigned long long)timestamp_ms);
    }
    return state;
}

static void tell(sim *s, unsigned server, bool is_online, uint64_t timestamp_ms) {
    s->states[server] = make_state(s, is_online, timestamp_ms);
    sim_note(s, "  STATE on server %u: %s", server, s->states[server].text);
    deliver(s, &s->brokers[server], &s->states[server], false);
}

static unsigned any_server(sim *s) {
    return sim_below(s, s->server_count);
}

static void come(sim *s) {
    s->state_clock_ms += 1 + sim_below(s, 1000);
    tell(s, any_server(s), true, s->state_clock_ms);
}

/* Its will has the timestamp of its birth. */
static void go(sim *s) {
    unsigned server = any_server(s);
    s->state_clock_ms += sim_below(s, 2);
    tell(s, server, false, sim_below(s, 2) ? s->states[server].timestamp_ms : s->state_clock_ms);
}

static void flap(sim *s) {
    for (uint32_t n = 1 + sim_below(s, 8); n > 0; n--) {
        bool comes = sim_below(s, 2) == 0;
        (comes ? come : go)(s);
    }
}

/* An earlier will of the host that the broker had forgotten to send; or an earlier birth. */
static void speak_of_old(sim *s) {
    unsigned server = any_server(s);
    uint64_t age_ms = 1 + sim_below(s, 5000);
    bool is_online = sim_below(s, 4) == 0;
    sim_state old = make_state(s, is_online, s->states[server].timestamp_ms - age_ms);
    if (s->states[server].timestamp_ms > age_ms && !s->options.legacy_state) {
        deliver(s, &s->brokers[server], &old, false);
    }
}

static void garble(sim *s) {
    static const char *const texts[] = {"",
                                        "online",
                                        "{\"online\":true}",
                                        "{\"online\":1,\"timestamp\":5}",
                                        "{\"timestamp\":99999999999999}",
                                        "{\"online\":true,\"timestamp\":-1}",
                                        "\xff"};
    sim_state state = {.kind = SIM_STATE_GARBAGE};
    snprintf(state.text, sizeof state.text, "%s", texts[sim_below(s, 7)]);
    deliver(s, &s->brokers[any_server(s)], &state, sim_below(s, 4) == 0);
}

/* It is online on one server, and says so; on the others it is not, and may keep silent if nobody waits for ever. */
void sim_primary_settle(sim *s) {
    unsigned home = any_server(s);
    for (unsigned i = 0; i < s->server_count && s->options.primary_host_id; i++) {
        bool is_silent = s->options.host_wait_ms > 0 && sim_below(s, 4) == 0;
        s->state_clock_ms++;
        if (i == home || !is_silent) {
            tell(s, i, i == home, s->state_clock_ms);
        }
    }
}

const sim_move sim_primary_moves[] = {
    {"the primary host comes", 10, false, come}, {"the primary host goes", 4, false, go},
    {"the primary host flaps", 1, false, flap},  {"an old STATE comes late", 4, false, speak_of_old},
    {"a STATE is garbage", 2, false, garble},    {0}};
