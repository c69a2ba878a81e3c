/* Decides when a second is over. What is bounded, and by how much, is left to the users. */
#include "base/quota.h"

#define SECOND_MS 1000

bool spb_quota__take(spb_quota *quota, uint32_t most, uint64_t now_ms) {
    if (now_ms >= quota->end_ms) {
        quota->end_ms = now_ms + SECOND_MS;
        quota->taken = 0;
    }
    if (quota->taken < most) {
        quota->taken++;
        return true;
    }
    quota->left_out++;
    return false;
}

uint64_t spb_quota__tell(spb_quota *quota, uint64_t now_ms) {
    uint64_t left_out = now_ms >= quota->end_ms ? quota->left_out : 0;
    quota->left_out -= left_out;
    return left_out;
}

uint64_t spb_quota__due_ms(const spb_quota *quota) {
    return quota->left_out > 0 ? quota->end_ms : UINT64_MAX;
}
