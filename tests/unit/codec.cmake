spb_unit_test(payload codec support/hex.c support/vectors.c)
