/* Decides what a limit is that its user has left open. */
#include "codec/limits.h"

static size_t or_default(size_t wanted, size_t fallback) {
    return wanted ? wanted : fallback;
}

spb_limits spb_limits__effective(const spb_limits *limits) {
    spb_limits wanted = limits ? *limits : (spb_limits){0};
    size_t depth = or_default(wanted.max_depth, SPB_DEFAULT_DEPTH);
    return (spb_limits){
        .max_payload_bytes = or_default(wanted.max_payload_bytes, (size_t)16 << 20),
        .max_depth = depth < SPB_MAX_DEPTH ? depth : SPB_MAX_DEPTH,
        .max_metrics = or_default(wanted.max_metrics, 1000000),
        .max_heap_bytes = or_default(wanted.max_heap_bytes, (size_t)256 << 20),
        .max_string_bytes = or_default(wanted.max_string_bytes, (size_t)16 << 20),
    };
}
