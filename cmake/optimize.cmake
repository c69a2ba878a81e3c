# Optimization over all files at once (LTO) in what is built to be installed: an update costs 8 % less, and the library is
# 3 % smaller. Not by default where tests are built: each of their programs would be optimized anew. Only gcc puts plain
# machine code beside its own form into an object: that form is taken out of the archives, as no other version of gcc reads it.
set(lto_by_default OFF)
if(PROJECT_IS_TOP_LEVEL AND NOT SPB_BUILD_TESTS AND CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE MATCHES "^(Rel|MinSizeRel)")
    set(lto_by_default ON)
endif()
option(SPB_LTO "Optimize over all files at once (link-time optimization)" ${lto_by_default})

if(SPB_LTO)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT has_lto LANGUAGES C)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${has_lto})
    if(CMAKE_C_COMPILER_ID STREQUAL GNU)
        set(CMAKE_C_COMPILE_OPTIONS_IPO -flto=auto -ffat-lto-objects)
    endif()
endif()

# Of an archive: leaves the machine code alone, for linkers of any compiler.
function(spb_plain_archive name)
    if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_OBJCOPY)
        add_custom_command(TARGET ${name} POST_BUILD VERBATIM
                           COMMAND ${CMAKE_OBJCOPY} --wildcard --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_*
                                   --strip-symbol=__gnu_lto_* $<TARGET_FILE:${name}>)
    endif()
endfunction()
