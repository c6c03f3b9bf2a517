// label: law
// Lookup: every instruction set finds every value of a table, at every place of a vector, and nothing beyond its
// operands.
#include "octet/kernel/lookup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using namespace octet;
using namespace octet::test;

/// All 256 bytes in some order, so that no two values find the same.
lookup_table shuffled() {
    lookup_table table;
    for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::int8_t>(i * 77 + 31);
    return table;
}

TEST(lookup, every_isa_finds_every_value_at_every_place) {
    const lookup_table table = shuffled();
    for (const isa which : supported_isas()) {
        const auto kernel = choose_lookup(which);
        const isa widest = cpu().avx512_vbmi ? isa::avx512_vnni : isa::avx512bw;
        ASSERT_EQ(kernel.target, expected_target(which, {widest, isa::avx512bw, isa::avx2, isa::sse41}));
        for (int first = 0; first < 256; ++first) {
            std::vector<std::int8_t> in(256), out(256);
            std::iota(in.begin(), in.end(), static_cast<std::int8_t>(first));
            kernel.run(table, in.data(), in.size(), out.data());
            for (std::size_t i = 0; i < in.size(); ++i)
                ASSERT_EQ(out[i], table[static_cast<std::size_t>(in[i] + 128)])
                    << to_string(which) << ' ' << int{in[i]};
        }
    }
}

TEST(lookup, rows_of_every_length_in_place_too) {
    const lookup_table table = shuffled();
    data_source data(1);
    std::vector<int> lengths = edge_sizes();
    lengths.push_back(0);
    for (const isa which : supported_isas())
        for (const int length : lengths) {
            const auto n = static_cast<std::size_t>(length);
            const guard side = length % 2 == 0 ? guard::end : guard::begin;
            const guarded<std::int8_t> in(n, side), out(n, side);
            data.bytes(in.all(), fill::random);
            std::vector<std::int8_t> expected(n + 80, untouched), wide = expected;
            for (std::size_t i = 0; i < n; ++i) expected[i + 7] = table[static_cast<std::size_t>(in[i] + 128)];
            const auto run = choose_lookup(which).run;
            run(table, in.data(), n, out.data());
            ASSERT_TRUE(std::equal(out.begin(), out.end(), expected.begin() + 7)) << to_string(which) << ' ' << n;
            run(table, in.data(), n, wide.data() + 7);
            ASSERT_EQ(wide, expected) << to_string(which) << ' ' << n;
            run(table, in.data(), n, in.data());
            ASSERT_TRUE(std::equal(in.begin(), in.end(), expected.begin() + 7)) << to_string(which) << ' ' << n;
        }
}

}  // namespace
