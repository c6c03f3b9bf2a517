#include "samples.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "files.hpp"
#include "image.hpp"

namespace {

using octet::fail;

/// Samples as their file holds them, before they are normalized.
struct raw_samples {
    element type = element::u8;
    std::size_t count = 0;
    bool nchw = false;
    std::vector<std::byte> bytes;
};

/// The sizes of one sample: height, width and channels of an image, else one row of values.
struct geometry {
    std::int64_t height = 1;
    std::int64_t width = 1;
    std::int64_t channels = 1;
    bool is_image = false;
    std::string name;
    std::size_t elements() const { return static_cast<std::size_t>(height * width * channels); }
    std::string text() const {
        if (!is_image) return octet::text(channels, " values");
        return octet::text(height, "x", width, "x", channels, " (height x width x channels)");
    }
    /// As a file lays it out.
    std::vector<std::int64_t> dims(bool nchw) const {
        if (!is_image) return {channels};
        if (nchw) return {channels, height, width};
        return {height, width, channels};
    }
};

geometry geometry_of(const octet::tensor& input) {
    const octet::shape& dims = input.dims;
    if (dims.rank() == 4) return {dims[1], dims[2], dims[3], true, input.name};
    return {1, 1, dims.elements(), false, input.name};
}

std::vector<std::int64_t> without_ones(std::vector<std::int64_t> dims) {
    std::erase(dims, 1);
    return dims;
}

std::string joined(const std::vector<std::int64_t>& dims) {
    std::string all;
    for (const std::int64_t size : dims) all += (all.empty() ? "" : "x") + std::to_string(size);
    return all.empty() ? "scalar" : all;
}

/// The sizes of a sample in a file must be the network's; sizes of 1 may be left out or added.
void check_dims(const std::string& what, const std::vector<std::int64_t>& found, const geometry& needed, bool nchw) {
    if (without_ones(found) == without_ones(needed.dims(nchw))) return;
    const bool turned = needed.is_image && without_ones(found) == without_ones(needed.dims(!nchw));
    fail(what, " is ", joined(found), ", but input '", needed.name, "' takes ", needed.text(), ": ",
         turned ? (nchw ? "say --layout nhwc" : "say --layout nchw") : "resize or crop the samples to that first");
}

void append_png(const std::string& file, const geometry& needed, raw_samples& to) {
    if (!needed.is_image || needed.channels > 4)
        fail(file, ": input '", needed.name, "' takes ", needed.text(),
             ", which no PNG file holds: give .npy or raw .bin samples");
    const image one = decode_png(file, read_file(file), static_cast<int>(needed.channels));
    if (one.height != needed.height || one.width != needed.width)
        fail(file, ": the image is ", one.height, "x", one.width, ", but input '", needed.name, "' takes ",
             needed.text(), ": resize or crop it to that first");
    const auto* first = reinterpret_cast<const std::byte*>(one.pixels.data());
    to.bytes.insert(to.bytes.end(), first, first + one.pixels.size());
    ++to.count;
}

raw_samples read_npy_samples(const std::string& path, const geometry& needed, const sample_format& format) {
    npy_array array = read_npy(path, read_file(path));
    if (array.type == element::i32 || array.type == element::i64)
        fail(path, ": samples of type ", to_string(array.type), ": convert them to uint8, int8 or float32");
    if (format.type && *format.type != array.type)
        fail(path, ": --type ", to_string(*format.type), ", but the file holds ", to_string(array.type),
             ": leave --type out, a .npy file says its own");
    if (array.dims.empty()) fail(path, ": a single number: samples need a first dimension that counts them");
    const std::vector<std::int64_t> sample(array.dims.begin() + 1, array.dims.end());
    check_dims(octet::text(path, ": each of the ", array.dims[0], " samples"), sample, needed, format.nchw);
    return {array.type, static_cast<std::size_t>(array.dims[0]), format.nchw, std::move(array.bytes)};
}

raw_samples read_raw_samples(const std::string& path, const geometry& needed, const sample_format& format) {
    const element type = format.type.value_or(element::u8);
    if (!format.dims.empty()) check_dims("--shape: a sample", format.dims, needed, format.nchw);
    std::vector<std::byte> bytes = read_file(path);
    const std::size_t each = needed.elements() * size_of(type);
    if (bytes.empty() || bytes.size() % each != 0)
        fail(path, ": ", bytes.size(), " bytes are no whole number of samples of ", joined(needed.dims(format.nchw)),
             " ", to_string(type), ", ", each, " bytes each: check --type and the file");
    return {type, bytes.size() / each, format.nchw, std::move(bytes)};
}

raw_samples read_samples(const std::string& path, const geometry& needed, const sample_format& format,
                         std::size_t most) {
    raw_samples all;
    const std::string extension = extension_of(path);
    if (is_directory(path)) {
        for (const std::string& file : list_files(path, "png"))
            if (all.count < most) append_png(file, needed, all);
    } else if (extension == "png") {
        append_png(path, needed, all);
    } else if (extension == "npy") {
        all = read_npy_samples(path, needed, format);
    } else if (extension == "bin") {
        all = read_raw_samples(path, needed, format);
    } else {
        fail(path, ": samples are a directory of .png files, a .png, a .npy or a .bin file: convert them to one");
    }
    if ((is_directory(path) || extension == "png") && format.type.value_or(element::u8) != element::u8)
        fail(path, ": --type ", to_string(*format.type), ", but PNG files hold u8: leave --type out");
    all.count = std::min(all.count, most);
    return all;
}

/// `values` for every channel: one for all, or one each.
template <class T>
std::vector<T> per_channel(const char* option, const std::vector<T>& values, const geometry& needed, T otherwise) {
    const auto channels = static_cast<std::size_t>(needed.channels);
    if (values.size() > 1 && values.size() != channels)
        fail(option, ": ", values.size(), " values for ", channels, " channels: give one, or one for each channel");
    if (values.size() == channels) return values;
    return std::vector<T>(channels, values.empty() ? otherwise : values[0]);
}

}  // namespace

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

std::vector<std::int64_t> parse_dims(const std::string& words) {
    std::vector<std::int64_t> dims;
    for (std::string_view left(words); dims.size() < 6;) {
        std::int64_t size = 0;
        const auto [end, status] = std::from_chars(left.data(), left.data() + left.size(), size);
        if (status != std::errc() || size < 1 || size > octet::shape::max_elements) break;
        dims.push_back(size);
        left.remove_prefix(static_cast<std::size_t>(end - left.data()));
        if (left.empty()) return dims;
        if (left[0] != 'x' && left[0] != ',') break;
        left.remove_prefix(1);
    }
    fail("--shape: '", words, "' is no shape: write the sizes of one sample such as 224x224x3");
}

octet::samples load_samples(const std::string& path, const octet::tensor& input, const sample_format& format,
                            std::size_t most) {
    const geometry needed = geometry_of(input);
    const auto mean = per_channel("--mean", format.mean, needed, 0.0F);
    const auto scale = per_channel("--scale", format.scale, needed, fraction{});
    if (format.bgr && (!needed.is_image || needed.channels != 3))
        fail("--channel-order bgr: input '", needed.name, "' takes ", needed.text(),
             ", but only images of 3 channels have such an order: leave it out");
    const raw_samples raw = read_samples(path, needed, format, most);

    const std::size_t pixels = static_cast<std::size_t>(needed.height * needed.width);
    const std::size_t channels = static_cast<std::size_t>(needed.channels), elements = needed.elements();
    std::vector<float> values(raw.count * elements);
    for (std::size_t s = 0; s < raw.count; ++s)
        for (std::size_t p = 0; p < pixels; ++p)
            for (std::size_t c = 0; c < channels; ++c) {
                const std::size_t from = format.bgr ? channels - 1 - c : c;
                const std::size_t at = raw.nchw ? from * pixels + p : p * channels + from;
                const double x = value_at(raw.type, raw.bytes, s * elements + at);
                const double real = (x - double{mean[c]}) * double{scale[c].numerator} / double{scale[c].denominator};
                values[s * elements + p * channels + c] = static_cast<float>(real);
            }
    return {raw.count, std::move(values)};
}

std::vector<int> load_labels(const std::string& path, std::size_t count, int classes, int offset) {
    const std::string extension = extension_of(path);
    const std::vector<std::byte> bytes = read_file(path);
    std::vector<double> values;
    if (extension == "npy") {
        const npy_array array = read_npy(path, bytes);
        if (array.type == element::f32) fail(path, ": labels of type f32: convert them to integers");
        for (std::size_t i = 0; i < static_cast<std::size_t>(array.elements()); ++i)
            values.push_back(value_at(array.type, array.bytes, i));
    } else if (extension == "bin") {
        for (std::size_t i = 0; i < bytes.size(); ++i) values.push_back(value_at(element::u8, bytes, i));
    } else {
        std::string_view left(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        for (int line = 1; !left.empty(); ++line) {
            const std::size_t end = std::min(left.find('\n'), left.size());
            std::string_view word = left.substr(0, end);
            while (!word.empty() && (word.back() == '\r' || word.back() == ' ')) word.remove_suffix(1);
            left.remove_prefix(std::min(end + 1, left.size()));
            if (word.empty() && left.empty()) break;
            int value = 0;
            const auto [stop, status] = std::from_chars(word.data(), word.data() + word.size(), value);
            if (status != std::errc() || stop != word.data() + word.size())
                fail(path, ", line ", line, ": '", word.substr(0, 32), "' is no class: write one number a line");
            values.push_back(value);
        }
    }
    if (values.size() < count)
        fail(path, ": ", values.size(), " labels for ", count,
             " samples: give one for each, or fewer samples by --count");
    std::vector<int> labels;
    for (std::size_t i = 0; i < count; ++i) {
        const double index = values[i] + offset;
        if (!(index >= 0.0 && index < classes))
            fail(path, ": label ", i, " is ", values[i], ", plus --class-offset ", offset, " gives output ", index,
                 ", but the network has outputs 0 to ", classes - 1, ": check the labels and the offset");
        labels.push_back(static_cast<int>(index));
    }
    return labels;
}

octet::samples first_samples(const octet::samples& all, std::size_t count) {
    count = std::min(count, all.count);
    octet::samples some;
    some.count = count;
    for (const std::vector<float>& input : all.inputs) {
        const auto values = static_cast<std::ptrdiff_t>(input.size() / all.count * count);
        some.inputs.emplace_back(input.begin(), input.begin() + values);
    }
    return some;
}
