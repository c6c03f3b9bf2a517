// octet run: the outputs of a model, printed and written.
#include <nlohmann/json.hpp>
#include <octet/io/file.hpp>

#include "commands.hpp"
#include "engine.hpp"
#include "files.hpp"
#include "interrupt.hpp"
#include "measure.hpp"
#include "network.hpp"
#include "npy.hpp"
#include "progress.hpp"

namespace {

/// All samples of one output, sample by sample, and the sizes of one.
struct result {
    std::string name;
    std::vector<std::int64_t> dims;
    std::vector<float> values;
};

/// From height, width, channels to channels, height, width.
std::vector<float> channels_first(std::span<const float> values, const octet::shape& dims) {
    const auto pixels = static_cast<std::size_t>(dims[1] * dims[2]), channels = static_cast<std::size_t>(dims[3]);
    std::vector<float> turned;
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t p = 0; p < pixels; ++p) turned.push_back(values[p * channels + c]);
    return turned;
}

std::string to_json(const std::vector<result>& all, std::size_t count) {
    nlohmann::ordered_json document;
    for (const result& one : all) {
        nlohmann::ordered_json& samples = document[one.name] = nlohmann::ordered_json::array();
        const std::size_t each = one.values.size() / count;
        for (std::size_t s = 0; s < count; ++s) {
            const auto first = one.values.begin() + static_cast<std::ptrdiff_t>(s * each);
            samples.push_back(std::vector<float>(first, first + static_cast<std::ptrdiff_t>(each)));
        }
    }
    return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

void check_output(const std::string& path, const octet::graph& net) {
    const std::string extension = extension_of(path);
    if (extension != "npy" && extension != "json")
        octet::fail("--output: '", path, "' is neither .npy nor .json: name the file so");
    if (extension == "npy" && net.outputs().size() != 1)
        octet::fail("--output: a .npy file holds one output, and the network has ", net.outputs().size(),
                    ": write a .json file");
}

void write(const std::string& path, const std::vector<result>& all, std::size_t count) {
    std::vector<std::int64_t> dims = all[0].dims;
    dims.insert(dims.begin(), static_cast<std::int64_t>(count));
    const std::string bytes = extension_of(path) == "npy" ? write_npy(dims, all[0].values) : to_json(all, count);
    const uninterrupted until_written;
    octet::write_file(path, bytes, "outputs");
}

}  // namespace

void run(const options& asked, output& says) {
    const octet::quantized_graph form = load_form(asked.model);
    const octet::graph& net = form.net;
    if (!asked.output.empty()) check_output(asked.output, net);
    const std::vector<std::string> names =
        asked.names.empty() ? std::vector<std::string>() : lines_of(octet::read_file(asked.names, "names"));
    const octet::tensor& named = net.at(net.outputs()[0]);
    if (!asked.names.empty() && names.size() != static_cast<std::size_t>(named.dims.elements()))
        octet::fail("--names: '", asked.names, "' has ", names.size(), " lines, and output '", named.name, "' ",
                    named.dims.elements(), " values: give a line for each");
    const sample_set data = load_samples(asked, net);
    const auto session = make_runner(form, asked.session());

    std::vector<result> results;
    for (const octet::tensor_id id : net.outputs()) {
        const octet::shape& dims = net.at(id).dims;
        std::vector<std::int64_t> sizes(dims.sizes().begin() + 1, dims.sizes().end());
        if (net.at(id).form.channels_first) sizes = {dims[3], dims[1], dims[2]};
        results.push_back({net.at(id).name, sizes, {}});
    }
    std::vector<std::vector<cell>> rows;
    std::vector<std::vector<float>> batches(results.size());
    progress_bar bar("running");
    run_all(*session, data.values, bar.hook(), [&](std::size_t sample, std::size_t place) {
        for (std::size_t i = 0; i < results.size(); ++i) {
            if (place == 0) batches[i] = output_of(*session, i);
            const auto own = part_of<const float>(batches[i], *session, place);
            const octet::tensor& made = net.at(net.outputs()[i]);
            const std::vector<float> values =
                made.form.channels_first ? channels_first(own, made.dims) : std::vector<float>(own.begin(), own.end());
            results[i].values.insert(results[i].values.end(), values.begin(), values.end());
            if (i != 0) continue;
            const std::string who = data.files.empty() ? std::to_string(sample) : data.files[sample];
            const std::vector<int> best = largest(own, static_cast<std::size_t>(asked.top));
            for (std::size_t rank = 0; rank < best.size(); ++rank) {
                const auto at = static_cast<std::size_t>(best[rank]);
                rows.push_back({who, cell::count(rank + 1), at < names.size() ? cell(names[at]) : cell::none(),
                                cell::count(at), cell::real("%.6g", own[at])});
            }
        }
    });
    if (!asked.output.empty()) write(asked.output, results, data.values.count);

    say_model(says, asked.model, net);
    says.fact("samples", octet::text(data.values.count, " of ", name_of(asked.samples)));
    says.fact("output", octet::text("'", results[0].name, "' ", file_shape(net.at(net.outputs()[0]))));
    if (!asked.output.empty()) says.fact("written", asked.output);
    if (asked.top != 0)
        says.table("top", "",
                   {{"sample", "sample"}, {"rank", "rank"}, {"name", "name"}, {"index", "index"}, {"value", "value"}},
                   std::move(rows), 1);
}
