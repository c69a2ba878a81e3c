# The simulation: seeded runs of the session core in a world of faults. `ctest -C Long -R ^sim/` runs many more seeds.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
add_executable(sim ${sources} support/exact.c support/witness.c)
target_include_directories(sim PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(sim PRIVATE _POSIX_C_SOURCE=200809L)
target_link_libraries(sim PRIVATE spb_flags ${layers_core} ${needs_core})
target_link_options(sim PRIVATE LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup)

add_test(NAME sim/seeds COMMAND sim --seeds 1000)
set_tests_properties(sim/seeds PROPERTIES TIMEOUT 300)
add_test(NAME sim/long CONFIGURATIONS Long COMMAND sim --seeds 100000)
set_tests_properties(sim/long PROPERTIES TIMEOUT 7200)
