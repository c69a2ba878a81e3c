# The libraries that libspb is made with, as imported targets; those not found are listed in spb_missing. Used by the
# build, and installed for those who link libspb.a or libspb_core.a.
find_package(Threads QUIET)
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(libprotobuf-c QUIET IMPORTED_TARGET libprotobuf-c)
    pkg_check_modules(jansson QUIET IMPORTED_TARGET jansson)
    pkg_check_modules(zlib QUIET IMPORTED_TARGET zlib)
    pkg_check_modules(sqlite3 QUIET IMPORTED_TARGET sqlite3)
    pkg_check_modules(openssl QUIET IMPORTED_TARGET libssl libcrypto) # paho's own; it keeps to itself why TLS failed
endif()

# paho.mqtt.c brings neither a .pc file nor a usable CMake package in Debian 12. The build with TLS is `as`.
find_path(SPB_PAHO_INCLUDE_DIR MQTTAsync.h)
find_library(SPB_PAHO_LIBRARY paho-mqtt3as)
mark_as_advanced(SPB_PAHO_INCLUDE_DIR SPB_PAHO_LIBRARY)
if(SPB_PAHO_INCLUDE_DIR AND SPB_PAHO_LIBRARY AND NOT TARGET spb::paho)
    add_library(spb::paho UNKNOWN IMPORTED)
    set_target_properties(spb::paho PROPERTIES IMPORTED_LOCATION ${SPB_PAHO_LIBRARY}
                                               INTERFACE_INCLUDE_DIRECTORIES ${SPB_PAHO_INCLUDE_DIR})
endif()

set(spb_missing)
foreach(target Threads::Threads PkgConfig::libprotobuf-c PkgConfig::jansson PkgConfig::zlib PkgConfig::sqlite3 PkgConfig::openssl spb::paho)
    if(NOT TARGET ${target})
        string(REGEX REPLACE ".*::" "" name ${target})
        list(APPEND spb_missing ${name})
    endif()
endforeach()
list(JOIN spb_missing ", " spb_missing)
