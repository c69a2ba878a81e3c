/* Decides when two views of text are equal: an absent one is not an empty one. */
#include <string.h>

#include <spb/value.h>

spb_str spb_str_from(const char *text) {
    return (spb_str){.data = text, .len = text ? strlen(text) : 0};
}

bool spb_str_equal(spb_str a, spb_str b) {
    if (!a.data || !b.data) {
        return !a.data && !b.data;
    }
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}
