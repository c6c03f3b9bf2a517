# The package as its users meet it: installed and found, with and without what its components need, and as a subdirectory.
set(prefix "${CMAKE_CURRENT_BINARY_DIR}/installed")
add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND} --install "${PROJECT_BINARY_DIR}" --prefix "${prefix}" --component library)
set_property(TEST consumer.install PROPERTY FIXTURES_SETUP installed_octet)

# consumer(<name> <directory> <cache entry>...): configures, builds and runs the project that stands in <directory>.
function(consumer name directory)
    add_test(NAME consumer.${name}
             COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test "${CMAKE_CURRENT_SOURCE_DIR}/${directory}"
                     "${CMAKE_CURRENT_BINARY_DIR}/consumer_${name}" --build-generator "${CMAKE_GENERATOR}" --build-noclean
                     --build-options "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}" ${ARGN} --test-command consumer)
    set_property(TEST consumer.${name} PROPERTY FIXTURES_REQUIRED installed_octet)
endfunction()

set(find_installed "-DCMAKE_PREFIX_PATH=${prefix}")
set(without_any -DCMAKE_DISABLE_FIND_PACKAGE_Protozero=ON -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON)
consumer(find_package consumer_find_package ${find_installed})
consumer(find_package_without_any consumer_find_package ${find_installed} ${without_any})
foreach(component_and_need "onnx;protozero" "json;nlohmann-json")
    list(POP_FRONT component_and_need component)
    consumer(find_package_${component} consumer_find_package ${find_installed} -DCOMPONENT=${component})
    consumer(find_package_${component}_without_any consumer_find_package ${find_installed} ${without_any}
             -DCOMPONENT=${component})
    set_property(TEST consumer.find_package_${component}_without_any PROPERTY PASS_REGULAR_EXPRESSION
                 "component '${component}' needs the headers of ${component_and_need}")
endforeach()
consumer(subdirectory consumer_subdirectory "-DOCTET_SOURCE=${PROJECT_SOURCE_DIR}")
