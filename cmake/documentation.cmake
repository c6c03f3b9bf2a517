# `cmake --build --preset release --target documentation`: the public headers as HTML, by Doxygen, in
# build/release/documentation/html. A warning is an error.
find_package(Doxygen QUIET)
if(NOT DOXYGEN_FOUND)
    add_custom_target(documentation COMMAND "${CMAKE_COMMAND}" -E echo "doxygen was not found (Debian: doxygen): install it, then configure again"
                      COMMAND "${CMAKE_COMMAND}" -E false VERBATIM)
    return()
endif()
set(DOXYGEN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/documentation")
set(DOXYGEN_STRIP_FROM_PATH "${PROJECT_SOURCE_DIR}/include")
set(DOXYGEN_STRIP_FROM_INC_PATH "${PROJECT_SOURCE_DIR}/include")
set(DOXYGEN_USE_MDFILE_AS_MAINPAGE README.md)
set(DOXYGEN_EXTRACT_ALL YES)
set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
set(DOXYGEN_EXCLUDE_SYMBOLS "*detail*")
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
set(DOXYGEN_QUIET YES)
set(DOXYGEN_GENERATE_LATEX NO)
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_MACRO_EXPANSION YES)
set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
set(DOXYGEN_PREDEFINED "OCTET_REGION(isa)=" OCTET_REGION_END= OCTET_INLINE=inline __x86_64__ __cpp_exceptions "__attribute__(x)=")
set(DOXYGEN_INPUT_FILTER "sed s/::inline[[:space:]]*OCTET_ABI//")  # Doxygen 1.9 loses the name before `inline`
doxygen_add_docs(documentation "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/include/octet")
