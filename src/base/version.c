/* Decides nothing: tells which version is linked. */
#include <spb/version.h>

const char *spb_version(void) {
    return SPB_VERSION;
}
