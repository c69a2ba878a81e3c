/*
 * Decides which cause the end of a connection has. A dead server, a narrow link, a path that drops large packets and a
 * NAT that forgets idle connections look alike at the moment in which an answer is missing; what tells them apart is
 * what was under way, and that it happens again in the same way while the rest goes well.
 */
#include "core/cause.h"

#include <stdio.h>

/* Each link of the Internet carries packets of 1280 bytes (RFC 8200), those of IPv4 with fewer are rare; with the heads
 * of IP, TCP and MQTT, what is larger than this may be in a packet that is too large for a tunnel. */
#define LARGE_BYTES 1200
/* A silence counts from a part of the keep-alive on: half of it is the longest there is. */
#define SILENT_PART 4
/* So often in a row is no accident. */
#define TIMES 2

static bool has_large(const spb_trail *trail) {
    return trail->largest > LARGE_BYTES;
}

static bool is_silent(const spb_trail *trail, uint64_t keep_alive_ms) {
    return trail->silent_ms >= keep_alive_ms / SILENT_PART;
}

void spb_cause__answered(spb_omens *omens, const spb_cause_facts *facts) {
    omens->large = has_large(&facts->arrived) ? 0 : omens->large;
    omens->idle = is_silent(&facts->arrived, facts->keep_alive_ms) ? 0 : omens->idle;
}

spb_cause spb_cause__lost(spb_omens *omens, const spb_cause_facts *facts) {
    if (facts->is_carrying) {
        return SPB_CAUSE_SLOW;
    }
    bool is_large = has_large(&facts->waiting) && !has_large(&facts->arrived);
    bool is_idle =
        is_silent(&facts->waiting, facts->keep_alive_ms) && !is_silent(&facts->arrived, facts->keep_alive_ms);
    omens->large = is_large ? omens->large + 1 : 0;
    omens->idle = is_idle ? omens->idle + 1 : 0;
    return !facts->has_answered    ? SPB_CAUSE_SERVER
           : omens->large >= TIMES ? SPB_CAUSE_LARGE
           : omens->idle >= TIMES  ? SPB_CAUSE_IDLE
                                   : SPB_CAUSE_SERVER;
}

void spb_cause__write(spb_cause cause, const spb_omens *omens, const spb_cause_facts *facts, char *to, size_t size) {
    switch (cause) {
    case SPB_CAUSE_SERVER: snprintf(to, size, "the server does not answer any more"); break;
    case SPB_CAUSE_SLOW:
        snprintf(to, size, "the link is too slow: it still carries data, but no answer to what was sent %llu s ago",
                 (unsigned long long)(facts->waited_ms / 1000));
        break;
    case SPB_CAUSE_LARGE:
        snprintf(to, size,
                 "large messages vanish (here %zu bytes; %u times in a row), small ones pass: part of the path takes "
                 "smaller packets only (MTU), unannounced; try net.ipv4.tcp_mtu_probing=1",
                 facts->waiting.largest, (unsigned)omens->large);
        break;
    case SPB_CAUSE_IDLE:
        snprintf(to, size,
                 "nothing passes after %llu s of silence (%u times in a row): a NAT or firewall seems to forget idle "
                 "connections; try a keep-alive of %llu s or less",
                 (unsigned long long)(facts->waiting.silent_ms / 1000), (unsigned)omens->idle,
                 (unsigned long long)(facts->waiting.silent_ms < 2000 ? 1 : facts->waiting.silent_ms / 1000));
        break;
    }
}
