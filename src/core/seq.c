/* Decides how seq and bdSeq count. When a number is taken is left to the session. */
#include "core/seq.h"

uint8_t spb_seq__next(uint8_t number) {
    return (uint8_t)(number + 1u); /* tck-id-payloads-sequence-num-incrementing: wraps at 256 */
}

void spb_bdseq__init(spb_bdseq *bdseq, bool has_last, uint8_t last) {
    *bdseq = (spb_bdseq){.number = has_last ? last : 0, .is_used = has_last};
}

uint8_t spb_bdseq__prepare(spb_bdseq *bdseq) {
    if (bdseq->is_used) {
        bdseq->number = spb_seq__next(bdseq->number);
        bdseq->is_used = false;
    }
    return bdseq->number;
}

void spb_bdseq__use(spb_bdseq *bdseq) {
    bdseq->is_used = true;
}

void spb_bdseq__spare(spb_bdseq *bdseq) {
    bdseq->is_used = false;
}
