spb_unit_test(store store)
