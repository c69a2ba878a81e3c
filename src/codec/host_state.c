/*
 * Decides how the JSON of a STATE message is read and written. Whether a message counts (its timestamp against the last
 * accepted one, its host) is left to the session.
 */
#include <spb/topic.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define MAX_STATE_BYTES 4096
#define MAX_STATE_DEPTH 32

/* jansson recurses up to 2048 levels, which a small thread stack does not bear. */
static bool is_too_deep(spb_bytes json) {
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        uint8_t c = json.data[i];
        if (c == '"') {
            in_string = !in_string;
        } else if (in_string) {
            i += c == '\\';
        } else if (c == '[' || c == '{') {
            if (++depth > MAX_STATE_DEPTH) {
                return true;
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

/* The parser's own words may repeat the input, control characters and all, so they are not passed on. */
static spb_status not_json(const json_error_t *error, spb_error *err) {
    size_t offset = error->position >= 0 ? (size_t)error->position : SPB_NO_OFFSET;
    switch (json_error_code(error)) {
    case json_error_out_of_memory: return spb_error__no_memory(err, "a STATE payload");
    case json_error_duplicate_key:
        return spb_error__set_at(err, SPB_ERR_MALFORMED, offset, "STATE payload has the same key twice");
    case json_error_numeric_overflow:
        return spb_error__set_at(err, SPB_ERR_MALFORMED, offset, "STATE payload has a number that is too large");
    default: return spb_error__set_at(err, SPB_ERR_MALFORMED, offset, "STATE payload is not JSON");
    }
}

static spb_status wrong_key(const json_t *value, const char *key, const char *wanted, spb_error *err) {
    return value ? spb_error__set(err, SPB_ERR_MALFORMED, "\"%s\" of the STATE payload is not %s", key, wanted)
                 : spb_error__set(err, SPB_ERR_MALFORMED, "STATE payload without \"%s\"", key);
}

static spb_status read_keys(spb_host_state *out, const json_t *root, spb_error *err) {
    if (!json_is_object(root)) {
        return spb_error__set_at(err, SPB_ERR_MALFORMED, 0, "STATE payload is not a JSON object");
    }
    const json_t *online = json_object_get(root, "online");
    if (!json_is_boolean(online)) {
        return wrong_key(online, "online", "a boolean", err);
    }
    const json_t *timestamp = json_object_get(root, "timestamp");
    if (!json_is_integer(timestamp)) {
        return wrong_key(timestamp, "timestamp", "an integer", err);
    }
    if (json_integer_value(timestamp) < 0) {
        return wrong_key(timestamp, "timestamp", "0 or more", err);
    }
    *out = (spb_host_state){json_is_true(online), (uint64_t)json_integer_value(timestamp)};
    return SPB_OK;
}

spb_status spb_host_state_parse(spb_host_state *out, spb_bytes json, spb_error *err) {
    if (json.len > MAX_STATE_BYTES) {
        return spb_error__set(err, SPB_ERR_LIMIT, "STATE payload of %zu bytes, more than %d", json.len,
                              MAX_STATE_BYTES);
    }
    if (json.len == 0) {
        return spb_error__set_at(err, SPB_ERR_MALFORMED, 0, "STATE payload is empty");
    }
    if (is_too_deep(json)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "STATE payload nested deeper than %d", MAX_STATE_DEPTH);
    }
    /* A key that stands twice says two things, and whether a host is there must not depend on which one is read. */
    json_error_t error;
    json_t *root = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root) {
        return not_json(&error, err);
    }
    spb_status status = read_keys(out, root, err);
    json_decref(root);
    return status;
}

spb_status spb_host_state_format(const spb_host_state *state, char *buffer, size_t capacity, size_t *len,
                                 spb_error *err) {
    char text[64];
    int written = snprintf(text, sizeof text, "{\"online\":%s,\"timestamp\":%llu}", state->online ? "true" : "false",
                           (unsigned long long)state->timestamp_ms);
    size_t size = (size_t)written + 1;
    if (size > capacity) {
        return spb_error__set(err, SPB_ERR_LIMIT, "STATE payload of %zu bytes for a buffer of %zu", size, capacity);
    }
    memcpy(buffer, text, size);
    if (len) {
        *len = size - 1;
    }
    return SPB_OK;
}
