/* What the codec's own files share about values beyond <spb/value.h>. */
#ifndef SPB_CODEC_VALUE_H
#define SPB_CODEC_VALUE_H

#include <spb/payload.h>

#include "base/arena.h"

/* One of the 34 datatypes; false for SPB_UNKNOWN and any other number. */
bool spb_type__is_known(spb_type type);
/* Of an integer; 0 for other datatypes. */
unsigned spb_type__bits(spb_type type);
/* The field that the datatype is sent in; SPB_WIRE_NONE for unknown ones. */
spb_wire spb_type__wire(spb_type type);
/*
 * Which member of `as` holds the content, said as a datatype: the value's own one, or while that is unknown (or of a
 * later schema) the one that its wire field implies (an extension counts as Bytes). SPB_UNKNOWN: there is no content.
 */
spb_type spb_value__form(const spb_value *value);
/* The packed form of an array has a length that its datatype can have. SPB_ERR_MALFORMED. */
spb_status spb_array__check_packed(spb_type type, spb_bytes packed, spb_error *err);
/* Deep copies in an arena. SPB_ERR_NO_MEMORY; SPB_ERR_LIMIT: nested too deep, or the arena's budget is used up. On
 * failure *out is unchanged. */
spb_status spb_value__copy_to(spb_value *out, const spb_value *value, spb_arena *arena, spb_error *err);
spb_status spb_metric__copy_to(spb_payload_metric *out, const spb_payload_metric *metric, spb_arena *arena,
                               spb_error *err);
/* Bytes of one item of spb_array, the machine's own form, by the array's datatype. */
size_t spb_array__item_size(spb_type type);

#endif
