# Every header compiles alone, without a warning: one translation unit each, which holds its #include and nothing else.
file(GLOB_RECURSE headers RELATIVE "${PROJECT_SOURCE_DIR}/include" CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/octet/*.hpp")
foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER "${header}" unit)
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${unit}.cpp")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include <@header@>\n" @ONLY)
    list(APPEND units "${unit}")
endforeach()
add_library(headers_alone OBJECT ${units})
target_link_libraries(headers_alone PRIVATE octet::onnx octet_warnings Eigen3::Eigen xsimd)
target_compile_options(headers_alone PRIVATE -O0)  # the front end is what is asked
