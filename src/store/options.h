/* The options of a store, checked. */
#ifndef SPB_STORE_OPTIONS_H
#define SPB_STORE_OPTIONS_H

#include <spb/store.h>

/* *options with its defaults filled in; NULL: all of them. SPB_ERR_ARGUMENT. */
spb_status spb_store__options(spb_store_options *out, const spb_store_options *options, spb_error *err);

#endif
