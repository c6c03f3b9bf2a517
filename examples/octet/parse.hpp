// Words of the command line that are more than a number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// A number, or a fraction such as 1/127.5, held as two floats so that neither loses bits before they are used.
struct fraction {
    float numerator = 1.0F;
    float denominator = 1.0F;
};

// Each throws octet::error naming `option`.

/// "0.5"
double parse_number(const std::string& option, std::string_view words);
/// "0.5" or "1/127.5"
fraction parse_fraction(const std::string& option, const std::string& words);
/// "256" or "256x320": one or two sides of an image
std::vector<int> parse_sides(const std::string& option, const std::string& words);
