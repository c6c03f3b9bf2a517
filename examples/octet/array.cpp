#include "array.hpp"

#include <cstring>

namespace {

template <class T>
double load(std::span<const std::byte> bytes, std::size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return static_cast<double>(value);
}

}  // namespace

std::size_t size_of(element type) {
    switch (type) {
        case element::u8:
        case element::i8:
            return 1;
        case element::f32:
        case element::i32:
            return 4;
        case element::i64:
            return 8;
    }
    return 1;
}

std::string to_string(element type) {
    constexpr const char* names[] = {"u8", "i8", "f32", "i32", "i64"};
    return names[static_cast<int>(type)];
}

std::int64_t array::elements() const { return static_cast<std::int64_t>(bytes.size() / size_of(type)); }

double value_at(element type, std::span<const std::byte> bytes, std::size_t i) {
    switch (type) {
        case element::u8:
            return load<std::uint8_t>(bytes, i);
        case element::i8:
            return load<std::int8_t>(bytes, i);
        case element::f32:
            return load<float>(bytes, i);
        case element::i32:
            return load<std::int32_t>(bytes, i);
        case element::i64:
            return load<std::int64_t>(bytes, i);
    }
    return 0.0;
}
