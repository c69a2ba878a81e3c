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

if(SPB_SANITIZE)
    add_compile_options(-fsanitize=${SPB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SPB_SANITIZE})
endif()
