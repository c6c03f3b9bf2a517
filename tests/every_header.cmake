# Every header compiles alone, without a warning: one translation unit each, which holds its #include and nothing else.
# One more unit includes them all, so that each header stands twice in the program: a function that is not inline, or a
# variable, fails to link.
file(GLOB_RECURSE headers RELATIVE "${PROJECT_SOURCE_DIR}/include" CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/octet/*.hpp")
foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER "${header}" unit)
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/header_units/${unit}.cpp")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "#include <@header@>\n" @ONLY)
    list(APPEND units "${unit}")
endforeach()
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n" OUTPUT_VARIABLE all)
list(JOIN all "" all)
file(CONFIGURE OUTPUT header_units/all.cpp CONTENT "@all@int main() {}\n" @ONLY)

add_executable(every_header ${units} "${CMAKE_CURRENT_BINARY_DIR}/header_units/all.cpp")
target_link_libraries(every_header PRIVATE octet::onnx octet::json octet_warnings Eigen3::Eigen xsimd)
target_compile_options(every_header PRIVATE -O0)  # the front end and the linker are asked
