/* Decides how a session begins in which nothing is out of the ordinary. */
#include "support/delivery_fixture.h"

#include <check.h>

wire w;
wire_journal journal;
spb_session_options options;
spb_metric *x;

void delivery_setup(void) {
    wire_journal_open(&journal, NULL);
    options = wire_options();
}

void delivery_teardown(void) {
    wire_close(&w);
    wire_journal_close(&journal);
}

void go_online(void) {
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
}

void update(int32_t value) {
    ck_assert_int_eq(wire_update(&w, x, spb_int32(value)), SPB_OK);
}
