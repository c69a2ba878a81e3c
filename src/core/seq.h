/* The numbers of a Sparkplug session. A successor of Sparkplug B that counts otherwise changes this file. */
#ifndef SPB_CORE_SEQ_H
#define SPB_CORE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* The number that follows, for seq and bdSeq alike: 255 is followed by 0. */
uint8_t spb_seq__next(uint8_t number);

/* The bdSeq: one more for each CONNECT that may have left. */
typedef struct spb_bdseq {
    uint8_t number;
    bool is_used; /* a CONNECT carried it */
} spb_bdseq;

/* `last` is that of the last CONNECT; without one the first will be 0. */
void spb_bdseq__init(spb_bdseq *bdseq, bool has_last, uint8_t last);
/* The number of the next CONNECT. Asked again before that CONNECT, it is the same. */
uint8_t spb_bdseq__prepare(spb_bdseq *bdseq);
/* The CONNECT with the prepared number leaves; */
void spb_bdseq__use(spb_bdseq *bdseq);
/* or it did not, after all, so that the next one has the same number. */
void spb_bdseq__spare(spb_bdseq *bdseq);

#endif
