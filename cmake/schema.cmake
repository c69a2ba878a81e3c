# protobuf-c and the schema: the reference that tests and benchmarks hold our own codec against. The libraries do without.

# The schema's own package name stays in the file; the generated C symbols begin with spb__.
file(READ ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto schema)
string(REPLACE "package org.eclipse.tahu.protobuf;" "package spb.pb;" schema "${schema}")
set(generated ${PROJECT_BINARY_DIR}/generated)
file(CONFIGURE OUTPUT ${generated}/sparkplug_b.proto CONTENT "${schema}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto)
add_custom_command(
    OUTPUT ${generated}/sparkplug_b.pb-c.c ${generated}/sparkplug_b.pb-c.h
    COMMAND ${PROTOC_C} --c_out=${generated} --proto_path=${generated} ${generated}/sparkplug_b.proto
    DEPENDS ${generated}/sparkplug_b.proto)
add_library(spb_schema OBJECT ${generated}/sparkplug_b.pb-c.c ${generated}/sparkplug_b.pb-c.h)
target_include_directories(spb_schema SYSTEM PUBLIC ${generated})
target_link_libraries(spb_schema PUBLIC PkgConfig::protobuf_c)
