# What decoders of other projects make of our payloads.
find_program(PROTOC protoc)
if(PROTOC)
    add_executable(write_payloads cross/write_payloads.c support/random_payload.c)
    target_include_directories(write_payloads PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_definitions(write_payloads PRIVATE _POSIX_C_SOURCE=200809L)
    target_link_libraries(write_payloads PRIVATE spb_flags ${layers_codec} ${needs_codec})
    add_test(NAME cross/protoc COMMAND ${PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/cross/protoc.py
                                       $<TARGET_FILE:write_payloads> ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto)
endif()
