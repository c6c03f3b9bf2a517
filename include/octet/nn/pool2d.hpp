// placeholder
#pragma once
#include "octet/core/parallel.hpp"
#include "octet/isa/isa.hpp"
#include "octet/kernel/taps.hpp"
#include "octet/nn/layer.hpp"
namespace octet::inline OCTET_ABI {
struct pool_kernel {
    isa target = isa::scalar;
    const char* name = "pool";
};
struct max_pool2d {
    window w;
    max_pool2d(window x, isa) : w(x) {}
    pool_kernel kernel() const { return {}; }
    std::size_t scratch_bytes(int n) const {
        return round_up_64(sizeof(void*) * std::size_t(w.taps())) * std::size_t(n);
    }
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* s,
                    const parallel&) const noexcept {
        sliding<std::int8_t> o{in, w, {int(out.dims[1]), int(out.dims[2])}};
        auto** t = reinterpret_cast<const std::int8_t**>(s);
        for (std::int64_t p = 0; p < o.pixels(); ++p) {
            int n = fill_inner_taps(o, p, t);
            for (std::int64_t c = 0; c < out.cols(); ++c) {
                int m = -128;
                for (int i = 0; i < n; ++i) m = std::max<int>(m, t[i][c]);
                out.row(p)[c] = std::int8_t(m);
            }
        }
    }
};
template <class R>
struct average_pool2d {
    window w;
    bool cp;
    quant_params a, b;
    std::string who;
    average_pool2d(window x, bool c, quant_params i, quant_params o, isa, std::string_view n)
        : w(x), cp(c), a(i), b(o), who(n) {}
    pool_kernel kernel() const { return {}; }
    std::size_t scratch_bytes(int n) const {
        return round_up_64(sizeof(void*) * std::size_t(w.taps())) * std::size_t(n);
    }
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte* s,
                    const parallel&) const noexcept {
        sliding<std::int8_t> o{in, w, {int(out.dims[1]), int(out.dims[2])}};
        auto** t = reinterpret_cast<const std::int8_t**>(s);
        for (std::int64_t p = 0; p < o.pixels(); ++p) {
            int n = fill_inner_taps(o, p, t);
            int d = cp ? padded_tap_count(o, p) : n;
            float m = a.scale.value / (b.scale.value * float(d));
            for (std::int64_t c = 0; c < out.cols(); ++c) {
                int acc = 0;
                for (int i = 0; i < n; ++i) acc += t[i][c] - a.zero_point.value;
                out.row(p)[c] = requantize<nearest_even>(acc, {m}, b.zero_point, {});
            }
        }
    }
};
template <class R>
struct global_average_pool {
    std::int64_t n;
    quant_params a, b;
    global_average_pool(std::int64_t x, quant_params i, quant_params o, isa, std::string_view) : n(x), a(i), b(o) {}
    pool_kernel kernel() const { return {}; }
    std::size_t scratch_bytes(int) const { return 0; }
    void operator()(tensor_view<const std::int8_t> in, tensor_view<std::int8_t> out, std::byte*, const parallel&) const noexcept {
        float m = a.scale.value / (b.scale.value * float(n));
        for (std::int64_t i = 0; i < in.dims[0]; ++i)
            for (std::int64_t c = 0; c < out.cols(); ++c) {
                int acc = 0;
                for (std::int64_t p = 0; p < n; ++p) acc += in.row(i * n + p)[c] - a.zero_point.value;
                out.row(i)[c] = requantize<nearest_even>(acc, {m}, b.zero_point, {});
            }
    }
};
}  // namespace octet::inline OCTET_ABI
