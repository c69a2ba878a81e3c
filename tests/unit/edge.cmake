# The parts of `spb edge` that need no network; of the layers, only values are used.
spb_unit_test(press base ${PROJECT_SOURCE_DIR}/src/cli/press.c)
