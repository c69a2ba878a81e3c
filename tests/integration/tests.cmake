# The demo edge node and the decoder on a real mosquitto, seen by decoders that are not ours.
if(SPB_BUILD_CLI)
    set(here ${CMAKE_CURRENT_LIST_DIR})

    function(spb_integration_test name)
        add_test(NAME integration/${name} COMMAND ${ARGN})
        set_tests_properties(integration/${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT
            "SPB_TOOL=$<TARGET_FILE:spb_cli>;SPB_TEST_PATIENCE_S=60")
    endfunction()
    spb_integration_test(wire ${PYTHON} -B ${here}/test_wire.py)
    spb_integration_test(fence ${PYTHON} -B ${here}/test_fence.py FenceTest)
    spb_integration_test(limits ${PYTHON} -B ${here}/test_limits.py)
    spb_integration_test(metered ${PYTHON} -B ${here}/test_metered.py)
    spb_integration_test(causes ${PYTHON} -B ${here}/test_causes.py CausesTest)
    if(NOT SPB_SANITIZE) # whose memory is beyond any limit
        spb_integration_test(threads ${PYTHON} -B ${here}/test_causes.py ThreadsTest)
    endif()
    spb_integration_test(hostile ${PYTHON} -B ${here}/test_hostile.py)

    # A sanitizer keeps what is freed, and is slow.
    set(hostile_settings "SPB_TOOL=$<TARGET_FILE:spb_cli>;SPB_TEST_PATIENCE_S=60")
    if(SPB_SANITIZE)
        list(APPEND hostile_settings SPB_HOSTILE_MAX_MB=900 SPB_HOSTILE_SIDES=3)
    endif()
    set_property(TEST integration/hostile APPEND PROPERTY ENVIRONMENT "${hostile_settings}")
    foreach(mode IN ITEMS long 600)
        add_test(NAME hostile/${mode} CONFIGURATIONS Long COMMAND ${PYTHON} -B ${here}/test_hostile.py)
        set_tests_properties(hostile/${mode} PROPERTIES TIMEOUT 1800 RUN_SERIAL TRUE
            ENVIRONMENT "${hostile_settings};SPB_HOSTILE=${mode}")
    endforeach()

    # These see what a program of another project makes of it.
    spb_integration_test(fence_aedes ${with_peers} ${PYTHON} -B ${here}/test_fence.py AedesTest)
    foreach(test commands life links eyes store laconic packets check watch)
        spb_integration_test(${test} ${with_peers} ${PYTHON} -B ${here}/test_${test}.py)
    endforeach()

    if(NOT SPB_SANITIZE) # whose libraries have to come first
        add_library(slow_disk MODULE ${CMAKE_CURRENT_SOURCE_DIR}/support/slow_disk.c)
        target_link_libraries(slow_disk PRIVATE spb_flags)
        spb_integration_test(slow_disk ${with_peers} ${PYTHON} -B ${here}/test_slow_disk.py)
        set_property(TEST integration/slow_disk APPEND PROPERTY ENVIRONMENT "SPB_SLOW_DISK=$<TARGET_FILE:slow_disk>")
    endif()

    spb_unit_program(mqtt_ws transport support/broker.c support/mqtt_client.c support/names.c)
    add_test(NAME unit/mqtt_ws COMMAND ${with_peers} $<TARGET_FILE:test_mqtt_ws>)
    set_tests_properties(unit/mqtt_ws PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77 ENVIRONMENT
        "CK_FORK=no;SPB_WS_BROKER=${CMAKE_CURRENT_SOURCE_DIR}/peers/ws_broker.js")
endif()
