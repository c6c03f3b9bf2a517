# `cmake --build --preset release --target single_header`: octet/octet.hpp and octet/io/onnx.hpp as one file each, in
# build/release/single. What includes the headers compiles against these unchanged.
set(single "${CMAKE_BINARY_DIR}/single")
set(include "${PROJECT_SOURCE_DIR}/include")
file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${include}/octet/*.hpp")

function(single_header header)
    add_custom_command(OUTPUT "${single}/${header}"
                       COMMAND "${CMAKE_COMMAND}" -D "HEADER=${header}" -D "INCLUDE=${include}" -D "TO=${single}/${header}" ${ARGN}
                               -P "${PROJECT_SOURCE_DIR}/cmake/amalgamate.cmake"
                       DEPENDS ${headers} "${PROJECT_SOURCE_DIR}/cmake/amalgamate.cmake" VERBATIM)
endfunction()
single_header(octet/octet.hpp)
single_header(octet/io/onnx.hpp -D AFTER=octet/octet.hpp)
add_custom_target(single_header DEPENDS "${single}/octet/octet.hpp" "${single}/octet/io/onnx.hpp")
