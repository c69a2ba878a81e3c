/* Succeeds if its project still has its asserts, and none of the flags that libspb is made with. */
#include <assert.h>

#if defined _POSIX_C_SOURCE && defined _FILE_OFFSET_BITS && _FILE_OFFSET_BITS == 64
#error "a definition of the subproject has come here"
#endif

int main(void) {
    int is_checked = 0;
    assert((is_checked = 1));
    return is_checked ? 0 : 1;
}
