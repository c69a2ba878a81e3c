/* What the codec takes at most. */
#ifndef SPB_CODEC_LIMITS_H
#define SPB_CODEC_LIMITS_H

#include <spb/payload.h>

/* The most that max_depth may be. */
#define SPB_MAX_DEPTH 32

/* *limits with the defaults filled in, and nothing above what this codec can do. NULL: all defaults. */
spb_limits spb_limits__effective(const spb_limits *limits);

#endif
