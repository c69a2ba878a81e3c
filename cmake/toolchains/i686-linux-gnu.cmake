# For 32-bit x86 (Debian's i386), with Debian's cross compiler and the libraries of that architecture:
#   cmake -S . -B build/i386 --toolchain cmake/toolchains/i686-linux-gnu.cmake
set(CMAKE_SYSTEM_PROCESSOR i686)
set(spb_cross i686-linux-gnu)
set(spb_multiarch i386-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
