# What the toolchain files have in common. spb_cross: what the names of the compiler and its tools begin with;
# spb_multiarch: the directory of the libraries below /usr/lib, if that is another name; spb_emulator: the program that
# runs what this machine cannot.
#
# With -DCMAKE_SYSROOT=DIR the libraries are those of an image of the target below DIR.
set(CMAKE_SYSTEM_NAME Linux)
if(NOT spb_multiarch)
    set(spb_multiarch ${spb_cross})
endif()
set(CMAKE_C_COMPILER ${spb_cross}-gcc)
set(CMAKE_CXX_COMPILER ${spb_cross}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${spb_multiarch})

# Without this, pkg-config tells of the libraries of the machine that builds.
set(spb_pkgconfig)
foreach(directory local/lib/${spb_multiarch} local/lib lib/${spb_multiarch} lib share)
    list(APPEND spb_pkgconfig ${CMAKE_SYSROOT}/usr/${directory}/pkgconfig)
endforeach()
list(JOIN spb_pkgconfig : spb_pkgconfig)
set(ENV{PKG_CONFIG_LIBDIR} ${spb_pkgconfig})
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})

# So that ctest can run the unit tests here (scripts/install-deps test:ARCH).
if(spb_emulator)
    find_program(SPB_EMULATOR NAMES ${spb_emulator}-static ${spb_emulator})
    mark_as_advanced(SPB_EMULATOR)
    if(SPB_EMULATOR)
        set(CMAKE_CROSSCOMPILING_EMULATOR ${SPB_EMULATOR})
        if(CMAKE_SYSROOT)
            list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L ${CMAKE_SYSROOT})
        endif()
    endif()
endif()

# Programs run on this machine. A sysroot has no others' libraries in it.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
if(CMAKE_SYSROOT)
    set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
    set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
    set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
endif()
