#include "labels.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <octet/io/file.hpp>
#include <string_view>

#include "files.hpp"
#include "idx.hpp"
#include "npy.hpp"

namespace {

using octet::fail;

int parse_label(const std::string& path, std::size_t line, std::string_view word) {
    int value = 0;
    const auto [stop, status] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (status != std::errc() || stop != word.data() + word.size())
        fail(path, ", line ", line, ": '", word.substr(0, 32), "' is no class: write one number a line");
    return value;
}

/// One number a line.
std::vector<double> read_lines(const std::string& path, std::string_view words) {
    std::vector<double> values;
    for (const std::string& line : lines_of(words)) values.push_back(parse_label(path, values.size() + 1, line));
    return values;
}

/// "file,label" a line, the file perhaps in quotes; a first line of those very words is a heading.
std::vector<double> read_csv(const std::string& path, std::string_view words, const sample_set& samples) {
    if (samples.files.empty())
        fail(path, ": a .csv file names images, but the samples are no directory of images: give one number a line");
    std::map<std::string, int, std::less<>> found;
    const std::vector<std::string> lines = lines_of(words);
    for (std::size_t number = 1; number <= lines.size(); ++number) {
        const std::string_view line = lines[number - 1];
        if (number == 1 && line == "file,label") continue;
        const std::size_t comma = line.rfind(',');
        if (comma == std::string_view::npos)
            fail(path, ", line ", number, ": '", line.substr(0, 64), "': write file,label");
        std::string_view file = line.substr(0, comma);
        if (file.size() >= 2 && file.front() == '"' && file.back() == '"') file = file.substr(1, file.size() - 2);
        const int label = parse_label(path, number, line.substr(comma + 1));
        const auto [at, is_new] = found.emplace(file, label);
        if (!is_new && at->second != label)
            fail(path, ", line ", number, ": '", file, "' has label ", label, " here and ", at->second,
                 " before: keep one of them");
    }
    std::vector<double> values;
    for (const std::string& file : samples.files) {
        const auto at = found.find(file);
        if (at == found.end())
            fail(path, ": no line for '", file, "': write file,label for each image, as it stands below the directory");
        values.push_back(at->second);
    }
    return values;
}

std::vector<double> read_labels(const std::string& path, const sample_set& samples) {
    const std::string bytes = octet::read_file(path, "labels");
    const std::span<const std::byte> raw = std::as_bytes(std::span(bytes));
    const std::string extension = extension_of(path);
    if (extension == "csv") return read_csv(path, bytes, samples);
    if (extension != "npy" && extension != "bin" && !is_idx_name(name_of(path))) return read_lines(path, bytes);
    const array found = extension == "npy"   ? read_npy(path, raw)
                        : extension == "bin" ? array{element::u8, {}, {raw.begin(), raw.end()}}
                                             : read_idx(path, raw);
    if (found.type == element::f32) fail(path, ": labels of type f32: convert them to integers");
    std::vector<double> values;
    for (std::size_t i = 0; i < static_cast<std::size_t>(found.elements()); ++i)
        values.push_back(value_at(found.type, found.bytes, i));
    return values;
}

}  // namespace

std::vector<int> load_labels(const std::string& path, const sample_set& samples, int classes, int offset) {
    if (path.empty() && samples.folders.empty())
        fail("--labels: the samples are in no folders that could be their classes: give a file of labels");
    const std::string from = path.empty() ? "the samples' folders" : path;
    const std::vector<double> values =
        path.empty() ? std::vector<double>(samples.folders.begin(), samples.folders.end()) : read_labels(path, samples);
    const std::size_t count = samples.values.count;
    if (values.size() != count && values.size() != samples.available)
        fail(from, ": ", values.size(), " labels for ", count, " samples",
             count == samples.available ? "" : octet::text(" (taken of ", samples.available, ")"),
             ": give one for each");
    std::vector<int> labels;
    for (std::size_t i = 0; i < count; ++i) {
        const double index = values[i] + offset;
        if (!(index >= 0.0 && index < classes))
            fail(from, ": label ", i, " is ", values[i], ", plus --class-offset ", offset, " gives output ", index,
                 ", but the network has outputs 0 to ", classes - 1, ": check the labels and the offset");
        labels.push_back(static_cast<int>(index));
    }
    return labels;
}
