spb_unit_test(payload codec support/hex.c support/vectors.c)
spb_unit_test(preflight codec support/hex.c)
spb_unit_test(encode codec support/hex.c)
