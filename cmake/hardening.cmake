# What compiler and linker have against attackers: spb_hardening, part of spb_flags, and so for all of our own code and
# nothing else. Each flag is tried first: processors and compilers differ. spb_pie: for programs, a random address.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
add_library(spb_hardening INTERFACE)
add_library(spb_pie INTERFACE)
target_link_libraries(spb_flags INTERFACE spb_hardening)

set(spb_hardened) # what there is, for the test of it
function(spb_harden_compiler flag name)
    if(CMAKE_C_COMPILER_ID MATCHES Clang) # takes what it cannot do for this processor, with a warning
        set(CMAKE_REQUIRED_FLAGS "-Werror=unused-command-line-argument -Werror=branch-protection")
    endif()
    check_c_compiler_flag(${flag} SPB_HAS_${name})
    if(SPB_HAS_${name})
        target_compile_options(spb_hardening INTERFACE ${flag})
        set(spb_hardened ${spb_hardened} ${name} PARENT_SCOPE)
    endif()
endfunction()

function(spb_harden_linker target flag name)
    set(CMAKE_REQUIRED_FLAGS -fPIE)
    check_linker_flag(C ${flag} SPB_HAS_${name})
    if(SPB_HAS_${name})
        target_link_options(${target} INTERFACE ${flag})
        set(spb_hardened ${spb_hardened} ${name} PARENT_SCOPE)
    endif()
endfunction()

if(SPB_HARDENING AND NOT SPB_SANITIZE) # sanitizers look for the same, and more closely
    # What a distribution or a user has set for FORTIFY stays so: the header looks first.
    target_compile_options(spb_hardening INTERFACE "SHELL:-include \"${PROJECT_SOURCE_DIR}/cmake/fortify.h\"")
    spb_harden_compiler(-fstack-protector-strong STACK_PROTECTOR)
    spb_harden_compiler(-fstack-clash-protection STACK_CLASH)
    spb_harden_compiler(-fcf-protection CF_PROTECTION) # x86
    spb_harden_compiler(-mbranch-protection=standard BRANCH_PROTECTION) # ARM, 64 bits
    spb_harden_linker(spb_hardening LINKER:-z,relro RELRO)
    spb_harden_linker(spb_hardening LINKER:-z,now NOW)
    spb_harden_linker(spb_hardening LINKER:-z,noexecstack NOEXECSTACK)
    spb_harden_linker(spb_pie -pie PIE)
endif()
