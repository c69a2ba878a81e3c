spb_unit_test(store store)
spb_unit_test(store_journal store support/blocks.c)
spb_unit_test(store_power store support/blocks.c support/disk.c)
