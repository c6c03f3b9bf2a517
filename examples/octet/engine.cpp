#include "engine_of.hpp"

namespace {

/// body(the engine of that policy)
template <class Body>
auto with_engine(octet::rounding_policy policy, const Body& body) {
    switch (policy) {
        case octet::rounding_policy::tflite:
            return body(engine_of<octet::tflite>());
        case octet::rounding_policy::single:
            return body(engine_of<octet::single>());
        case octet::rounding_policy::nearest_even:
            break;
    }
    return body(engine_of<octet::nearest_even>());
}

}  // namespace

std::unique_ptr<runner> make_runner(const octet::quantized_graph& from, const octet::session_options& options) {
    return with_engine(from.rounding, [&](auto engine) { return engine.make_runner(from, options); });
}

octet::quantization_report make_report(const octet::graph& model, const octet::quantized_graph& int8,
                                       const octet::samples& data, const octet::report_options& options) {
    return with_engine(int8.rounding, [&](auto engine) { return engine.make_report(model, int8, data, options); });
}

octet::sensitivity_ranking rank_layers(const octet::graph& model, const octet::samples& data,
                                       const octet::sensitivity_options& options) {
    return with_engine(options.quantize.rounding,
                       [&](auto engine) { return engine.rank_layers(model, data, options); });
}
