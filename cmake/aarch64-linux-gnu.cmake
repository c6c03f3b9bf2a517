# Cross build for 64-bit Arm with Debian's g++-aarch64-linux-gnu; programs run under qemu-user.
# GoogleTest is built from its source package. Google Benchmark comes from arm64 packages that .ci/fetch_arm64 unpacks.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)  # GoogleTest's project asks for C
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(OCTET_ARM64_PACKAGES "${CMAKE_CURRENT_LIST_DIR}/../build/arm64/usr" CACHE PATH "Where .ci/fetch_arm64 unpacked")
list(APPEND CMAKE_PREFIX_PATH "${OCTET_ARM64_PACKAGES}")

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
