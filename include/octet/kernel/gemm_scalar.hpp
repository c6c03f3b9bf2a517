// The GEMM micro-kernel in plain C++, for machines without a kernel of their own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "octet/kernel/gemm_call.hpp"

namespace octet::inline OCTET_ABI {

template <class Epilogue>
struct gemm_kernel<isa::scalar, Epilogue> {
    using result = typename Epilogue::result;
    static constexpr const char* name = "gemm 1x16";
    static constexpr gemm_layout layout{.panel = 16, .group = 1};
    static constexpr int register_rows = 1;
    static constexpr int tile_rows = 8;

    static void run(const gemm_call<result>& call) noexcept {
        const packed_gemm<result>& w = *call.weights;
        for (int p = call.first_panel; p < call.end_panel; ++p) {
            const int first = p * layout.panel;
            const int columns = w.cols - first < layout.panel ? w.cols - first : layout.panel;
            const typename Epilogue::args args{w.multipliers.data() + first, call.out_zero, call.limits};
            for (int m = 0; m < call.count; ++m) {
                std::uint32_t acc[layout.panel];  // sums wrap modulo 2^32; the true value fits int32
                for (int n = 0; n < layout.panel; ++n)
                    acc[n] = static_cast<std::uint32_t>(w.bias[static_cast<std::size_t>(first + n)]);
                const auto* weights = reinterpret_cast<const std::int8_t*>(w.panel(p));
                for (int t = 0; t < w.runs; ++t) {
                    const std::int8_t* lhs = call.run(t, m);
                    for (int k = 0; k < call.run_bytes(); ++k, weights += layout.panel)
                        for (int n = 0; n < layout.panel; ++n)
                            acc[n] += static_cast<std::uint32_t>(std::int32_t{lhs[k]} * weights[n]);
                }
                std::int32_t sums[layout.panel];
                for (int n = 0; n < layout.panel; ++n) sums[n] = static_cast<std::int32_t>(acc[n]);
                Epilogue::store(sums, columns, args, call.out + m * call.out_stride + first);
            }
        }
    }
};

}  // namespace octet::inline OCTET_ABI
