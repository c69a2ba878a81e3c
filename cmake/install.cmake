# What `cmake --install` gives: the libraries, the headers, the tool, and the two ways to find them. All of it may be
# moved to another prefix.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spb)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(spb_has_shared)
    install(TARGETS spb EXPORT spbTargets)
    install(EXPORT spbTargets NAMESPACE spb:: DESTINATION ${package_dir})
endif()
install(TARGETS spb_static spb_core EXPORT spbStaticTargets)
install(EXPORT spbStaticTargets NAMESPACE spb:: DESTINATION ${package_dir})
install(DIRECTORY include/spb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES proto/sparkplug_b.proto DESTINATION ${CMAKE_INSTALL_DATADIR}/spb)
set(doc_dir ${CMAKE_INSTALL_DOCDIR})
if(NOT PROJECT_IS_TOP_LEVEL) # it may be that of the parent
    set(doc_dir ${CMAKE_INSTALL_DATAROOTDIR}/doc/spb)
endif()
install(FILES LICENSE DESTINATION ${doc_dir})
install(DIRECTORY examples DESTINATION ${doc_dir} FILES_MATCHING PATTERN "*.c")
if(SPB_BUILD_CLI)
    if(spb_has_shared AND NOT SPB_STATIC_CLI)
        # The tool finds the library beside it, wherever both were put.
        file(RELATIVE_PATH lib_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
        set_target_properties(spb_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    endif()
    install(TARGETS spb_cli)
    install(FILES ${help_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${help_completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME spb)
endif()

configure_package_config_file(cmake/spbConfig.cmake.in spbConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(spbConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/spbConfig.cmake ${PROJECT_BINARY_DIR}/spbConfigVersion.cmake
              cmake/spbDependencies.cmake
        DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
set(pc_shared .private) # only who links the archive has to link what it needs
if(NOT spb_has_shared)
    set(pc_shared)
endif()
configure_file(cmake/spb.pc.in spb.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/spb.pc DESTINATION ${pkgconfig_dir})
