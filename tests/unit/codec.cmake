spb_unit_test(schema codec)
spb_unit_test(value codec)
spb_unit_test(array codec)
spb_unit_test(value_resolve codec)
spb_unit_test(value_equal codec)
spb_unit_test(value_copy codec)
spb_unit_test(check codec)
spb_unit_test(topic codec)
spb_unit_test(host_state codec)
spb_unit_test(payload codec support/hex.c support/vectors.c)
spb_unit_test(rare codec support/hex.c)
spb_unit_test(preflight codec support/hex.c)
spb_unit_test(encode codec support/hex.c)
spb_unit_test(reframe codec support/hex.c support/random_payload.c)
spb_unit_test(builders codec)
spb_unit_test(compress codec support/hex.c)
spb_unit_test(round_trip codec support/random_payload.c support/reference.c)
spb_unit_test(heap codec support/failing_heap.c support/random_payload.c)
target_link_options(test_heap PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)
target_link_libraries(test_heap PRIVATE Threads::Threads)
spb_unit_test(decode codec support/hex.c)

# As in a program that has code of its own from the same schema, with the package that the file names.
set(tahu ${PROJECT_BINARY_DIR}/generated/tahu)
add_custom_command(OUTPUT ${tahu}/tahu.pb-c.c ${tahu}/tahu.pb-c.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${tahu}
    COMMAND ${CMAKE_COMMAND} -E copy ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto ${tahu}/tahu.proto
    COMMAND ${PROTOC_C} --c_out=${tahu} --proto_path=${tahu} ${tahu}/tahu.proto
    DEPENDS ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto VERBATIM)
add_library(tahu_schema OBJECT ${tahu}/tahu.pb-c.c ${tahu}/tahu.pb-c.h)
target_include_directories(tahu_schema SYSTEM PUBLIC ${tahu})
spb_unit_test(protobuf codec support/hex.c support/random_payload.c)
target_link_libraries(test_protobuf PRIVATE tahu_schema)
