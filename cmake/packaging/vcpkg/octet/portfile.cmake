# An overlay port: vcpkg install octet[onnx] --overlay-ports=<this tree>/cmake/packaging/vcpkg. It packages the tree that
# it stands in.
set(VCPKG_BUILD_TYPE release)  # headers alone
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS options
                     INVERTED_FEATURES
                     onnx CMAKE_DISABLE_FIND_PACKAGE_Protozero
                     json CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
                      OPTIONS -DOCTET_BUILD_TESTS=OFF -DOCTET_BUILD_BENCH=OFF -DOCTET_BUILD_EXAMPLES=OFF ${options})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/octet)
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
