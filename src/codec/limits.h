/* What the codec takes at most. */
#ifndef SPB_CODEC_LIMITS_H
#define SPB_CODEC_LIMITS_H

#include <spb/payload.h>

/* The most that max_depth may be, and its default. libprotobuf-c recurses, with nearly 1 KiB for each message, and a
 * level may be three of them: at the default, a thread with 64 KiB of stack can decode. */
#define SPB_MAX_DEPTH 32
#define SPB_DEFAULT_DEPTH 16

/* *limits with the defaults filled in, and nothing above what this codec can do. NULL: all defaults. */
spb_limits spb_limits__effective(const spb_limits *limits);

#endif
