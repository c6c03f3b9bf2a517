// label: law
// The version in the headers is the one that the CMake package announces.
#include <gtest/gtest.h>

#include <octet/octet.hpp>
#include <string>

TEST(version, is_the_one_of_the_package) {
    const auto version = std::to_string(OCTET_VERSION_MAJOR) + "." + std::to_string(OCTET_VERSION_MINOR) + "." +
                         std::to_string(OCTET_VERSION_PATCH);
    EXPECT_EQ(version, OCTET_PACKAGE_VERSION);
}
