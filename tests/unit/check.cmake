# The checker: it reads JSON of the tool for its streams.
set(cli ${PROJECT_SOURCE_DIR}/src/cli)
set(check_stream support/check_stream.c support/hex.c ${cli}/json_record.c ${cli}/json_payload.c ${cli}/json_value.c
    ${cli}/json_reader.c ${cli}/json_tree.c ${cli}/message.c ${cli}/pool.c ${cli}/digits.c ${cli}/error.c)
spb_unit_test(check_rules check support/check_cases_client.c support/check_cases_session.c
              support/check_cases_payload.c ${check_stream})
spb_unit_test(check_node node ${fakes} support/node_fixture.c)
target_link_libraries(test_check_node PRIVATE layer_check)
