# Everything comes from Debian 12 packages, found with pkg-config where they bring a .pc file.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(protobuf_c REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
find_program(PROTOC_C protoc-c REQUIRED)

# paho.mqtt.c brings neither a usable .pc file nor CMake package in Debian 12. The build with TLS is `as`.
find_path(PAHO_INCLUDE_DIR MQTTAsync.h REQUIRED)
find_library(PAHO_LIBRARY paho-mqtt3as REQUIRED)
add_library(paho UNKNOWN IMPORTED)
set_target_properties(paho PROPERTIES IMPORTED_LOCATION ${PAHO_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                      ${PAHO_INCLUDE_DIR})
