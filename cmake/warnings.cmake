# The flags of our own code; generated code is compiled without them.
add_library(spb_flags INTERFACE)
target_compile_options(
    spb_flags
    INTERFACE -Wall
              -Wextra
              -Wpedantic
              -Wshadow
              -Wstrict-prototypes
              -Wmissing-prototypes
              -Wpointer-arith
              -Wwrite-strings
              -Wformat=2
              -Wvla
              -Wundef
              # clang, not gcc, also looks into the functions that only pass a va_list on
              $<$<C_COMPILER_ID:Clang,AppleClang>:-Wno-format-nonliteral>
              $<$<BOOL:${SPB_WERROR}>:-Werror>)

# On 32 bits: files over 2 GiB, and times after 2038. What passes a time_t to a library, or takes one from it, has to see
# it as that library does, and sets SPB_TIME_OF_SYSTEM.
target_compile_definitions(
    spb_flags INTERFACE _FILE_OFFSET_BITS=64 $<$<NOT:$<BOOL:$<TARGET_PROPERTY:SPB_TIME_OF_SYSTEM>>>:_TIME_BITS=64>)

if(SPB_SANITIZE)
    add_compile_options(-fsanitize=${SPB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SPB_SANITIZE})
endif()
