/* Decides what is wrong with a topic. */
#include <string.h>

#include "check/judge.h"

enum { PARTS_MAX = 6 };

/* The parts between the slashes; the last one holds what is left if there are too many. */
static size_t split(spb_str text, spb_str parts[PARTS_MAX]) {
    size_t count = 0;
    const char *at = text.data, *end = text.data + text.len;
    for (;;) {
        const char *slash = count + 1 < PARTS_MAX && at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
        const char *behind = slash ? slash : end;
        parts[count++] = (spb_str){at, (size_t)(behind - at)};
        if (!slash) {
            return count;
        }
        at = slash + 1;
    }
}

static bool is(spb_str text, const char *wanted) {
    return spb_str_equal(text, spb_str_from(wanted));
}

static bool find_kind(spb_str name, spb_kind *kind) {
    for (int i = SPB_KIND_NBIRTH; i < SPB_KIND_STATE; i++) {
        if (is(name, spb_kind_name((spb_kind)i))) {
            *kind = (spb_kind)i;
            return true;
        }
    }
    return false;
}

/* Topics of others that look like ours: another spelling, an earlier version. */
static void judge_foreign(check *c, const spb_str *parts, size_t count) {
    spb_kind kind;
    const spb_str ours = spb_str_from(SPB_NAMESPACE), earlier = spb_str_from("spAv1.0");
    bool is_alike = check_equal_lower(parts[0], ours) || check_equal_lower(parts[0], earlier);
    if (count >= 4 && is_alike && find_kind(parts[2], &kind)) {
        check__report(c, RULE_TOPIC_NAMESPACE, "the namespace is %.*s", TEXT(parts[0]));
    }
    spb_bytes payload = c->event->as.publish.payload;
    const spb_str text = {(const char *)payload.data, payload.len};
    if (count == 2 && is(parts[0], "STATE") && (is(text, "ONLINE") || is(text, "OFFLINE"))) {
        check__report(c, RULE_HOST_TOPIC, "STATE in the form of Sparkplug 2: topic STATE/HOST, payload %.*s",
                      TEXT(text));
    }
}

static bool judge_id(check *c, check_rule_number rule, spb_str id, const char *what) {
    spb_error why;
    if (spb_id_check(id, what, &why) == SPB_OK) {
        return true;
    }
    check__report(c, rule, "%s", why.text);
    return false;
}

/* One of ours that spb_topic_parse refuses. */
static void judge_bad(check *c, const spb_str *parts, size_t count, const char *why) {
    spb_kind kind;
    if (count < 3 || !find_kind(parts[2], &kind)) {
        check__report(c, RULE_TOPIC_STRUCTURE, "%s", why);
        return;
    }
    bool is_device = spb_kind_is_device(kind);
    if (is_device && count == 4) {
        check__report(c, RULE_TOPIC_DEVICE_MISSING, "%s without a device ID", spb_kind_name(kind));
    } else if (!is_device && count == 5) {
        check__report(c, RULE_TOPIC_DEVICE_SUPERFLUOUS, "%s with a device ID", spb_kind_name(kind));
    } else if (count != (is_device ? 5u : 4u)) {
        check__report(c, RULE_TOPIC_STRUCTURE, "%s", why);
    } else if (judge_id(c, RULE_TOPIC_GROUP_ID, parts[1], "group ID") &&
               judge_id(c, RULE_TOPIC_NODE_ID, parts[3], "edge node ID") && is_device) {
        (void)judge_id(c, RULE_TOPIC_DEVICE_ID, parts[4], "device ID");
    }
}

bool check__topic(check *c, spb_str text, spb_topic *topic) {
    spb_str parts[PARTS_MAX];
    spb_error why;
    if (!text.data) {
        return false; /* an alias of MQTT 5 whose topic was not captured */
    }
    size_t count = split(text, parts);
    if (!is(parts[0], SPB_NAMESPACE)) {
        judge_foreign(c, parts, count);
        return false;
    }
    if (spb_topic_parse(topic, text, &why) != SPB_OK) {
        judge_bad(c, parts, count, why.text);
        return false;
    }
    return true;
}
