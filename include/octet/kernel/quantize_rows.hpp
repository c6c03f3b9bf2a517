// Float to int8 and back for whole tensors: start here. choose_quantize and choose_dequantize pick the kernels of an
// instruction set once; the arithmetic is that of quant/quantizer.hpp.
#pragma once

#include <concepts>

#include "octet/core/algorithm.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"
#include "octet/isa/select.hpp"
#include "octet/kernel/quantize_rows_avx2.hpp"
#include "octet/kernel/quantize_rows_avx512.hpp"
#include "octet/kernel/quantize_rows_call.hpp"
#include "octet/kernel/quantize_rows_scalar.hpp"
#include "octet/kernel/quantize_rows_sse41.hpp"

namespace octet::inline OCTET_ABI {

quantize_entry choose_quantize(std::same_as<isa> auto target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
        case isa::avx512bw:
            return {isa::avx512bw, "quantize 64", &quantize_kernel<isa::avx512bw>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "quantize 32", &quantize_kernel<isa::avx2>::run};
        case isa::sse41:
            return {isa::sse41, "quantize 16", &quantize_kernel<isa::sse41>::run};
#endif
        default:
            return {isa::scalar, "quantize", &quantize_kernel<isa::scalar>::run};
    }
}

dequantize_entry choose_dequantize(std::same_as<isa> auto target) noexcept {
    switch (target) {
#if defined(__x86_64__)
        case isa::avx512_vnni:
        case isa::avx512bw:
            return {isa::avx512bw, "dequantize 16", &dequantize_kernel<isa::avx512bw>::run};
        case isa::avx_vnni:
        case isa::avx2:
            return {isa::avx2, "dequantize 8", &dequantize_kernel<isa::avx2>::run};
        case isa::sse41:
            return {isa::sse41, "dequantize 4", &dequantize_kernel<isa::sse41>::run};
#endif
        default:
            return {isa::scalar, "dequantize", &dequantize_kernel<isa::scalar>::run};
    }
}

namespace detail {

/// body(in, count, out) for pieces that together cover two tensors of the same shape. Dense ones are cut into a share
/// for each worker, which later finds its rows in its own cache: a core that writes lines which another one has read
/// waits about 27 ns for each.
template <class In, class Out, class Body>
void for_pieces(tensor_view<const In> in, tensor_view<Out> out, const parallel& threads, const Body& body) noexcept {
    constexpr std::int64_t least = 4096;  // elements of a share: less is done before another thread has begun
    if (in.dense() && out.dense()) {
        const std::int64_t all = in.dims.elements(), shares = clamped<std::int64_t>(all / least, 1, threads.workers);
        parallel_for(threads, static_cast<int>(shares), [&](int share, int) noexcept {
            const std::int64_t first = all * share / shares, end = all * (share + 1) / shares;
            body(in.data + first, static_cast<std::size_t>(end - first), out.data + first);
        });
        return;
    }
    for (std::int64_t r = 0; r < in.rows(); ++r) body(in.row(r), static_cast<std::size_t>(in.cols()), out.row(r));
}

}  // namespace detail

/// out = clamp(round_half_even(in / scale) + zero_point) for every element of two tensors of the same shape, any
/// strides; a NaN becomes limits.low. They may not overlap.
inline void quantize_rows(const quantize_entry& kernel, tensor_view<const float> in, quant_params params,
                          tensor_view<std::int8_t> out, const parallel& threads = {}, clamp limits = {}) noexcept {
    detail::for_pieces(in, out, threads, [&](const float* from, std::size_t count, std::int8_t* to) noexcept {
        kernel.run(from, count, params, limits, to);
    });
}

/// out = scale * (in - zero_point) for every element of two tensors of the same shape, any strides. They may not
/// overlap.
inline void dequantize_rows(const dequantize_entry& kernel, tensor_view<const std::int8_t> in, quant_params params,
                            tensor_view<float> out, const parallel& threads = {}) noexcept {
    detail::for_pieces(in, out, threads, [&](const std::int8_t* from, std::size_t count, float* to) noexcept {
        kernel.run(from, count, params, to);
    });
}

}  // namespace octet::inline OCTET_ABI
