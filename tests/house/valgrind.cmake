# The unit tests once more, under valgrind: ctest -C Valgrind -R '^valgrind/'. Each has the environment of its twin, and
# thirty times its time: they need some twenty times as long, and more on a machine that does other things as well.
find_program(VALGRIND valgrind)
if(VALGRIND AND NOT SPB_SANITIZE)
    get_property(tests DIRECTORY PROPERTY TESTS)
    foreach(test IN LISTS tests)
        if(NOT test MATCHES "^unit/(.*)")
            continue()
        endif()
        set(name ${CMAKE_MATCH_1})
        get_test_property(${test} ENVIRONMENT environment)
        get_test_property(${test} TIMEOUT timeout)
        math(EXPR timeout "30 * ${timeout}")
        add_test(NAME valgrind/${name} CONFIGURATIONS Valgrind
                 COMMAND ${VALGRIND} -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite
                         --errors-for-leak-kinds=definite
                         --suppressions=${CMAKE_CURRENT_SOURCE_DIR}/house/valgrind.supp $<TARGET_FILE:test_${name}>)
        set_tests_properties(valgrind/${name} PROPERTIES ENVIRONMENT "${environment}" TIMEOUT ${timeout})
    endforeach()
endif()
