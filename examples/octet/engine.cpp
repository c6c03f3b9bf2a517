#include "engine.hpp"

namespace {

/// body.operator()<Rounding>() for the policy of that name.
template <class Body>
auto with_rounding(octet::rounding_policy policy, const Body& body) {
    switch (policy) {
        case octet::rounding_policy::tflite:
            return body.template operator()<octet::tflite>();
        case octet::rounding_policy::single:
            return body.template operator()<octet::single>();
        case octet::rounding_policy::nearest_even:
            break;
    }
    return body.template operator()<octet::nearest_even>();
}

}  // namespace

// Compiled in engine_<policy>.cpp.
template <class Rounding>
std::unique_ptr<runner> make_runner_of(const octet::quantized_graph& from, const octet::session_options& options);
template <class Rounding>
octet::quantization_report make_report_of(const octet::graph& model, const octet::quantized_graph& int8,
                                          const octet::samples& data, const octet::report_options& options);
template <class Rounding>
octet::sensitivity_ranking rank_layers_of(const octet::graph& model, const octet::samples& data,
                                          const octet::sensitivity_options& options);

std::unique_ptr<runner> make_runner(const octet::quantized_graph& from, const octet::session_options& options) {
    return with_rounding(from.rounding, [&]<class Rounding>() { return make_runner_of<Rounding>(from, options); });
}

octet::quantization_report make_report(const octet::graph& model, const octet::quantized_graph& int8,
                                       const octet::samples& data, const octet::report_options& options) {
    return with_rounding(int8.rounding,
                         [&]<class Rounding>() { return make_report_of<Rounding>(model, int8, data, options); });
}

octet::sensitivity_ranking rank_layers(const octet::graph& model, const octet::samples& data,
                                       const octet::sensitivity_options& options) {
    return with_rounding(options.quantize.rounding,
                         [&]<class Rounding>() { return rank_layers_of<Rounding>(model, data, options); });
}
