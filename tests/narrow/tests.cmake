# Narrow links: see narrow.py. The whole matrix is a stage of scripts/test.
if(SPB_BUILD_CLI)
    add_executable(narrow_node narrow/node.c)
    target_compile_definitions(narrow_node PRIVATE _POSIX_C_SOURCE=200809L)
    target_link_libraries(narrow_node PRIVATE spb_flags spb)
    add_test(NAME integration/narrow COMMAND ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/narrow/test_narrow.py)
    set_tests_properties(integration/narrow PROPERTIES TIMEOUT 600
                         ENVIRONMENT "SPB_NARROW_NODE=$<TARGET_FILE:narrow_node>")
endif()
