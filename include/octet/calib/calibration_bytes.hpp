// A calibration as bytes and back, so that samples may be watched apart from quantization, in parts, on other machines.
// Files: io/calibration.hpp.
//
// Format, version 1. All integers are unsigned LEB128 (7 bits a byte, lowest first, the top bit says that more follow)
// except where bits are named, which are little-endian:
//   "octetcal", version, network (64 bits), samples, momentum (64 bits of a double; all ones: no moving averages),
//   the number of tensors (at most 10,000), and for each: length and bytes of its name, zeros, NaNs, infinities, the
//   extremes (2 floats of 32 bits), with a momentum the two averages (doubles of 64 bits), the number of bins that are
//   not empty, and for each by ascending index: the distance from the one before (the first: its index), its count;
//   then the FNV-1a hash (64 bits) of all bytes before it.
// 5 to 10 KB a tensor.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/calib/calibration.hpp"
#include "octet/core/error.hpp"
#include "octet/core/ieee.hpp"

namespace octet::inline OCTET_ABI {

namespace detail {

inline constexpr std::string_view calibration_magic = "octetcal";
inline constexpr std::uint64_t calibration_version = 1, no_momentum = ~std::uint64_t{0};
inline constexpr std::size_t most_tensors = 10'000;  // which take 1 GB of histograms

inline std::uint64_t fnv1a(std::span<const std::byte> bytes) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3U;
    return hash;
}

struct calibration_writer {
    std::vector<std::byte> bytes;

    void fixed(std::uint64_t bits, int size) {
        for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>(bits >> (8 * i)));
    }
    void integer(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<std::byte>(value | 0x80));
        bytes.push_back(static_cast<std::byte>(value));
    }
    void string(std::string_view text) {
        for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    }
    void real(float x) { fixed(std::bit_cast<std::uint32_t>(x), 4); }
    void real(double x) { fixed(std::bit_cast<std::uint64_t>(x), 8); }
};

/// Every read fails with a sentence where the bytes end or say what no writer says.
struct calibration_reader {
    std::span<const std::byte> bytes;
    const std::string& name;
    std::size_t at = 0;

    template <class... Parts>
    [[noreturn]] void refuse(const Parts&... parts) const {
        fail("calibration '", name, "': ", parts..., " at byte ", at, ": it is truncated or damaged, calibrate again");
    }
    std::uint64_t fixed(int size) {
        if (bytes.size() - at < static_cast<std::size_t>(size)) refuse("the bytes end");
        std::uint64_t value = 0;
        for (int i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes[at++]) << (8 * i);
        return value;
    }
    std::uint64_t integer() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const std::uint64_t part = fixed(1);
            if (shift == 63 && part > 1) break;
            value |= (part & 0x7f) << shift;
            if (part < 0x80) return value;
        }
        refuse("an integer exceeds 64 bits");
    }
    std::string string(std::uint64_t length) {
        if (length > bytes.size() - at)
            refuse("a text of ", length, " bytes begins where ", bytes.size() - at, " are left");
        std::string text;
        for (std::uint64_t i = 0; i < length; ++i) text += static_cast<char>(bytes[at++]);
        return text;
    }
    float real32() { return std::bit_cast<float>(static_cast<std::uint32_t>(fixed(4))); }
    double real64() { return std::bit_cast<double>(fixed(8)); }
};

inline void read_histogram(calibration_reader& from, tensor_calibration& to, bool moving) {
    histogram::rest rest;
    rest.zeros = from.integer(), rest.nans = from.integer(), rest.infinities = from.integer();
    rest.extremes.min = from.real32(), rest.extremes.max = from.real32();
    if (moving) {
        to.average.min = from.real64(), to.average.max = from.real64();
        const double most = std::numeric_limits<float>::max();
        const bool held = to.average.min >= -most && to.average.min <= to.average.max && to.average.max <= most;
        if (to.average != moving_extremes{} && !held)
            from.refuse("moving averages of ", to.average.min, " and ", to.average.max);
    }
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(histogram::bins));
    const std::uint64_t filled = from.integer();
    std::size_t bin = 0;
    for (std::uint64_t i = 0; i < filled; ++i) {
        const std::uint64_t distance = from.integer();
        if (distance >= counts.size() - bin || (i != 0 && distance == 0))
            from.refuse("bin ", i, " of ", filled, " stands ", distance, " after bin ", bin);
        bin += distance;
        counts[bin] = from.integer();
        if (counts[bin] == 0) from.refuse("bin ", bin, " is listed and empty");
    }
    if (!to.seen.restore(counts, rest)) from.refuse("the counts and extremes of '", to.name, "' contradict each other");
}

}  // namespace detail

/// The same bytes for equal calibrations, on every machine. (Templates, so that only units that use them compile them.)
std::vector<std::byte> to_bytes(const std::same_as<calibration> auto& all) {
    if (all.tensors.size() > detail::most_tensors)
        fail("a calibration of ", all.tensors.size(), " tensors: bytes hold at most ", detail::most_tensors);
    detail::calibration_writer to;
    to.string(detail::calibration_magic), to.integer(detail::calibration_version);
    to.fixed(all.network, 8), to.integer(all.samples);
    if (all.moving)
        to.real(all.moving->momentum());
    else
        to.fixed(detail::no_momentum, 8);
    to.integer(all.tensors.size());
    for (const tensor_calibration& one : all.tensors) {
        to.integer(one.name.size()), to.string(one.name);
        to.integer(one.seen.zeros()), to.integer(one.seen.nans()), to.integer(one.seen.infinities());
        to.real(one.seen.extremes().min), to.real(one.seen.extremes().max);
        if (all.moving) to.real(one.average.min), to.real(one.average.max);
        std::uint64_t filled = 0;
        for (const std::uint64_t count : one.seen.counts()) filled += count != 0 ? 1U : 0U;
        to.integer(filled);
        std::size_t last = 0;
        for (std::size_t bin = 0; bin < one.seen.counts().size(); ++bin)
            if (const std::uint64_t count = one.seen.counts()[bin]; count != 0) {
                to.integer(bin - last), to.integer(count);
                last = bin;
            }
    }
    to.fixed(detail::fnv1a({to.bytes.data(), to.bytes.size()}), 8);
    return std::move(to.bytes);
}

/// What to_bytes wrote. Throws octet::error, naming `name`, for any bytes that it cannot have written: of another
/// version, truncated, with bits flipped. Takes 96 KiB for each tensor, of which there are at most 10,000.
template <class Calibration = calibration>
Calibration calibration_from_bytes(std::span<const std::byte> bytes, const std::string& name = "bytes") {
    detail::calibration_reader from{bytes, name};
    if (bytes.size() < detail::calibration_magic.size() ||
        from.string(detail::calibration_magic.size()) != detail::calibration_magic)
        fail("'", name, "' is no calibration: it does not begin with ", detail::calibration_magic);
    if (const std::uint64_t version = from.integer(); version != detail::calibration_version)
        fail("calibration '", name, "' has version ", version, ", and this library reads ", detail::calibration_version,
             ": calibrate again");
    if (bytes.size() - from.at < 8) from.refuse("the bytes end");
    detail::calibration_reader hash{bytes, name, bytes.size() - 8};
    from.bytes = bytes.first(bytes.size() - 8);
    if (hash.fixed(8) != detail::fnv1a(from.bytes)) from.refuse("the check sum does not fit");

    Calibration all;
    all.network = from.fixed(8), all.samples = from.integer();
    if (const std::uint64_t bits = from.fixed(8); bits != detail::no_momentum) {
        const double momentum = std::bit_cast<double>(bits);
        if (!(momentum >= 0.0 && momentum < 1.0)) from.refuse("a momentum of ", momentum);
        all.moving = moving_average(momentum);
    }
    const std::uint64_t tensors = from.integer();
    if (tensors > detail::most_tensors)
        from.refuse(tensors, " tensors, where ", detail::most_tensors, " are the most,");
    for (std::uint64_t t = 0; t < tensors; ++t) {
        tensor_calibration& one = all.tensors.emplace_back();
        one.name = from.string(from.integer());
        detail::read_histogram(from, one, all.moving.has_value());
    }
    if (from.at != from.bytes.size()) from.refuse("bytes follow the last tensor");
    return all;
}

}  // namespace octet::inline OCTET_ABI
