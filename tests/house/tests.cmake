# The house itself: what the layers, the public headers and the installed library promise.

function(spb_house_test name)
    add_test(NAME house/${name} COMMAND ${ARGN})
    set_tests_properties(house/${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

spb_house_test(conformance ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/conformance.py ${PROJECT_SOURCE_DIR})
spb_house_test(guarantee ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/guarantee.py ${PROJECT_SOURCE_DIR})
spb_house_test(includes ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/includes.py ${PROJECT_SOURCE_DIR})
spb_house_test(names ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/names.py ${PROJECT_SOURCE_DIR})
spb_house_test(schema ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/schema.py ${PROJECT_SOURCE_DIR})
spb_house_test(options ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/options.py ${PROJECT_SOURCE_DIR})
spb_house_test(headers ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/headers.py ${PROJECT_SOURCE_DIR}
               ${CMAKE_C_COMPILER} ${CXX})
spb_house_test(missing ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/missing.py ${PROJECT_SOURCE_DIR} ${CMAKE_COMMAND}
               ${CMAKE_C_COMPILER} ${PKG_CONFIG_EXECUTABLE})
spb_house_test(offline ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/offline.py ${PROJECT_BINARY_DIR}
               ${CMAKE_MAKE_PROGRAM})
spb_house_test(results ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/results.py ${PROJECT_SOURCE_DIR}
               ${CMAKE_CTEST_COMMAND})
spb_house_test(format ${PROJECT_SOURCE_DIR}/scripts/format-check)
if(SPB_HARDENING AND NOT SPB_SANITIZE AND SPB_BUILD_CLI AND spb_has_shared)
    set(is_optimised ON)
    if(CMAKE_BUILD_TYPE MATCHES "^(Debug|None)$")
        set(is_optimised OFF)
    endif()
    spb_house_test(hardening ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/hardening.py ${CMAKE_READELF}
                   $<TARGET_FILE:spb> $<TARGET_FILE:spb_static> $<TARGET_FILE:spb_cli> ${is_optimised} ${spb_hardened})
endif()
if(NOT SPB_SANITIZE) # sanitizers add symbols, and demands on whoever links
    set(objects)
    foreach(room base codec outbox core store transport node capture check)
        if(TARGET layer_${room})
            list(APPEND objects $<TARGET_OBJECTS:layer_${room}>)
        endif()
    endforeach()
    add_test(NAME house/circles COMMAND ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/circles.py ${PROJECT_SOURCE_DIR}
             ${CMAKE_NM} ${objects} COMMAND_EXPAND_LISTS)
    if(spb_has_shared)
        spb_house_test(exports ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/exports.py ${PROJECT_SOURCE_DIR} ${CMAKE_NM}
                       $<TARGET_FILE:spb> $<TARGET_FILE:spb_static> $<TARGET_FILE:spb_core>)
    endif()
    if(spb_has_shared AND SPB_INSTALL)
        spb_house_test(consumer ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/consumer.py ${PROJECT_SOURCE_DIR}
                       ${PROJECT_BINARY_DIR} ${CMAKE_COMMAND} ${CMAKE_C_COMPILER} ${PKG_CONFIG_EXECUTABLE}
                       ${SPB_BUILD_CLI})
    endif()
    if(CMAKE_C_COMPILER_LAUNCHER)
        set(launcher -DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER})
    endif()
    spb_house_test(subproject ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/subproject.py ${PROJECT_SOURCE_DIR}
                   ${CMAKE_COMMAND} ${CMAKE_C_COMPILER} ${PKG_CONFIG_EXECUTABLE} ${launcher})
    set_tests_properties(house/subproject PROPERTIES TIMEOUT 900) # it compiles the library twice
    if(SPB_BUILD_CLI AND spb_has_shared)
        spb_house_test(readme ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/readme.py ${PROJECT_SOURCE_DIR}
                       ${CMAKE_C_COMPILER} $<TARGET_FILE:spb> $<TARGET_FILE:spb_cli>)
    endif()
endif()
