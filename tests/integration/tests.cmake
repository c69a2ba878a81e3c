# The demo edge node and the decoder on a real mosquitto, seen by decoders that are not ours.
if(SPB_BUILD_CLI)
    find_program(PYTHON python3 REQUIRED)
    find_program(NPM npm REQUIRED)
    set(decoders ${CMAKE_CURRENT_BINARY_DIR}/integration)
    add_custom_command(
        OUTPUT ${decoders}/node_modules/.installed
        COMMAND ${CMAKE_COMMAND} -E copy package.json package-lock.json decode.js ws_broker.js ${decoders}
        COMMAND ${NPM} ci --prefix ${decoders} --ignore-scripts --no-audit --no-fund --silent
        COMMAND ${CMAKE_COMMAND} -E touch ${decoders}/node_modules/.installed
        DEPENDS integration/package.json integration/package-lock.json integration/decode.js
                integration/ws_broker.js
        WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/integration
        COMMENT "Installing decoders and a broker of other projects")
    add_custom_target(integration_decoders ALL DEPENDS ${decoders}/node_modules/.installed)

    foreach(test life commands links eyes wire fence store packets check watch)
        add_test(NAME integration/${test} COMMAND ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_${test}.py)
        set_tests_properties(integration/${test} PROPERTIES TIMEOUT 600 ENVIRONMENT
            "SPB_TOOL=$<TARGET_FILE:spb_cli>;SPB_DECODERS=${decoders};SPB_TEST_PATIENCE_S=60")
    endforeach()

    spb_unit_test(mqtt_ws transport support/broker.c support/mqtt_client.c)
    set_tests_properties(unit/mqtt_ws PROPERTIES ENVIRONMENT "CK_FORK=no;SPB_WS_BROKER=${decoders}/ws_broker.js")
endif()
