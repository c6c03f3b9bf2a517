// What the tests of kernels share: sizes around every vector edge, operands with extreme values, bytes that must stay.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "octet/isa/select.hpp"
#include "octet/quant/rounding.hpp"

namespace octet::test {

using roundings = ::testing::Types<nearest_even, tflite, single>;
struct rounding_name {
    template <class Rounding>
    static std::string GetName(int) {
        return std::string(to_string(Rounding::policy));
    }
};

/// 1 to 70 and 127 to 129: all around vectors of 8, 16, 32 and 64.
inline std::vector<int> edge_sizes() {
    std::vector<int> sizes{127, 128, 129};
    for (int n = 1; n <= 70; ++n) sizes.push_back(n);
    return sizes;
}

/// Whose kernel runs where `asked` was asked for, when `own` and scalar have kernels: the first of `asked` and the
/// ever smaller sets that it holds.
inline isa expected_target(isa asked, std::initializer_list<isa> own) {
    while (asked != isa::scalar && std::find(own.begin(), own.end(), asked) == own.end())
        asked = asked == isa::avx512_vnni                          ? isa::avx512bw
                : asked == isa::avx512bw || asked == isa::avx_vnni ? isa::avx2
                : asked == isa::avx2                               ? isa::sse41
                                                                   : isa::scalar;
    return asked;
}

enum class fill { random, lowest, highest };

class data_source {
  public:
    explicit data_source(unsigned seed) : random_(seed) {}

    int pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
    double real(double least, double most) { return std::uniform_real_distribution<double>(least, most)(random_); }
    void bytes(std::span<std::int8_t> to, fill how) {
        for (std::int8_t& b : to)
            b = static_cast<std::int8_t>(how == fill::random ? pick(-128, 127) : how == fill::lowest ? -128 : 127);
    }
    /// Between 2^least and 2^most, evenly in the exponent.
    double power(double least, double most) { return std::exp2(real(least, most)); }
    template <class Rounding>
    std::vector<typename Rounding::multiplier> multipliers(std::size_t count, double least, double most) {
        std::vector<typename Rounding::multiplier> all(count);
        for (auto& m : all)
            m = Rounding::make(scale(static_cast<float>(power(least, most))), scale(1), scale(1), "test");
        return all;
    }

  private:
    std::mt19937 random_;
};

constexpr std::int8_t untouched = 0x5a;

}  // namespace octet::test
