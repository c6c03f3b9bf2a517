# ONNX Runtime of the npm package onnxruntime-node, run by bench/onnxruntime.mjs: OCTET_ONNXRUNTIME_DEFINITIONS, for what
# runs it; the paths are empty where it is missing.
find_program(OCTET_NODE node)
find_path(OCTET_ONNXRUNTIME onnxruntime-node/package.json
          HINTS "${CMAKE_BINARY_DIR}/node_modules" "${PROJECT_SOURCE_DIR}/build/node_modules" $ENV{NODE_PATH}
          PATH_SUFFIXES lib/node_modules node_modules)
set(onnxruntime_node)
if(OCTET_NODE AND OCTET_ONNXRUNTIME)
    set(onnxruntime_node "${OCTET_ONNXRUNTIME}/onnxruntime-node")
endif()
set(OCTET_ONNXRUNTIME_DEFINITIONS "OCTET_NODE=\"${OCTET_NODE}\";OCTET_ONNXRUNTIME=\"${onnxruntime_node}\";\
OCTET_ONNXRUNTIME_SCRIPT=\"${PROJECT_SOURCE_DIR}/bench/onnxruntime.mjs\"")
