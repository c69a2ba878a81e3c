# For 32-bit ARM with a floating-point unit (Debian's armhf), with Debian's cross compiler and the libraries of that
# architecture:
#   cmake -S . -B build/armhf --toolchain cmake/toolchains/arm-linux-gnueabihf.cmake
set(CMAKE_SYSTEM_PROCESSOR arm)
set(spb_cross arm-linux-gnueabihf)
set(spb_emulator qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
