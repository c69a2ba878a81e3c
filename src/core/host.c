/* Decides which STATE messages count. What follows from them is left to the session. */
#include "core/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAX_HOST_ID_BYTES 60000 /* with the rest, a topic of MQTT */

spb_status spb_host__init(spb_host *host, const char *host_id, bool is_legacy, spb_error *err) {
    *host = (spb_host){.is_legacy = is_legacy};
    if (!host_id) {
        return SPB_OK;
    }
    spb_status status = spb_id_check(spb_str_from(host_id), "primary host ID", err);
    if (status != SPB_OK) {
        return status;
    }
    size_t len = strlen(host_id);
    if (len > MAX_HOST_ID_BYTES) {
        return spb_error__set(err, SPB_ERR_NAME, "primary host ID of %zu bytes is too long", len);
    }
    const char *root = is_legacy ? "STATE/" : SPB_NAMESPACE "/STATE/";
    host->topic = malloc(strlen(root) + len + 1);
    if (!host->topic) {
        return spb_error__no_memory(err, "a session");
    }
    snprintf(host->topic, strlen(root) + len + 1, "%s%s", root, host_id);
    return SPB_OK;
}

void spb_host__clear(spb_host *host) {
    free(host->topic);
    *host = (spb_host){0};
}

void spb_host__forget(spb_host *host) {
    host->is_known = host->is_online = false;
}

static spb_status parse_legacy(spb_host_state *out, spb_bytes payload, spb_error *err) {
    spb_str text = {(const char *)payload.data, payload.len};
    out->online = spb_str_equal(text, spb_str_from("ONLINE"));
    return out->online || spb_str_equal(text, spb_str_from("OFFLINE"))
               ? SPB_OK
               : spb_error__set(err, SPB_ERR_MALFORMED, "STATE payload is neither ONLINE nor OFFLINE");
}

bool spb_host__is_ahead(uint64_t timestamp_ms, uint64_t wall_ms) {
    return timestamp_ms > wall_ms + SPB_CLOCK_ALLOWANCE_MS;
}

/*
 * tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp: not older than what was accepted before, over
 * reconnects too. But each server by itself, as the host has a timestamp for each of its connections
 * (tck-id-operational-behavior-host-application-multi-server-timestamp).
 *
 * One that is ahead of our clock counts like any other, as it may be that clock which is wrong; but only those that are
 * ahead, too, are old beside it. Else a single message with the largest timestamp would silence the host for ever.
 */
static spb_status check_age(const spb_host_state *state, const spb_server *server, uint64_t wall_ms, spb_error *err) {
    const uint64_t accepted[] = {server->near_ms, server->far_ms};
    bool is_ahead = spb_host__is_ahead(state->timestamp_ms, wall_ms);
    for (size_t i = 0; i < 2; i++) {
        bool counts = is_ahead || !spb_host__is_ahead(accepted[i], wall_ms);
        if (counts && state->timestamp_ms < accepted[i]) {
            return spb_error__set(err, SPB_ERR_REFUSED, "%s of %llu is older than the last STATE, of %llu",
                                  state->online ? "online" : "offline", (unsigned long long)state->timestamp_ms,
                                  (unsigned long long)accepted[i]);
        }
    }
    return SPB_OK;
}

static void remember(spb_server *server, uint64_t timestamp_ms, uint64_t wall_ms) {
    *(spb_host__is_ahead(timestamp_ms, wall_ms) ? &server->far_ms : &server->near_ms) = timestamp_ms;
    server->has_state = true;
    server->state_ms = timestamp_ms;
}

spb_host_news spb_host__judge(spb_host *host, spb_server *server, spb_str topic, spb_bytes payload, uint64_t wall_ms,
                              spb_error *err) {
    spb_host_state state;
    /* tck-id-message-flow-edge-node-birth-publish-phid-wait-id: the whole ID. */
    if (!host->topic || !spb_str_equal(topic, spb_str_from(host->topic))) {
        return SPB_HOST_NONE;
    }
    spb_status status =
        host->is_legacy ? parse_legacy(&state, payload, err) : spb_host_state_parse(&state, payload, err);
    if (status == SPB_OK && !host->is_legacy) {
        status = check_age(&state, server, wall_ms, err);
    }
    if (status != SPB_OK) {
        return SPB_HOST_IGNORED;
    }
    if (!host->is_legacy) {
        remember(server, state.timestamp_ms, wall_ms);
    }
    host->is_known = true;
    host->is_online = state.online;
    return state.online ? SPB_HOST_ONLINE : SPB_HOST_OFFLINE;
}
