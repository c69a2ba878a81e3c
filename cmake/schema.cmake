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
target_link_libraries(spb_schema PUBLIC PkgConfig::libprotobuf-c PRIVATE spb_hardening) # not the warnings: protoc-c's code is not ours

# spb_schema_table(codec/schema.h h): awk is there wherever a C compiler is, also where protoc-c makes code for another machine.
find_program(AWK NAMES awk mawk gawk REQUIRED)
function(spb_schema_table output form)
    get_filename_component(directory ${output} DIRECTORY)
    add_custom_command(OUTPUT ${generated}/${output}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}/${directory}
        COMMAND ${AWK} -v form=${form} -f ${PROJECT_SOURCE_DIR}/cmake/schema.awk ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto
                > ${generated}/${output}
        DEPENDS ${PROJECT_SOURCE_DIR}/proto/sparkplug_b.proto ${PROJECT_SOURCE_DIR}/cmake/schema.awk
        VERBATIM)
endfunction()
spb_schema_table(codec/schema.h h)
spb_schema_table(codec/schema_tables.c c)

spb_schema_table(cli/wire_names.h wires)
target_sources(spb_schema PRIVATE ${generated}/codec/schema.h ${generated}/codec/schema_tables.c ${generated}/cli/wire_names.h)
target_include_directories(spb_schema PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
