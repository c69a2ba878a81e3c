spb_unit_test(error base)
spb_unit_test(buffer base)
spb_unit_test(arena base)
spb_unit_test(ranges base)
