// octet quantize: calibrates a float network, says what int8 costs each layer, and writes the int8 network and a
// report.
#include <octet/io/file.hpp>
#include <octet/io/onnx.hpp>
#include <octet/json.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "html_report.hpp"
#include "interrupt.hpp"
#include "network.hpp"

namespace {

std::string page_of(const options& asked, const work& with, const octet::quantization_report& report) {
    nlohmann::ordered_json document = octet::to_json(report);
    document["model"] = octet::to_json(name_of(asked.model));
    document["calibration"] = octet::to_json(with.calibration);
    if (with.ranking) document["sensitivity"] = octet::to_json(*with.ranking);
    return html_report(document);
}

}  // namespace

void quantize(const options& asked, output& says) {
    const work with = prepare(asked, says);
    constexpr std::size_t timed_runs = 20;  // of the page, which shows the time of each layer
    const octet::quantization_report report = report_of(asked, with, asked.report.empty() ? 0 : timed_runs);
    using octet::onnx::activation_type;
    const std::string network =
        asked.output.empty()
            ? ""
            : octet::onnx::serialize(
                  with.int8, {.activations = asked.int8_activations ? activation_type::int8 : activation_type::uint8});
    const std::string page = asked.report.empty() ? "" : page_of(asked, with, report);
    {
        const uninterrupted until_written;
        if (!network.empty()) octet::write_file(asked.output, network, "ONNX model");
        if (!page.empty()) octet::write_file(asked.report, page, "report");
    }
    if (!network.empty()) says.fact("written", asked.output);
    if (!page.empty()) says.fact("page", asked.report);
    say_report(says, report);
    if (with.ranking) say_ranking(says, *with.ranking);
}
