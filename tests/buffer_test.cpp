// label: law
// Buffers: zeroed, aligned to a cache line, copied as bytes, moved without copying; and slabs, which lend them memory.
#include "octet/core/buffer.hpp"
#include "octet/core/slab.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <utility>

#include "network_data.hpp"

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

TEST(buffer, refuses_what_no_memory_holds) {
    for (const std::size_t count : {std::size_t{1} << 61, (std::size_t{1} << 62) + 1, ~std::size_t{0}})
        octet::test::expect_error([&] { buffer<float> all(count); }, "no memory for", "of 4 bytes", "lower the batch");
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

using octet::slab;

TEST(slab, lends_memory_in_the_order_of_asking) {
    slab from(256);
    buffer<std::int8_t> a = slab::take<std::int8_t>(&from, 65);
    const buffer<std::int32_t> b = slab::take<std::int32_t>(&from, 16);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 64, 0U);
    EXPECT_EQ(reinterpret_cast<const std::byte*>(b.data()) - reinterpret_cast<std::byte*>(a.data()), 128);
    EXPECT_EQ(a.size(), 65U);
    EXPECT_EQ(b.size(), 16U);
    EXPECT_EQ(from.used(), 192U);
    for (const std::int8_t x : a) EXPECT_EQ(x, 0);
    for (const std::int32_t x : b) EXPECT_EQ(x, 0);

    const slab moved = std::move(from);  // the memory stays where it is
    a[64] = 3;
    const std::int8_t* const where = a.data();
    const buffer<std::int8_t> copy = a;  // in memory of its own
    EXPECT_NE(copy.data(), where);
    const buffer<std::int8_t> same = std::move(a);
    EXPECT_EQ(same.data(), where);
    EXPECT_EQ(copy[64], 3);
    EXPECT_EQ(moved.used(), 192U);
    EXPECT_EQ(slab::take<int>(&from, 3).size(), 3U);  // what was moved from has no room
}

TEST(slab, lent_and_owned_buffers_may_be_assigned_to_each_other) {
    slab from(128);
    buffer<int> lent = slab::take<int>(&from, 16), owned(3);
    const int *const lent_at = lent.data(), *const owned_at = owned.data();
    std::swap(lent, owned);
    EXPECT_EQ(owned.data(), lent_at);
    EXPECT_EQ(lent.data(), owned_at);
    lent = std::move(owned);
    EXPECT_EQ(lent.data(), lent_at);
    owned = lent;
    EXPECT_NE(owned.data(), lent_at);
    EXPECT_EQ(owned.size(), 16U);
}

TEST(slab, without_room_a_buffer_has_memory_of_its_own) {
    slab from(100);  // whole cache lines
    const buffer<std::byte> first = slab::take<std::byte>(&from, 60), large = slab::take<std::byte>(&from, 65);
    const buffer<std::byte> last = slab::take<std::byte>(&from, 64), none = slab::take<std::byte>(&from, 1);
    EXPECT_EQ(last.data(), first.data() + 64);
    EXPECT_EQ(from.used(), 128U);
    const buffer<std::byte> alone = slab::take<std::byte>(nullptr, 5);
    for (const buffer<std::byte>* one : {&large, &none, &alone}) {
        EXPECT_TRUE(one->data() < first.data() || one->data() >= first.data() + 128);
        for (const std::byte x : *one) EXPECT_EQ(x, std::byte{});
    }
}

}  // namespace
