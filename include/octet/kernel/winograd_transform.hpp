// The transforms of Winograd's F(4, 3): 4 outputs of a 3-tap filter from 6 products instead of 12, in integers.
//
//   y = A (G g * B d)        in one dimension, * by element
//   Y = A (G g G' * B d B') A'        in two: 4x4 outputs from 6x6 inputs with 36 products instead of 144
//
// Lavin and Gray's G holds 1/4, 1/6, 1/24 and 1/12. Here G is 24 times theirs, but for its last row (6 times) whose
// missing 4 stands in A: all is integer, and each dimension returns 24 y. The sums of absolute values of the rows are
// 10 for B and 12 for G, so that in two dimensions
//   |B d B'| <= 100 * 128 = 12,800 and |G g G'| <= 144 * 128 = 18,432 fit int16,
//   two products of them, 471,859,200, fit int32,
// and whatever is summed later wraps modulo 2^32: the result is 576 Y modulo 2^32. 576 = 64 * 9, and 9 has an inverse
// modulo 2^32, so that winograd_quotient returns Y itself wherever |Y| < 2^25. Packing proves that of each channel.
//
// Where a side of a tile has two outputs only, F(2, 3) makes them from four of the same points, without the two that
// stand at 2 and -2, of which it makes zeros: B is then [4 0 -4 0; 0 -3 -3 0; 0 3 -3 0; 0 0 0 0; 0 0 0 0; 0 -1 0 1] on
// four inputs, and A returns 24 times the two outputs as the first and the last of its four. Products with those zeros
// are left out.
//
// The transforms take anything with + - * and <<: integers, or vectors of them (GCC's and Clang's vector_size), so that
// every instruction set shares it.
#pragma once

#include <cstdint>

#include "octet/core/config.hpp"

namespace octet {

/// A tile: outputs a side, inputs a side, and the products of one channel pair.
struct winograd_tile {
    static constexpr int outputs = 4;
    static constexpr int inputs = 6;
    static constexpr int positions = 36;
};

}  // namespace octet

namespace octet::inline OCTET_ABI {

/// t = B d, B = [4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1].
template <class T>
OCTET_INLINE void winograd_input(const T (&d)[6], T (&t)[6]) noexcept {
    const T even = d[4] - (d[2] << 2), odd = d[3] - (d[1] << 2);
    const T far = d[4] - d[2], near = d[3] - d[1], twice = near + near;
    t[0] = far + ((d[0] - d[2]) << 2);
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = far + twice;
    t[4] = far - twice;
    t[5] = (d[5] - d[3]) - (near << 2);
}

/// The same for `outputs` in [1, 4] of the four: up to two are made by F(2, 3), from d[0] to d[3].
template <class T>
OCTET_INLINE void winograd_input(const T (&d)[6], T (&t)[6], int outputs) noexcept {
    if (outputs > 2) return winograd_input(d, t);
    const T sum = d[1] + d[2];
    t[0] = (d[0] - d[2]) << 2;
    t[1] = sum * -3;
    t[2] = (d[1] - d[2]) * 3;
    t[3] = t[4] = sum - sum;
    t[5] = d[3] - d[1];
}
/// Which of winograd_output's four is output `i` of `outputs`.
constexpr int winograd_output_index(int i, int outputs) noexcept { return outputs > 2 ? i : 3 * i; }

/// t = G g, G = [6 0 0; -4 -4 -4; -4 4 -4; 1 2 4; 1 -2 4; 0 0 6].
template <class T>
OCTET_INLINE void winograd_weights(const T (&g)[3], T (&t)[6]) noexcept {
    const T ends = g[0] + g[2], far = g[0] + (g[2] << 2), twice = g[1] + g[1];
    t[0] = g[0] * 6;
    t[1] = (ends + g[1]) * -4;
    t[2] = (ends - g[1]) * -4;
    t[3] = far + twice;
    t[4] = far - twice;
    t[5] = g[2] * 6;
}

/// y = A m, A = [1 1 1 1 1 0; 0 1 -1 2 -2 0; 0 1 1 4 4 0; 0 1 -1 8 -8 4].
template <class T>
OCTET_INLINE void winograd_output(const T (&m)[6], T (&y)[4]) noexcept {
    const T sum = m[1] + m[2], difference = m[1] - m[2];
    const T far_sum = m[3] + m[4], twice = (m[3] - m[4]) << 1;
    y[0] = (m[0] + sum) + far_sum;
    y[1] = difference + twice;
    y[2] = sum + (far_sum << 2);
    y[3] = difference + ((twice + m[5]) << 2);
}

/// The inverse of 9: their product is 1 modulo 2^32.
inline constexpr std::int32_t winograd_inverse_9 = 954'437'177;

/// Y from 576 Y modulo 2^32, -2^25 <= Y < 2^25.
inline std::int32_t winograd_quotient(std::uint32_t sum) noexcept {
    return static_cast<std::int32_t>(sum * std::uint32_t{winograd_inverse_9}) >> 6;
}

}  // namespace octet::inline OCTET_ABI
