# Everything comes from Debian 12 packages.
include(${CMAKE_CURRENT_LIST_DIR}/spbDependencies.cmake)
if(spb_missing)
    message(FATAL_ERROR "Not found: ${spb_missing}. On Debian, scripts/install-deps installs all that the build needs.")
endif()
