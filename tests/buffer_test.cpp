// label: law
// Buffers: zeroed, aligned to a cache line, copied as bytes, moved without copying.
#include "octet/core/buffer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <utility>

namespace {

using octet::buffer;

TEST(buffer, is_zeroed_and_aligned) {
    for (const std::size_t count : {1U, 3U, 64U, 1000U}) {
        buffer<std::int32_t> all(count);
        EXPECT_EQ(all.size(), count);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(all.data()) % 64, 0U);
        for (const std::int32_t x : std::as_const(all)) EXPECT_EQ(x, 0);
        std::iota(all.begin(), all.end(), 1);  // leaves the memory dirty for the next round
    }
}

TEST(buffer, may_be_empty) {
    const buffer<float> none, zero(0);
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(zero.size(), 0U);
    EXPECT_EQ(none.begin(), none.end());
    const buffer<float> copy = zero;
    EXPECT_EQ(copy.data(), nullptr);
}

TEST(buffer, copies_are_independent) {
    buffer<int> a(5);
    std::iota(a.begin(), a.end(), 10);
    buffer<int> b = a;
    b[0] = 99;
    EXPECT_EQ(a[0], 10);
    EXPECT_EQ(b[4], 14);
    EXPECT_NE(a.data(), b.data());
    a = b;
    EXPECT_EQ(a[0], 99);
    EXPECT_NE(a.data(), b.data());
    const buffer<int>& same = a;
    a = same;
    EXPECT_EQ(a.size(), 5U);
    EXPECT_EQ(a[0], 99);
}

TEST(buffer, moves_keep_the_memory) {
    buffer<int> a(5);
    a[2] = 7;
    const int* where = a.data();
    buffer<int> b = std::move(a);
    EXPECT_EQ(b.data(), where);
    EXPECT_EQ(b.size(), 5U);
    buffer<int> c(2);
    c = std::move(b);
    EXPECT_EQ(c.data(), where);
    EXPECT_EQ(c[2], 7);
}

}  // namespace
