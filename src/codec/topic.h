/* Topics inside the library, beyond <spb/topic.h>. */
#ifndef SPB_CODEC_TOPIC_H
#define SPB_CODEC_TOPIC_H

#include <spb/topic.h>

/* spb_topic_format for one whose parts were checked when they were taken: they are not checked again. SPB_ERR_LIMIT. */
spb_status spb_topic__write(const spb_topic *topic, char *buffer, size_t capacity, size_t *len, spb_error *err);

#endif
