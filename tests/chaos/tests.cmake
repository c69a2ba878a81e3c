# Chaos: an edge node under faults, and a verdict by a ledger that is not its own. scripts/test --chaos runs it for long.
if(SPB_BUILD_CLI)
    pkg_check_modules(mosquitto REQUIRED IMPORTED_TARGET libmosquitto)
    find_program(PYTHON python3 REQUIRED)

    add_library(chaos_common OBJECT chaos/account.c chaos/ledger.c chaos/samples.c)
    add_library(chaos_verdict_rules OBJECT chaos/verdict.c chaos/verdict_sample.c chaos/verdict_session.c)
    add_executable(chaos_edge chaos/edge.c chaos/edge_node.c chaos/producer.c chaos/clocks.c)
    add_executable(chaos_host chaos/host.c)
    add_executable(chaos_verdict chaos/verdict_main.c)
    foreach(target chaos_common chaos_verdict_rules chaos_edge chaos_host chaos_verdict)
        target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
        target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
        target_link_libraries(${target} PRIVATE spb_flags)
    endforeach()
    # The edge knows the library by its public headers alone, the rest of it nothing of the library.
    target_link_libraries(chaos_edge PRIVATE chaos_common spb Threads::Threads)
    target_link_libraries(chaos_host PRIVATE chaos_common PkgConfig::mosquitto)
    target_link_libraries(chaos_verdict_rules PRIVATE spb_schema)
    target_link_libraries(chaos_verdict PRIVATE chaos_common chaos_verdict_rules spb_schema)

    function(spb_chaos_unit_test name)
        add_executable(test_chaos_${name} chaos/test_${name}.c ${ARGN})
        target_include_directories(test_chaos_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
        target_compile_definitions(test_chaos_${name} PRIVATE _POSIX_C_SOURCE=200809L)
        target_link_libraries(test_chaos_${name} PRIVATE spb_flags chaos_common chaos_verdict_rules spb_schema
                                                         PkgConfig::check)
        add_test(NAME unit/chaos_${name} COMMAND test_chaos_${name})
        set_tests_properties(unit/chaos_${name} PROPERTIES ENVIRONMENT "CK_FORK=no" TIMEOUT 120)
    endfunction()
    spb_chaos_unit_test(ledger)
    spb_chaos_unit_test(verdict_sample chaos/story.c)
    spb_chaos_unit_test(verdict_session chaos/story.c)

    # Without a settle time, what comes twice is bounded by what was unconfirmed, to the byte: so half of them go without.
    # Short runs, which the table of guarantees in the README names. Their seeds are fixed: what they draw stays the same.
    function(spb_chaos_test name)
        add_test(NAME chaos/${name} COMMAND ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/chaos/chaos.py ${ARGN})
        set_tests_properties(chaos/${name} PROPERTIES TIMEOUT 300 ENVIRONMENT
                             "SPB_CHAOS_PROGRAMS=$<TARGET_FILE_DIR:chaos_edge>")
    endfunction()
    spb_chaos_test(live --level live --faults 4 --seed 1)
    spb_chaos_test(outage --level outage --faults 8 --seed 2)
    spb_chaos_test(durable --level durable --faults 8 --kills 4 --seed 3 --settle 0)
    spb_chaos_test(host_loss --level outage --scene host --faults 5 --seed 4 --settle 0)
    spb_chaos_test(disk_full --level durable --scene disk --kills 1 --faults 6 --seed 5)
    spb_chaos_test(clock --level outage --scene clock --faults 5 --seed 6)
endif()
