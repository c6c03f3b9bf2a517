// Tensor views: how every layer sees its operands. A view owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "octet/core/shape.hpp"

namespace octet {

/// A row-major tensor whose vectors of the last dimension stand `stride` elements apart:
/// element (row, col) is data[row * stride + col], where `row` counts all outer dimensions together.
/// A stride larger than the last size is how the channels of a concatenation are written in place.
template <class T>
struct tensor_view {
    T* data = nullptr;
    shape dims;
    std::ptrdiff_t stride = 1;

    tensor_view() = default;
    tensor_view(T* first, const shape& sizes) : tensor_view(first, sizes, static_cast<std::ptrdiff_t>(sizes.cols())) {}
    tensor_view(T* first, const shape& sizes, std::ptrdiff_t step) : data(first), dims(sizes), stride(step) {}

    T* row(std::int64_t index) const noexcept { return data + index * stride; }
    std::int64_t rows() const noexcept { return dims.rows(); }
    std::int64_t cols() const noexcept { return dims.cols(); }
    bool dense() const noexcept { return stride == dims.cols(); }

    operator tensor_view<const T>() const noexcept  // NOLINT(google-explicit-constructor): as T* to const T*
        requires(!std::is_const_v<T>) {
        return {data, dims, stride};
    }
};

}  // namespace octet
