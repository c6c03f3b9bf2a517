# What `cmake --install` lays down. Component `library`: headers and the CMake package; the tool comes with examples/.
# The core's targets and those of each component stand in files of their own, so that the core loads without protozero.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/octet")

install(DIRECTORY include/octet DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library FILES_MATCHING PATTERN "*.hpp")
install(TARGETS octet EXPORT octet_core)
install(EXPORT octet_core NAMESPACE octet:: FILE octet_core.cmake DESTINATION "${package_dir}" COMPONENT library)
foreach(component onnx json)
    if(TARGET octet_${component})
        install(TARGETS octet_${component} EXPORT octet_${component})
        install(EXPORT octet_${component} NAMESPACE octet:: FILE octet_${component}.cmake DESTINATION "${package_dir}"
                COMPONENT library)
    endif()
endforeach()

configure_package_config_file(cmake/octetConfig.cmake.in octetConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(octetConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/octetConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/octetConfigVersion.cmake"
              cmake/FindProtozero.cmake DESTINATION "${package_dir}" COMPONENT library)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT library)

# pkg-config, for projects without CMake; found from its own place, so that the tree can be moved.
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
file(RELATIVE_PATH octet_prefix_from_pc "/prefix/${pkgconfig_dir}" /prefix)
configure_file(cmake/octet.pc.in octet.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/octet.pc" DESTINATION "${pkgconfig_dir}" COMPONENT library)
