# What is made of src/cli/help: the texts of --help for the tool, man pages and completion to be installed. awk is there
# wherever a C compiler is.
find_program(AWK NAMES awk mawk gawk REQUIRED)
set(help_dir ${PROJECT_SOURCE_DIR}/src/cli/help)
set(help_made ${PROJECT_BINARY_DIR}/help)
set(commands decode encode check watch edge store fence-test)
list(TRANSFORM commands PREPEND ${help_dir}/ OUTPUT_VARIABLE help_sources)
list(TRANSFORM help_sources APPEND .txt)
list(PREPEND help_sources ${help_dir}/spb.txt ${help_dir}/mqtt.txt)

# spb_help(file.c -v form=c …)
function(spb_help output)
    add_custom_command(OUTPUT ${help_made}/${output}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${help_made}
        COMMAND ${AWK} ${ARGN} -f ${PROJECT_SOURCE_DIR}/cmake/help.awk ${help_sources} > ${help_made}/${output}
        DEPENDS ${help_sources} ${PROJECT_SOURCE_DIR}/cmake/help.awk ${PROJECT_SOURCE_DIR}/cmake/completion.bash
        VERBATIM)
    set_property(GLOBAL APPEND PROPERTY spb_help ${help_made}/${output})
endfunction()

spb_help(help.c -v form=c)
spb_help(spb.bash -v form=bash -v frame=${PROJECT_SOURCE_DIR}/cmake/completion.bash)
spb_help(spb.1 -v form=man -v page=spb -v version=${PROJECT_VERSION})
foreach(command ${commands})
    spb_help(spb-${command}.1 -v form=man -v page=${command} -v version=${PROJECT_VERSION})
endforeach()
get_property(help_outputs GLOBAL PROPERTY spb_help)
add_custom_target(spb_help ALL DEPENDS ${help_outputs})

# For cmake/install.cmake.
set(help_pages ${help_outputs})
list(FILTER help_pages INCLUDE REGEX "[.]1$")
set(help_pages ${help_pages} PARENT_SCOPE)
set(help_completion ${help_made}/spb.bash PARENT_SCOPE)
