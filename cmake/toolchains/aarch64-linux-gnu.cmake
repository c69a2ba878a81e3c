# For 64-bit ARM (Debian's arm64), with Debian's cross compiler and the libraries of that architecture:
#   cmake -S . -B build/arm64 --toolchain cmake/toolchains/aarch64-linux-gnu.cmake
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(spb_cross aarch64-linux-gnu)
set(spb_emulator qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
