# The tool's own files, file by file; then the tool itself on captures.
set(cli ${PROJECT_SOURCE_DIR}/src/cli)
set(numbers ${cli}/number.c ${cli}/shortest.c)
spb_unit_test(number codec ${numbers})
spb_unit_test(shortest codec ${cli}/shortest.c)
spb_unit_test(json codec ${cli}/json.c ${numbers} ${cli}/out.c)
spb_unit_test(text_value codec ${cli}/text_value.c ${cli}/message.c ${numbers} ${cli}/out.c)
spb_unit_test(input codec ${cli}/input.c ${cli}/reader.c ${cli}/digits.c ${cli}/error.c)
spb_unit_test(births codec ${cli}/births.c)
spb_unit_test(filter codec ${cli}/filter.c)
spb_unit_test(progress base ${cli}/progress.c)
spb_unit_test(json_tree codec ${cli}/json_tree.c ${cli}/error.c)
set(json_record ${cli}/json_record.c ${cli}/json_payload.c ${cli}/json_value.c ${cli}/json_reader.c ${cli}/json_tree.c
    ${cli}/message.c ${cli}/pool.c ${cli}/digits.c ${cli}/error.c)
spb_unit_test(json_record codec ${json_record} ${cli}/json_message.c ${cli}/json.c ${cli}/births.c ${numbers}
              ${cli}/out.c support/hex.c support/random_payload.c support/vectors.c)
spb_unit_test(watch codec ${json_record} ${cli}/watch_table.c ${cli}/watch_rows.c ${cli}/watch_screen.c ${cli}/terminal.c
              ${cli}/births.c ${cli}/filter.c ${cli}/text_value.c ${numbers} ${cli}/out.c)

if(SPB_BUILD_CLI)
    foreach(test decode capture encode check help store)
        add_test(NAME cli/${test} COMMAND ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_${test}.py)
        set_tests_properties(cli/${test} PROPERTIES TIMEOUT 300 ENVIRONMENT
            "SPB_TOOL=$<TARGET_FILE:spb_cli>;SPB_TEST_DATA=${CMAKE_CURRENT_SOURCE_DIR}/data;SPB_HELP=${PROJECT_BINARY_DIR}/help;\
SPB_CAPTURE_MAKER=${CMAKE_CURRENT_SOURCE_DIR}/capture")
    endforeach()
endif()
