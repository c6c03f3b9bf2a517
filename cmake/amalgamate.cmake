# cmake -D HEADER=octet/octet.hpp -D INCLUDE=<include directory> -D TO=<file> [-D AFTER=<header>] -P amalgamate.cmake
# Writes HEADER and all of Octet's headers that it includes as one file. What is included as <...> stays where it stands:
# outside of target regions, as in the headers. With AFTER, what that header brings is left out, and the file begins by
# including it.
cmake_minimum_required(VERSION 3.21)

set(brought)  # headers that were written
# append(<header>): its text goes to `text`, each header that it includes in the place of the include.
function(append header)
    if(header IN_LIST brought)
        return()
    endif()
    list(APPEND brought "${header}")
    file(READ "${INCLUDE}/${header}" left)
    while(left MATCHES "#include \"(octet/[^\"]+)\"\n")
        string(FIND "${left}" "${CMAKE_MATCH_0}" at)
        set(included "${CMAKE_MATCH_1}")
        string(LENGTH "${CMAKE_MATCH_0}" length)
        string(SUBSTRING "${left}" 0 ${at} before)
        math(EXPR at "${at} + ${length}")
        string(SUBSTRING "${left}" ${at} -1 left)
        string(APPEND text "${before}")
        append("${included}")
    endwhile()
    string(APPEND text "${left}")
    set(brought "${brought}" PARENT_SCOPE)
    set(text "${text}" PARENT_SCOPE)
endfunction()

if(AFTER)
    append("${AFTER}")
endif()
set(text)
append("${HEADER}")
string(REPLACE "#pragma once\n" "" text "${text}")
string(REGEX REPLACE "\n\n\n+" "\n\n" text "${text}")
set(head "// ${HEADER} with all that it includes, in one file. Licence: Apache-2.0.\n#pragma once\n")
if(AFTER)
    string(APPEND head "#include <${AFTER}>\n")
endif()
file(WRITE "${TO}" "${head}\n${text}")
