# Finds protozero, header-only. Debian's package brings no CMake file, so Octet installs this one with its own.
#   Protozero_FOUND, Protozero_VERSION, and the target protozero::protozero
find_path(Protozero_INCLUDE_DIR protozero/pbf_reader.hpp)
mark_as_advanced(Protozero_INCLUDE_DIR)

if(Protozero_INCLUDE_DIR)
    file(STRINGS "${Protozero_INCLUDE_DIR}/protozero/version.hpp" Protozero_VERSION REGEX "PROTOZERO_VERSION_STRING")
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" Protozero_VERSION "${Protozero_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Protozero REQUIRED_VARS Protozero_INCLUDE_DIR VERSION_VAR Protozero_VERSION)

if(Protozero_FOUND AND NOT TARGET protozero::protozero)
    add_library(protozero::protozero INTERFACE IMPORTED)
    target_include_directories(protozero::protozero INTERFACE "${Protozero_INCLUDE_DIR}")
endif()
