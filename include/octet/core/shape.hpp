// Shapes: the sizes of a tensor, and the geometry of a window that slides over an image.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "octet/core/algorithm.hpp"
#include "octet/core/error.hpp"

namespace octet {

/// The sizes of a row-major tensor, outermost first. Images are NHWC: {batch, height, width, channels}.
/// Rank 0 is a scalar. Every size is at least 1 and a tensor has at most 2^31 - 1 elements: anything else throws, so
/// that products of sizes never overflow afterwards.
class shape {
  public:
    static constexpr int max_rank = 6;
    static constexpr std::int64_t max_elements = 0x7fffffff;

    shape() = default;
    OCTET_INLINE shape(std::initializer_list<std::int64_t> sizes) : shape(std::span(sizes.begin(), sizes.size())) {}
    OCTET_INLINE explicit shape(std::span<const std::int64_t> sizes);

    int rank() const noexcept { return rank_; }
    std::int64_t operator[](int axis) const noexcept { return sizes_[static_cast<std::size_t>(axis)]; }
    std::int64_t elements() const noexcept { return elements_; }
    /// The last size (1 for a scalar), and the number of vectors of that length.
    std::int64_t cols() const noexcept { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }
    std::int64_t rows() const noexcept { return elements_ / cols(); }
    std::span<const std::int64_t> sizes() const noexcept { return {sizes_.data(), static_cast<std::size_t>(rank_)}; }

    /// The same shape with one size replaced.
    OCTET_INLINE shape with(int axis, std::int64_t size) const;
    friend bool operator==(const shape&, const shape&) = default;

  private:
    std::array<std::int64_t, max_rank> sizes_{};
    std::int64_t elements_ = 1;
    int rank_ = 0;
};

/// A height and a width: of a kernel, a stride, a dilation.
struct extent {
    int height = 1;
    int width = 1;
    friend bool operator==(const extent&, const extent&) = default;
};

/// Rows and columns added around an image.
struct padding {
    int top = 0;
    int left = 0;
    int bottom = 0;
    int right = 0;
    friend bool operator==(const padding&, const padding&) = default;
};

/// A window that slides over an image: tap (y, x) of output pixel (r, c) reads input row
/// r * stride.height + y * dilation.height - pad.top, and so for columns.
struct window {
    extent kernel{};
    extent stride{};
    extent dilation{};
    padding pad{};
    bool ceil_mode = false;  ///< round the number of outputs up instead of down; a window still begins inside the image
                             ///< or its leading padding

    static constexpr int max_taps = 1 << 24;

    int taps() const noexcept { return kernel.height * kernel.width; }
    /// Throws octet::error naming `who` when a size is not positive or out of all proportion: kernel, stride, dilation
    /// and padding are at most 2^20, and a kernel has and reaches at most max_taps.
    OCTET_INLINE void check(std::string_view who) const;
    /// The number of outputs; throws octet::error naming `who` as check does, and when the window does not fit.
    OCTET_INLINE extent outputs(std::string_view who, std::int64_t height, std::int64_t width) const;
};

/// "1x224x224x3"
OCTET_INLINE std::string to_string(const shape& dims);

OCTET_INLINE shape::shape(std::span<const std::int64_t> sizes) {
    if (sizes.size() > max_rank)
        fail("a tensor of rank ", sizes.size(), ": Octet holds at most ", max_rank, " dimensions");
    for (const std::int64_t size : sizes) {
        if (size < 1) fail("a tensor with a dimension of size ", size, ": every size must be at least 1");
        if (size > max_elements / elements_)
            fail("a tensor with more than ", max_elements, " elements: split it, no tensor may be larger");
        sizes_[static_cast<std::size_t>(rank_++)] = size;
        elements_ *= size;
    }
}

OCTET_INLINE shape shape::with(int axis, std::int64_t size) const {
    if (axis < 0 || axis >= rank_) fail("axis ", axis, " of a tensor of rank ", rank_, ": axes count from 0");
    std::array<std::int64_t, max_rank> sizes = sizes_;
    sizes[static_cast<std::size_t>(axis)] = size;
    return shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank_)));
}

OCTET_INLINE std::string to_string(const shape& dims) {
    std::string all;
    for (const std::int64_t size : dims.sizes()) all += (all.empty() ? "" : "x") + std::to_string(size);
    return all.empty() ? "scalar" : all;
}

}  // namespace octet

namespace octet::inline OCTET_ABI::detail {

inline void check_window(std::string_view who, const window& w) {
    constexpr int most = 1 << 20;
    const auto inside = [&](const char* what, int value, int least) {
        if (value < least || value > most)
            fail(who, ": ", what, " ", value, " is outside [", least, ", ", most, "]: correct it");
    };
    inside("kernel height", w.kernel.height, 1), inside("kernel width", w.kernel.width, 1);
    inside("stride", w.stride.height, 1), inside("stride", w.stride.width, 1);
    inside("dilation", w.dilation.height, 1), inside("dilation", w.dilation.width, 1);
    inside("padding", w.pad.top, 0), inside("padding", w.pad.left, 0);
    inside("padding", w.pad.bottom, 0), inside("padding", w.pad.right, 0);
    if (std::int64_t{w.kernel.height} * w.kernel.width > window::max_taps)
        fail(who, ": a kernel of ", w.kernel.height, " x ", w.kernel.width, " has more than ", window::max_taps,
             " taps: correct it");
    for (const auto& [taps, spread] :
         {std::pair{w.kernel.height, w.dilation.height}, {w.kernel.width, w.dilation.width}})
        if (std::int64_t{taps - 1} * spread >= window::max_taps)
            fail(who, ": ", taps, " taps with dilation ", spread, " reach beyond ", window::max_taps,
                 " pixels: correct the dilation");
}

inline extent window_outputs(std::string_view who, const window& w, std::int64_t height, std::int64_t width) {
    check_window(who, w);
    const auto along = [&](const char* axis, std::int64_t size, int taps, int step, int spread, int before, int after) {
        const std::int64_t reach = std::int64_t{spread} * (taps - 1) + 1;
        const std::int64_t room = size + before + after - reach;
        if (room < 0)
            fail(who, ": a window of ", reach, " does not fit into a ", axis, " of ", size, " with padding ", before,
                 " and ", after, ": enlarge the input or the padding");
        if (!w.ceil_mode) return static_cast<int>(room / step + 1);
        return static_cast<int>(std::min((room + step - 1) / step, (size + before - 1) / step) + 1);
    };
    return {along("height", height, w.kernel.height, w.stride.height, w.dilation.height, w.pad.top, w.pad.bottom),
            along("width", width, w.kernel.width, w.stride.width, w.dilation.width, w.pad.left, w.pad.right)};
}

}  // namespace octet::inline OCTET_ABI::detail

namespace octet {

OCTET_INLINE void window::check(std::string_view who) const { detail::check_window(who, *this); }
OCTET_INLINE extent window::outputs(std::string_view who, std::int64_t height, std::int64_t width) const {
    return detail::window_outputs(who, *this, height, width);
}

}  // namespace octet
