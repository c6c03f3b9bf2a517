// engine.hpp for one rounding policy. Each is compiled in engine_<policy>.cpp; engine.cpp chooses.
#pragma once

#include <type_traits>

#include "compiled_once.hpp"
#include "engine.hpp"

template <class Rounding>
struct engine_of {
    static std::unique_ptr<runner> make_runner(const octet::quantized_graph& from,
                                               const octet::session_options& options);
    static octet::quantization_report make_report(const octet::graph& model, const octet::quantized_graph& int8,
                                                  const octet::samples& data, const octet::report_options& options);
    static octet::sensitivity_ranking rank_layers(const octet::graph& model, const octet::samples& data,
                                                  const octet::sensitivity_options& options);
};
extern template struct engine_of<octet::nearest_even>;
extern template struct engine_of<octet::tflite>;
extern template struct engine_of<octet::single>;

template <class Rounding>
class session_runner final : public runner {
  public:
    session_runner(const octet::quantized_graph& from, const octet::session_options& options) : run_(from, options) {
        for (const octet::quantized_tensor& one : from.tensors) params_.push_back(one.params);
    }

    const octet::shape& input_shape(std::size_t i) const noexcept override { return run_.input_shape(i); }
    const octet::shape& output_shape(std::size_t i) const noexcept override { return run_.output_shape(i); }
    std::size_t outputs() const noexcept override { return run_.outputs(); }
    bool output_is_int8(std::size_t i) const noexcept override { return run_.output_is_int8(i); }
    const octet::memory_plan& plan() const noexcept override { return run_.plan(); }
    std::span<const octet::step> steps() const noexcept override { return run_.steps(); }

    void set_input(std::size_t i, std::span<const float> values) override { run_.set_input(i, values); }
    void run() noexcept override { run_.run(); }
    void get_output(std::size_t i, std::span<float> values) const override { run_.get_output(i, values); }
    std::span<const std::byte> stored_output(std::size_t i) const override {
        const auto bytes = [](auto view) {
            return std::as_bytes(std::span(view.data, static_cast<std::size_t>(view.dims.elements())));
        };
        return run_.output_is_int8(i) ? bytes(run_.output(i)) : bytes(run_.template output<float>(i));
    }

    void run_observed(const std::function<void(octet::tensor_id, std::span<const float>)>& see) override {
        std::vector<float> reals;
        run_.run_observed([&]<class T>(octet::tensor_id id, octet::tensor_view<const T> values) {
            reals.clear();
            const octet::quant_params params = params_[static_cast<std::size_t>(id)];
            for (std::int64_t r = 0; r < values.rows(); ++r)
                for (std::int64_t c = 0; c < values.cols(); ++c)
                    if constexpr (std::is_same_v<T, float>)
                        reals.push_back(values.row(r)[c]);
                    else
                        reals.push_back(octet::dequantize_value(values.row(r)[c], params));
            see(id, reals);
        });
    }
    void run_step(std::size_t i) noexcept override { run_.run_step(i); }

  private:
    octet::session<Rounding> run_;
    std::vector<octet::quant_params> params_;
};

template <class Rounding>
std::unique_ptr<runner> engine_of<Rounding>::make_runner(const octet::quantized_graph& from,
                                                         const octet::session_options& options) {
    return std::make_unique<session_runner<Rounding>>(from, options);
}

template <class Rounding>
octet::quantization_report engine_of<Rounding>::make_report(const octet::graph& model,
                                                            const octet::quantized_graph& int8,
                                                            const octet::samples& data,
                                                            const octet::report_options& options) {
    return octet::report<Rounding>(model, int8, data, options);
}

template <class Rounding>
octet::sensitivity_ranking engine_of<Rounding>::rank_layers(const octet::graph& model, const octet::samples& data,
                                                            const octet::sensitivity_options& options) {
    return octet::sensitivity<Rounding>(model, data, options);
}
