#include "samples.hpp"

#include <algorithm>
#include <cmath>
#include <octet/io/file.hpp>
#include <span>
#include <utility>

#include "files.hpp"
#include "idx.hpp"
#include "image.hpp"
#include "npy.hpp"

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

/// --resize, then --crop.
image fitted(const std::string& file, image one, int channels, const sample_format& format) {
    const auto size_of_sides = [](const std::vector<int>& sides) { return image_size{sides.front(), sides.back()}; };
    if (!format.resize.empty()) {
        const image_size to =
            format.resize.size() == 1 ? with_shorter_side(one, format.resize[0]) : size_of_sides(format.resize);
        if (std::max(to.height, to.width) > max_image_side)
            fail(file, ": --resize would make ", to.height, "x", to.width, " of ", one.height, "x", one.width,
                 ", and a side is at most ", max_image_side, " pixels: give a smaller size, or both sides");
        one = resize(one, channels, to);
    }
    if (!format.crop.empty()) {
        const image_size to = size_of_sides(format.crop);
        if (to.height > one.height || to.width > one.width)
            fail(file, ": --crop takes ", to.height, "x", to.width, " of an image of ", one.height, "x", one.width,
                 ": give --resize too, or a smaller crop");
        one = centre_crop(one, channels, to);
    }
    return one;
}

void append_image(const std::string& file, const geometry& needed, const sample_format& format, raw_samples& to) {
    const int channels = static_cast<int>(needed.channels);
    const std::string bytes = octet::read_file(file, "image");
    const image one = fitted(file, decode_image(file, std::as_bytes(std::span(bytes)), channels), channels, format);
    if (one.height != needed.height || one.width != needed.width)
        fail(file, ": the image is ", one.height, "x", one.width,
             format.resize.empty() && format.crop.empty() ? "" : " after --resize and --crop", ", but input '",
             needed.name, "' takes ", needed.text(), ": give --resize and --crop, or others");
    const auto* first = reinterpret_cast<const std::byte*>(one.pixels.data());
    to.bytes.insert(to.bytes.end(), first, first + one.pixels.size());
    ++to.count;
}

/// The images of a directory: those in it, or those of the folders in it, which are then their classes.
sample_set list_samples(const std::string& directory, std::size_t most) {
    sample_set found;
    found.files = list_images(directory);
    for (const std::string& folder : list_folders(directory)) {
        const std::vector<std::string> inside = list_images(directory + "/" + folder);
        if (inside.empty()) continue;
        if (found.folders.size() != found.files.size())
            fail(directory, ": '", found.files[0], "' stands beside the folder '", folder,
                 "', which holds images too: put every image in the folder of its class, or none");
        for (const std::string& file : inside) {
            found.files.push_back(folder + "/" + file);
            found.folders.push_back(static_cast<int>(found.classes.size()));
        }
        found.classes.push_back(folder);
    }
    if (found.files.empty())
        fail(directory, ": there is no .png or .jpg file in this directory or its folders: name one with the samples");
    found.available = found.files.size();
    found.files.resize(std::min(most, found.files.size()));
    found.folders.resize(std::min(most, found.folders.size()));
    return found;
}

raw_samples read_images(const std::vector<std::string>& files, const std::string& where, const geometry& needed,
                        const sample_format& format, const octet::progress& told) {
    if (!needed.is_image || needed.channels > 4)
        fail(where, ": input '", needed.name, "' takes ", needed.text(),
             ", which no image file holds: give .npy or raw .bin samples");
    if (format.type.value_or(element::u8) != element::u8)
        fail(where, ": --type ", to_string(*format.type), ", but images hold u8: leave --type out");
    raw_samples all;
    for (const std::string& file : files) {
        append_image(file, needed, format, all);
        told.report(told.context, all.count, files.size());
    }
    return all;
}

/// The samples of an array, from a file that says what it holds.
raw_samples take_array(const std::string& path, array found, const geometry& needed, const sample_format& format) {
    if (found.type == element::i32 || found.type == element::i64)
        fail(path, ": samples of type ", to_string(found.type), ": convert them to uint8, int8 or float32");
    if (format.type && *format.type != found.type)
        fail(path, ": --type ", to_string(*format.type), ", but the file holds ", to_string(found.type),
             ": leave --type out, the file says its own");
    if (found.dims.empty()) fail(path, ": a single number: samples need a first dimension that counts them");
    const std::vector<std::int64_t> sample(found.dims.begin() + 1, found.dims.end());
    check_dims(octet::text(path, ": each of the ", found.dims[0], " samples"), sample, needed, format.nchw);
    return {found.type, static_cast<std::size_t>(found.dims[0]), format.nchw, std::move(found.bytes)};
}

raw_samples take_raw(const std::string& path, std::span<const std::byte> bytes, const geometry& needed,
                     const sample_format& format) {
    const element type = format.type.value_or(element::u8);
    const std::size_t each = needed.elements() * size_of(type);
    if (bytes.empty() || bytes.size() % each != 0)
        fail(path, ": ", bytes.size(), " bytes are no whole number of samples of ", joined(needed.dims(format.nchw)),
             " ", to_string(type), ", ", each, " bytes each: check --type and the file");
    return {type, bytes.size() / each, format.nchw, {bytes.begin(), bytes.end()}};
}

raw_samples read_array(const std::string& path, const geometry& needed, const sample_format& format) {
    const std::string extension = extension_of(path);
    const bool is_npy = extension == "npy", is_raw = extension == "bin", is_idx = is_idx_name(name_of(path));
    if (!exists(path)) fail(path, ": there is no such file or directory: check the path");
    if (!is_npy && !is_raw && !is_idx)
        fail(path,
             ": samples are a directory of .png and .jpg files, one such file, a .npy, an IDX "
             "(train-images-idx3-ubyte) or a .bin file: convert them to one");
    if (!format.resize.empty() || !format.crop.empty())
        fail(path, ": --resize and --crop are for images: leave them out");
    const std::string content = octet::read_file(path, "samples");
    const std::span<const std::byte> bytes = std::as_bytes(std::span(content));
    if (is_raw) return take_raw(path, bytes, needed, format);
    return take_array(path, is_npy ? read_npy(path, bytes) : read_idx(path, bytes), needed, format);
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

/// As the network takes them: real = (raw - mean) * scale, in NHWC.
std::vector<float> normalized(const std::string& path, const raw_samples& raw, std::size_t count,
                              const geometry& needed, const sample_format& format) {
    const auto mean = per_channel("--mean", format.mean, needed, 0.0F);
    const auto scale = per_channel("--scale", format.scale, needed, fraction{});
    const std::size_t pixels = static_cast<std::size_t>(needed.height * needed.width);
    const std::size_t channels = static_cast<std::size_t>(needed.channels), elements = needed.elements();
    std::vector<float> values(count * elements);
    for (std::size_t s = 0; s < count; ++s)
        for (std::size_t p = 0; p < pixels; ++p)
            for (std::size_t c = 0; c < channels; ++c) {
                const std::size_t from = format.bgr ? channels - 1 - c : c;
                const std::size_t at = raw.nchw ? from * pixels + p : p * channels + from;
                const double x = value_at(raw.type, raw.bytes, s * elements + at);
                const double real = (x - double{mean[c]}) * double{scale[c].numerator} / double{scale[c].denominator};
                if (!std::isfinite(static_cast<float>(real)))
                    fail(path, ": sample ", s, " holds ", x, ", which gives ", real,
                         ": check --type, --mean and --scale, and how the file was made");
                values[s * elements + p * channels + c] = static_cast<float>(real);
            }
    return values;
}

}  // namespace

sample_set load_samples(const std::string& path, const octet::tensor& input, const sample_format& format,
                        std::size_t most, const octet::progress& told) {
    const geometry needed = geometry_of(input);
    per_channel("--mean", format.mean, needed, 0.0F), per_channel("--scale", format.scale, needed, fraction{});
    if (format.bgr && (!needed.is_image || needed.channels != 3))
        fail("--channel-order bgr: input '", needed.name, "' takes ", needed.text(),
             ", but only images of 3 channels have such an order: leave it out");
    const bool folder = is_directory(path);
    sample_set all;
    if (folder) all = list_samples(path, most);
    std::vector<std::string> files;
    for (const std::string& file : all.files) files.push_back(path + "/" + file);
    if (!folder && is_image_name(path)) files = {path}, all.files = {name_of(path)};
    const raw_samples raw =
        files.empty() ? read_array(path, needed, format) : read_images(files, path, needed, format, told);
    const std::size_t count = std::min(raw.count, most);
    if (!folder) all.available = raw.count;
    all.values = {count, normalized(path, raw, count, needed, format)};
    return all;
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
