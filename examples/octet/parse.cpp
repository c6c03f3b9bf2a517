#include "parse.hpp"

#include <charconv>
#include <cmath>
#include <octet/core/error.hpp>

#include "image.hpp"

using octet::fail;

double parse_number(const std::string& option, std::string_view words) {
    double value = 0.0;
    const auto [end, status] = std::from_chars(words.data(), words.data() + words.size(), value);
    if (status != std::errc() || end != words.data() + words.size() || !std::isfinite(static_cast<float>(value)))
        fail(option, ": '", words, "' is no number: write one such as 127.5");
    return value;
}

fraction parse_fraction(const std::string& option, const std::string& words) {
    const std::string_view all(words);
    const std::size_t slash = all.find('/');
    fraction value;
    value.numerator = static_cast<float>(parse_number(option, all.substr(0, slash)));
    if (slash != std::string_view::npos)
        value.denominator = static_cast<float>(parse_number(option, all.substr(slash + 1)));
    if (value.numerator == 0.0F || value.denominator == 0.0F)
        fail(option, ": ", words,
             " makes every sample the same or infinite: give a scale other than 0, such as 1/127.5");
    return value;
}

std::vector<int> parse_sides(const std::string& option, const std::string& words) {
    std::vector<int> sides;
    for (std::string_view left(words); sides.size() < 2;) {
        int side = 0;
        const auto [end, status] = std::from_chars(left.data(), left.data() + left.size(), side);
        if (status != std::errc() || side < 1) break;
        if (side > max_image_side)
            fail(option, ": '", words, "': a side of an image is at most ", max_image_side, " pixels here");
        sides.push_back(side);
        left.remove_prefix(static_cast<std::size_t>(end - left.data()));
        if (left.empty()) return sides;
        if (left[0] != 'x') break;
        left.remove_prefix(1);
    }
    fail(option, ": '", words, "' is no size: write 256 or 256x320 (height x width)");
}
