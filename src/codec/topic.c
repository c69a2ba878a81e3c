/*
 * Decides what a Sparkplug topic is: its namespace, the nine kinds of messages, which of them have a device part, and
 * what an ID may hold. Filters for subscriptions, and which topics a node uses, are left to the session.
 */
#include "codec/topic.h"

#include <string.h>

#include "base/error.h"
#include "codec/check.h"

#define MAX_TOPIC_BYTES 65535 /* of an MQTT string */
#define MAX_PARTS 5           /* namespace, group, kind, node, device */

static const char *const kind_names[] = {
    [SPB_KIND_NBIRTH] = "NBIRTH", [SPB_KIND_NDEATH] = "NDEATH", [SPB_KIND_NDATA] = "NDATA",
    [SPB_KIND_NCMD] = "NCMD",     [SPB_KIND_DBIRTH] = "DBIRTH", [SPB_KIND_DDEATH] = "DDEATH",
    [SPB_KIND_DDATA] = "DDATA",   [SPB_KIND_DCMD] = "DCMD",     [SPB_KIND_STATE] = "STATE",
};

#define KIND_COUNT (sizeof kind_names / sizeof kind_names[0])

const char *spb_kind_name(spb_kind kind) {
    return (size_t)kind < KIND_COUNT ? kind_names[kind] : "?";
}

bool spb_kind_is_device(spb_kind kind) {
    return kind == SPB_KIND_DBIRTH || kind == SPB_KIND_DDEATH || kind == SPB_KIND_DDATA || kind == SPB_KIND_DCMD;
}

static bool is_text(spb_str part, const char *text) {
    return spb_str_equal(part, spb_str_from(text));
}

/* A part of somebody else's topic for an error text: short, and nothing in it that a terminal would obey. */
typedef struct quoted {
    char text[24];
} quoted;

static quoted quote(spb_str part) {
    quoted q;
    size_t len = 0;
    while (len < part.len && len < sizeof q.text - 4) {
        q.text[len] = part.data[len] >= ' ' && part.data[len] <= '~' ? part.data[len] : '?';
        len++;
    }
    strcpy(q.text + len, len < part.len ? "..." : "");
    return q;
}

spb_status spb_id_check(spb_str id, const char *what, spb_error *err) {
    if (!id.data) {
        return spb_error__set(err, SPB_ERR_NAME, "%s is missing", what);
    }
    if (id.len == 0) {
        return spb_error__set_at(err, SPB_ERR_NAME, 0, "%s is empty", what);
    }
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (c == '\0') {
            return spb_error__set_at(err, SPB_ERR_NAME, i, "%s holds a NUL", what);
        }
        if (c == '+' || c == '/' || c == '#') {
            return spb_error__set_at(err, SPB_ERR_NAME, i, "%s holds '%c', which MQTT reserves", what, c);
        }
    }
    size_t bad = 0;
    if (!spb_utf8__is_valid(id, &bad)) {
        return spb_error__set_at(err, SPB_ERR_NAME, bad, "%s is not UTF-8", what);
    }
    return SPB_OK;
}

/* A topic cut at its slashes. What goes beyond the fifth part is only known to be there. */
typedef struct split_topic {
    spb_str whole;
    spb_str parts[MAX_PARTS + 1];
    size_t count;
} split_topic;

static split_topic split(spb_str text) {
    split_topic topic = {.whole = text};
    size_t begin = 0;
    while (topic.count <= MAX_PARTS && begin <= text.len) {
        const char *slash = begin < text.len ? memchr(text.data + begin, '/', text.len - begin) : NULL;
        size_t end = slash ? (size_t)(slash - text.data) : text.len;
        topic.parts[topic.count++] = (spb_str){text.data + begin, end - begin};
        begin = end + 1;
    }
    return topic;
}

static size_t offset_of(const split_topic *topic, size_t part) {
    return part < topic->count ? (size_t)(topic->parts[part].data - topic->whole.data) : topic->whole.len;
}

static spb_status take_id(const split_topic *topic, size_t part, const char *what, spb_str *id, spb_error *err) {
    spb_status status = spb_id_check(topic->parts[part], what, err);
    if (status != SPB_OK) {
        if (err) {
            err->offset += offset_of(topic, part);
        }
        return status;
    }
    *id = topic->parts[part];
    return SPB_OK;
}

static spb_status missing(const split_topic *topic, const char *what, spb_kind kind, spb_error *err) {
    return spb_error__set_at(err, SPB_ERR_NAME, topic->whole.len, "%s missing in %s topic", what, spb_kind_name(kind));
}

static spb_status check_end(const split_topic *topic, size_t wanted, spb_kind kind, spb_error *err) {
    if (topic->count > wanted) {
        return spb_error__set_at(err, SPB_ERR_NAME, offset_of(topic, wanted), "%s topic has more than %zu parts",
                                 spb_kind_name(kind), wanted);
    }
    return SPB_OK;
}

static bool is_in_lower_case(spb_str part, const char *name) {
    size_t i = 0;
    while (i < part.len && name[i] && (part.data[i] == name[i] || part.data[i] == name[i] - 'A' + 'a')) {
        i++;
    }
    return i == part.len && !name[i];
}

static spb_status take_kind(const split_topic *topic, spb_kind *kind, spb_error *err) {
    if (topic->count < 3) {
        return spb_error__set_at(err, SPB_ERR_NAME, topic->whole.len, "message kind missing");
    }
    spb_str part = topic->parts[2];
    size_t offset = offset_of(topic, 2);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (is_text(part, kind_names[i])) {
            *kind = (spb_kind)i;
            if (*kind == SPB_KIND_STATE) {
                return spb_error__set_at(err, SPB_ERR_NAME, offset, "STATE does not follow the namespace at once");
            }
            return SPB_OK;
        }
        if (is_in_lower_case(part, kind_names[i])) {
            return spb_error__set_at(err, SPB_ERR_NAME, offset, "message kind \"%s\" is not in upper case",
                                     quote(part).text);
        }
    }
    if (part.len == 0) {
        return spb_error__set_at(err, SPB_ERR_NAME, offset, "message kind is empty");
    }
    return spb_error__set_at(err, SPB_ERR_NAME, offset, "unknown message kind \"%s\"", quote(part).text);
}

/* spBv1.0/STATE/HOST (tck-id-host-topic-phid-birth-topic) */
static spb_status parse_host_topic(spb_topic *out, const split_topic *topic, spb_error *err) {
    out->kind = SPB_KIND_STATE;
    if (topic->count < 3) {
        return missing(topic, "host ID", out->kind, err);
    }
    spb_status status = take_id(topic, 2, "host ID", &out->host_id, err);
    return status == SPB_OK ? check_end(topic, 3, out->kind, err) : status;
}

/* spBv1.0/GROUP/KIND/NODE[/DEVICE] (tck-id-topic-structure) */
static spb_status parse_node_topic(spb_topic *out, const split_topic *topic, spb_error *err) {
    spb_status status = take_id(topic, 1, "group ID", &out->group_id, err);
    if (status != SPB_OK) {
        return status;
    }
    status = take_kind(topic, &out->kind, err);
    if (status != SPB_OK) {
        return status;
    }
    if (topic->count < 4) {
        return missing(topic, "edge node ID", out->kind, err);
    }
    status = take_id(topic, 3, "edge node ID", &out->node_id, err);
    if (status != SPB_OK) {
        return status;
    }
    if (!spb_kind_is_device(out->kind)) {
        return check_end(topic, 4, out->kind, err);
    }
    if (topic->count < 5) {
        return missing(topic, "device ID", out->kind, err);
    }
    status = take_id(topic, 4, "device ID", &out->device_id, err);
    return status == SPB_OK ? check_end(topic, 5, out->kind, err) : status;
}

spb_status spb_topic_parse(spb_topic *out, spb_str text, spb_error *err) {
    if (text.len == 0) {
        return spb_error__set_at(err, SPB_ERR_NAME, 0, "topic is empty");
    }
    split_topic topic = split(text);
    if (!is_text(topic.parts[0], SPB_NAMESPACE)) {
        return spb_error__set_at(err, SPB_ERR_NAME, 0, "namespace is \"%s\", not " SPB_NAMESPACE,
                                 quote(topic.parts[0]).text);
    }
    if (topic.count < 2) {
        return spb_error__set_at(err, SPB_ERR_NAME, text.len, "group ID missing");
    }
    spb_topic found = {0};
    spb_status status = is_text(topic.parts[1], kind_names[SPB_KIND_STATE]) ? parse_host_topic(&found, &topic, err)
                                                                            : parse_node_topic(&found, &topic, err);
    if (status == SPB_OK) {
        *out = found;
    }
    return status;
}

/* One ID of a topic to be written: right and there, or absent. */
static spb_status check_part(spb_str id, bool is_wanted, const char *what, spb_kind kind, spb_error *err) {
    if (is_wanted) {
        return id.data ? spb_id_check(id, what, err)
                       : spb_error__set(err, SPB_ERR_NAME, "%s missing in %s topic", what, spb_kind_name(kind));
    }
    return id.data ? spb_error__set(err, SPB_ERR_NAME, "%s topic has no %s", spb_kind_name(kind), what) : SPB_OK;
}

static spb_status check_parts(const spb_topic *topic, spb_error *err) {
    spb_kind kind = topic->kind;
    if ((size_t)kind >= KIND_COUNT) {
        return spb_error__set(err, SPB_ERR_NAME, "there is no message kind %d", (int)kind);
    }
    bool is_host = kind == SPB_KIND_STATE;
    spb_status status = check_part(topic->group_id, !is_host, "group ID", kind, err);
    if (status == SPB_OK) {
        status = check_part(topic->node_id, !is_host, "edge node ID", kind, err);
    }
    if (status == SPB_OK) {
        status = check_part(topic->device_id, spb_kind_is_device(kind), "device ID", kind, err);
    }
    if (status == SPB_OK) {
        status = check_part(topic->host_id, is_host, "host ID", kind, err);
    }
    if (status == SPB_OK && is_text(topic->group_id, kind_names[SPB_KIND_STATE])) {
        return spb_error__set(err, SPB_ERR_NAME, "group ID \"STATE\" would make it the topic of a host");
    }
    return status;
}

spb_status spb_topic_format(const spb_topic *topic, char *buffer, size_t capacity, size_t *len, spb_error *err) {
    spb_status status = check_parts(topic, err);
    return status == SPB_OK ? spb_topic__write(topic, buffer, capacity, len, err) : status;
}

spb_status spb_topic__write(const spb_topic *topic, char *buffer, size_t capacity, size_t *len, spb_error *err) {
    spb_str kind = spb_str_from(spb_kind_name(topic->kind));
    spb_str parts[MAX_PARTS] = {spb_str_from(SPB_NAMESPACE), kind, topic->host_id};
    size_t count = 3;
    if (topic->kind != SPB_KIND_STATE) {
        parts[1] = topic->group_id;
        parts[2] = kind;
        parts[3] = topic->node_id;
        parts[4] = topic->device_id;
        count = topic->device_id.data ? 5 : 4;
    }
    size_t total = count - 1;
    for (size_t i = 0; i < count; i++) {
        total += parts[i].len;
    }
    if (total > MAX_TOPIC_BYTES) {
        return spb_error__set(err, SPB_ERR_LIMIT, "topic of %zu bytes, MQTT allows %d", total, MAX_TOPIC_BYTES);
    }
    if (total >= capacity) {
        return spb_error__set(err, SPB_ERR_LIMIT, "topic of %zu bytes and a NUL for a buffer of %zu", total, capacity);
    }
    char *end = buffer;
    for (size_t i = 0; i < count; i++) {
        memcpy(end, parts[i].data, parts[i].len);
        end += parts[i].len;
        *end++ = i + 1 < count ? '/' : '\0';
    }
    if (len) {
        *len = total;
    }
    return SPB_OK;
}
