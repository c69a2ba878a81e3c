# What is made of proto/sparkplug_b.proto, the only place where the schema is written: the code of protoc-c, and the tables
# of the codec's hot loops. spb_schema is part of the library.
set(generated ${PROJECT_BINARY_DIR}/generated)

# The package's own name stays in the file. The C symbols begin with spb__pb__: a program may link its own code of the
# same schema beside libspb.a.
file(READ ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto schema)
string(REPLACE "package org.eclipse.tahu.protobuf;" "package spb.pb;" schema "${schema}")
file(CONFIGURE OUTPUT ${generated}/sparkplug_b.proto CONTENT "${schema}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto)
add_custom_command(
    OUTPUT ${generated}/sparkplug_b.pb-c.c ${generated}/sparkplug_b.pb-c.h
    COMMAND ${PROTOC_C} --c_out=${generated} --proto_path=${generated} ${generated}/sparkplug_b.proto
    DEPENDS ${generated}/sparkplug_b.proto
    VERBATIM)
add_library(spb_schema OBJECT ${generated}/sparkplug_b.pb-c.c ${generated}/sparkplug_b.pb-c.h)
set_target_properties(spb_schema PROPERTIES C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
target_include_directories(spb_schema SYSTEM PUBLIC ${generated})
target_link_libraries(spb_schema PUBLIC PkgConfig::libprotobuf-c PRIVATE spb_hardening) # not the warnings: it is not our code
