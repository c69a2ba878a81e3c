# The parts of `spb edge` that need no network.
set(cli ${PROJECT_SOURCE_DIR}/src/cli)
spb_unit_test(press base ${cli}/press.c)
spb_unit_test(machine codec ${cli}/machine.c ${cli}/kernel_file.c ${cli}/sensors.c)
