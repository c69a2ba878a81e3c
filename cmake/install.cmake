# What `cmake --install` gives: the libraries, the headers, the tool, and the two ways to find them. All of it may be
# moved to another prefix.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spb)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS spb EXPORT spbTargets)
install(TARGETS spb_static spb_core EXPORT spbStaticTargets)
install(DIRECTORY include/spb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(SPB_BUILD_CLI)
    # The tool finds the library beside it, wherever both were put.
    file(RELATIVE_PATH lib_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(spb_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    install(TARGETS spb_cli)
endif()

configure_package_config_file(cmake/spbConfig.cmake.in spbConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(spbConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/spbConfig.cmake ${PROJECT_BINARY_DIR}/spbConfigVersion.cmake
              cmake/spbDependencies.cmake
        DESTINATION ${package_dir})
install(EXPORT spbTargets NAMESPACE spb:: DESTINATION ${package_dir})
install(EXPORT spbStaticTargets NAMESPACE spb:: DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
configure_file(cmake/spb.pc.in spb.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/spb.pc DESTINATION ${pkgconfig_dir})
