// label: law
// Float to int8 and back by rows: every instruction set returns the bits of quantize_value and dequantize_value.
#include "octet/kernel/quantize_rows.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "guarded.hpp"
#include "kernel_data.hpp"

namespace {

using namespace octet;
using namespace octet::test;

struct problem {
    quant_params params;
    clamp limits{};
};
const problem problems[] = {
    {{scale(0.1F), zero_point(0)}},      {{scale(1.0F), zero_point(-128)}},
    {{scale(0.25F), zero_point(127)}},   {{scale(0.037F), zero_point(13)}, {-100, 90}},
    {{scale(0x1p-60F), zero_point(-5)}}, {{scale(0x1p60F), zero_point(5)}},
    {{scale(1e-38F), zero_point(1)}},    {{scale(1e-40F), zero_point(1)}},
    {{scale(3e38F), zero_point(-1)}},
};

/// Steps and halves of the scale, and their neighbours; the special values; all magnitudes.
std::vector<float> reals(quant_params p) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> all{0.0F,    -0.0F,    infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                           3.4e38F, -3.4e38F, 1e-45F,   -1e-45F};
    for (int half = -600; half <= 600; ++half) {
        const float x = static_cast<float>(half) * 0.5F * p.scale.value;
        all.insert(all.end(), {x, std::nextafter(x, infinity), std::nextafter(x, -infinity)});
    }
    data_source data(7);
    for (int i = 0; i < 2000; ++i)
        all.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(data.pick(INT32_MIN, INT32_MAX))));
    return all;
}

TEST(quantize_rows, every_isa_returns_the_bytes_of_quantize_value) {
    for (const problem& p : problems) {
        const std::vector<float> in = reals(p.params);
        std::vector<std::int8_t> out(in.size());
        for (const isa which : supported_isas()) {
            const auto kernel = choose_quantize(which);
            ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512bw, isa::avx2, isa::sse41}));
            kernel.run(in.data(), in.size(), p.params, p.limits, out.data());
            for (std::size_t i = 0; i < in.size(); ++i)
                ASSERT_EQ(out[i], quantize_value(in[i], p.params, p.limits.low, p.limits.high))
                    << to_string(which) << ", " << in[i] << " / " << p.params.scale.value;
        }
    }
}

/// The significands that the proof of `reciprocal` leaves open: 1 to 7 from a multiple of 2^16. What is next to a tie
/// is within two floats of half an odd number of scales.
TEST(quantize_rows, quotients_next_to_a_tie_round_as_the_division_does) {
    std::vector<float> in;
    std::vector<std::int8_t> out(256 * 5), expected(out.size());
    for (std::uint32_t bits = 0x3f800000; bits < 0x40000000; ++bits) {  // of the floats in [1, 2)
        if (((bits + 7) & 0xffff) == 15) bits += 0x10000 - 15;
        const quant_params p{scale(std::bit_cast<float>(bits)), zero_point(-128)};
        in.clear();
        for (int odd = 1; odd < 512; odd += 2) {
            const auto middle = std::bit_cast<std::uint32_t>(static_cast<float>(odd) * 0.5F * p.scale.value);
            for (std::uint32_t x = middle - 2; x <= middle + 2; ++x) in.push_back(std::bit_cast<float>(x));
        }
        quantize_kernel<isa::scalar>::run(in.data(), in.size(), p, {}, expected.data());
        for (const isa which : supported_isas()) {
            choose_quantize(which).run(in.data(), in.size(), p, {}, out.data());
            ASSERT_EQ(out, expected) << to_string(which) << ", scale " << p.scale.value;
        }
    }
}

TEST(quantize_rows, every_isa_returns_the_bits_of_dequantize_value) {
    std::vector<std::int8_t> in(256);
    for (std::size_t i = 0; i < 256; ++i) in[i] = static_cast<std::int8_t>(i);
    std::vector<float> out(256);
    for (const problem& p : problems)
        for (const isa which : supported_isas()) {
            const auto kernel = choose_dequantize(which);
            ASSERT_EQ(kernel.target, expected_target(which, {isa::avx512bw, isa::avx2, isa::sse41}));
            kernel.run(in.data(), in.size(), p.params, out.data());
            for (std::size_t i = 0; i < 256; ++i)
                ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]),
                          std::bit_cast<std::uint32_t>(dequantize_value(in[i], p.params)))
                    << to_string(which) << ", " << int{in[i]};
        }
}

TEST(quantize_rows, rows_of_every_length_stay_within_their_operands) {
    const quant_params params{scale(0.037F), zero_point(13)};
    data_source data(2);
    std::vector<int> lengths = edge_sizes();
    lengths.push_back(0);
    for (const isa which : supported_isas())
        for (const int length : lengths) {
            const auto n = static_cast<std::size_t>(length);
            const guard side = length % 2 == 0 ? guard::end : guard::begin;
            const guarded<float> x(n, side), back(n, side);
            const guarded<std::int8_t> q(n, side);
            for (float& value : x) value = static_cast<float>(data.real(-5.5, 5.5));
            choose_quantize(which).run(x.data(), n, params, {}, q.data());
            choose_dequantize(which).run(q.data(), n, params, back.data());
            for (std::size_t i = 0; i < n; ++i) {
                ASSERT_EQ(q[i], quantize_value(x[i], params, -128, 127)) << to_string(which) << ", length " << n;
                ASSERT_EQ(back[i], dequantize_value(q[i], params)) << to_string(which) << ", length " << n;
            }
            std::vector<std::int8_t> bytes(n + 80, untouched), expected = bytes;
            std::copy(q.begin(), q.end(), expected.begin() + 7);
            choose_quantize(which).run(x.data(), n, params, {}, bytes.data() + 7);
            ASSERT_EQ(bytes, expected) << to_string(which) << ", length " << n;
            std::vector<float> wide(n + 40, -77.0F), wide_expected = wide;
            std::copy(back.begin(), back.end(), wide_expected.begin() + 3);
            choose_dequantize(which).run(q.data(), n, params, wide.data() + 3);
            ASSERT_EQ(wide, wide_expected) << to_string(which) << ", length " << n;
        }
}

TEST(quantize_rows, tensors_with_strides) {
    const quant_params params{scale(0.037F), zero_point(13)};
    data_source data(3);
    std::vector<float> x(5 * 9), back(5 * 11, -77.0F);
    for (float& value : x) value = static_cast<float>(data.real(-5.5, 5.5));
    for (const isa which : supported_isas())
        for (const std::ptrdiff_t stride : {7, 10}) {
            std::vector<std::int8_t> q(5 * 10, untouched);
            quantize_rows(choose_quantize(which), {x.data(), {5, 7}, 9}, params, {q.data(), {5, 7}, stride});
            dequantize_rows(choose_dequantize(which), {q.data(), {5, 7}, stride}, params, {back.data(), {5, 7}, 11});
            for (std::ptrdiff_t i = 0; i < 5 * stride; ++i) {
                const std::ptrdiff_t r = i / stride, c = i % stride;
                const auto at = static_cast<std::size_t>(i);
                ASSERT_EQ(q[at], c < 7 ? quantize_value(x[static_cast<std::size_t>(r * 9 + c)], params, -128, 127)
                                       : untouched);
                if (c < 7) {
                    ASSERT_EQ(back[static_cast<std::size_t>(r * 11 + c)], dequantize_value(q[at], params));
                }
            }
            ASSERT_EQ(back[7], -77.0F);
        }
}

TEST(quantize_rows, shares_of_workers_cover_a_dense_tensor) {
    const quant_params params{scale(0.037F), zero_point(13)};
    parallel backwards;
    backwards.workers = 3;
    backwards.run = [](void*, int tasks, parallel::task body, void* argument) noexcept {
        EXPECT_EQ(tasks, 3);
        for (int i = tasks; i-- > 0;) body(argument, i, i);
    };
    data_source data(4);
    constexpr std::int64_t count = 3 * 4096 + 77;
    std::vector<float> x(count), back(count), expected_back(count);
    for (float& value : x) value = static_cast<float>(data.real(-5.5, 5.5));
    std::vector<std::int8_t> q(count), expected(count);
    for (const isa which : supported_isas()) {
        const shape dims{count};
        quantize_rows(choose_quantize(which), {x.data(), dims}, params, {expected.data(), dims});
        quantize_rows(choose_quantize(which), {x.data(), dims}, params, {q.data(), dims}, backwards);
        ASSERT_EQ(q, expected) << to_string(which);
        dequantize_rows(choose_dequantize(which), {q.data(), dims}, params, {expected_back.data(), dims});
        dequantize_rows(choose_dequantize(which), {q.data(), dims}, params, {back.data(), dims}, backwards);
        ASSERT_EQ(back, expected_back) << to_string(which);
    }
}

}  // namespace
