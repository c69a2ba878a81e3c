# Everything comes from Debian 12 packages.
include(${CMAKE_CURRENT_LIST_DIR}/spbDependencies.cmake)
if(SPB_BUILD_CLI) # only the tool reads captures
    pkg_check_modules(pcap QUIET IMPORTED_TARGET libpcap)
    if(NOT pcap_FOUND)
        list(APPEND spb_missing libpcap)
    endif()
endif()
if(spb_missing)
    message(FATAL_ERROR "Not found: ${spb_missing}. On Debian, scripts/install-deps installs all that the build needs.")
endif()
