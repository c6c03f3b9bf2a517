// Constants of a model: decoded elements with a shape, and the few ways in which an importer rearranges them.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "octet/core/shape.hpp"
#include "octet/io/onnx/proto.hpp"

namespace octet::onnx {

/// The sizes of an ONNX value, outermost first. Those of a constant may be 0.
using sizes = std::vector<std::int64_t>;

/// The elements of a constant in row-major order of its ONNX shape: reals or integers, as `type` says. Reals that
/// DequantizeLinear made have one scale, or one for each index of `axis`, and are scale * integer.
struct literal {
    enum class kind { real, integer, other } type = kind::other;
    std::vector<float> reals{};
    std::vector<std::int64_t> integers{};  // int8, uint8, int32, int64, bool; also those of reals that were int32
    std::int64_t data_type = 0;            // TensorProto.DataType, for messages about `other`
    std::vector<float> scales{};
    std::size_t axis = 0;
    int zero_point = 0;  // where there is one scale: of the elements as int8
};

}  // namespace octet::onnx

namespace octet::onnx::inline OCTET_ABI {

/// "[1, 3, 224, 224]"
inline std::string to_string(const sizes& dims) {
    std::string all = "[";
    for (std::size_t i = 0; i < dims.size() && i < 16; ++i) all += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
    return all + (dims.size() > 16 ? ", ...]" : "]");
}

/// The number of elements; throws octet::error naming `who` for a negative size or more than 2^31 - 1 elements.
inline std::int64_t count_elements(const std::string& who, const sizes& dims) {
    if (dims.size() > shape::max_rank)
        fail(who, " has rank ", dims.size(), ": Octet holds at most ", shape::max_rank, " dimensions");
    std::int64_t count = 1;
    bool empty = false;
    for (const std::int64_t size : dims) {
        if (size < 0) fail(who, " has shape ", to_string(dims), ": no size may be negative");
        if (size == 0)
            empty = true;
        else if (size > shape::max_elements / count)
            fail(who, " has shape ", to_string(dims), ", more than ", shape::max_elements,
                 " elements: no tensor may be larger");
        else
            count *= size;
    }
    return empty ? 0 : count;
}

/// The value of an IEEE half-precision number.
inline float from_half(std::uint16_t bits) noexcept {
    const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const float magnitude = exponent == 31  ? (fraction != 0 ? std::nanf("") : INFINITY)
                            : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                            : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The elements of a tensor. Its shape and the length of its data are checked before anything is allocated. A type that
/// Octet does not read gives `other`, which is an error only where it is used.
inline literal decode(const std::string& who, const proto::tensor& from) {
    static_assert(std::endian::native == std::endian::little, "raw ONNX data is little-endian: swap its bytes here");
    const auto count = static_cast<std::size_t>(count_elements(who, from.dims));
    if (from.external) fail(who, " keeps its data in another file: save the model with its weights embedded");
    literal out{.data_type = from.type};
    const auto check = [&](const char* what, std::size_t has, std::size_t size) {
        if (has != count * size)
            fail(who, " of shape ", to_string(from.dims), " holds ", has, what, " where ", count * size,
                 " are needed: the file is damaged, export the model again");
    };
    const auto raw = [&]<class Element>(Element, auto& to, auto convert) {
        check(" bytes", from.raw.size(), sizeof(Element));
        to.resize(count);
        for (std::size_t i = 0; i < count; ++i) {
            Element element;
            std::memcpy(&element, from.raw.data() + i * sizeof(Element), sizeof(Element));
            to[i] = convert(element);
        }
    };
    const auto narrow = [](double value) { return static_cast<float>(value); };
    const bool typed = from.raw.empty();
    const auto integers = [&]<class Element>(Element type) {
        out.type = literal::kind::integer;
        if (!typed) return raw(type, out.integers, [](Element value) { return std::int64_t{value}; });
        check(" values", from.integers.size(), 1);
        for (const std::int64_t value : from.integers)
            if (value != static_cast<Element>(value))
                fail(who, " holds ", value, ", which its data type, ", from.type,
                     ", has not: the file is damaged, export the model again");
        out.integers = from.integers;
    };
    switch (from.type) {
        case proto::float32:
        case proto::float64:
            out.type = literal::kind::real;
            if (typed)
                check(" values", from.reals.size(), 1), out.reals = from.reals;
            else if (from.type == proto::float32)
                raw(float{}, out.reals, [](float value) { return value; });
            else
                raw(double{}, out.reals, narrow);
            break;
        case proto::float16:
            out.type = literal::kind::real;
            if (!typed) {
                raw(std::uint16_t{}, out.reals, from_half);
            } else {
                check(" values", from.integers.size(), 1);
                for (const std::int64_t bits : from.integers)
                    out.reals.push_back(from_half(static_cast<std::uint16_t>(bits)));
            }
            break;
        case proto::int8:
            integers(std::int8_t{});
            break;
        case proto::uint8:
        case proto::boolean:
            integers(std::uint8_t{});
            break;
        case proto::int32:
            integers(std::int32_t{});
            break;
        case proto::int64:
            integers(std::int64_t{});
            break;
        default:
            break;
    }
    return out;
}

/// The shape with its axes in another order: out[i] = dims[order[i]].
inline sizes permute(const sizes& dims, const std::vector<int>& order) {
    sizes out;
    for (const int axis : order) out.push_back(dims[static_cast<std::size_t>(axis)]);
    return out;
}

/// The order that undoes `order`.
inline std::vector<int> inverse(const std::vector<int>& order) {
    std::vector<int> back(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    return back;
}

/// For every element of a transposed tensor, in its row-major order, the index of its source: output axis i is axis
/// order[i] of a row-major tensor of shape `dims`. visit(index) is called once for each element.
template <class Visit>
void for_each_permuted(const sizes& dims, const std::vector<int>& order, const Visit& visit) {
    const std::size_t rank = dims.size();
    sizes strides(rank, 1), stride(rank), count = permute(dims, order), at(rank, 0);
    for (std::size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * dims[i];
    for (std::size_t i = 0; i < rank; ++i) stride[i] = strides[static_cast<std::size_t>(order[i])];
    for (const std::int64_t size : count)
        if (size == 0) return;
    for (std::int64_t index = 0;;) {
        visit(static_cast<std::size_t>(index));
        std::size_t axis = rank;
        while (axis-- > 0) {
            index += stride[axis];
            if (++at[axis] < count[axis]) break;
            index -= stride[axis] * count[axis];
            at[axis] = 0;
        }
        if (axis == static_cast<std::size_t>(-1)) return;
    }
}

/// The elements in the order that a transposition gives them.
template <class T>
std::vector<T> permute_elements(const std::vector<T>& from, const sizes& dims, const std::vector<int>& order) {
    std::vector<T> out;
    out.reserve(from.size());
    if (!from.empty()) for_each_permuted(dims, order, [&](std::size_t index) { out.push_back(from[index]); });
    return out;
}

}  // namespace octet::onnx::inline OCTET_ABI
