// What of the library instantiates kernels and compiles slowly, behind plain functions: sessions, quantization,
// reports. engine_*.cpp compile it, a file for each rounding policy; no other file of the tool makes a session.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <octet/octet.hpp>
#include <octet/ptq/sensitivity.hpp>
#include <span>
#include <vector>

/// An octet::session, whatever its rounding policy; see there.
class runner {
  public:
    virtual ~runner() = default;

    virtual const octet::shape& input_shape(std::size_t i) const noexcept = 0;
    virtual const octet::shape& output_shape(std::size_t i) const noexcept = 0;
    virtual std::size_t outputs() const noexcept = 0;
    virtual bool output_is_int8(std::size_t i) const noexcept = 0;
    virtual const octet::memory_plan& plan() const noexcept = 0;
    virtual std::span<const octet::step> steps() const noexcept = 0;

    virtual void set_input(std::size_t i, std::span<const float> values) = 0;
    virtual void run() noexcept = 0;
    virtual void get_output(std::size_t i, std::span<float> values) const = 0;
    /// Output `i` as it is stored: int8 or float, dense.
    virtual std::span<const std::byte> stored_output(std::size_t i) const = 0;

    /// Runs, and shows the real values of every tensor that a step made, as octet::session::run_observed does.
    virtual void run_observed(const std::function<void(octet::tensor_id, std::span<const float>)>& see) = 0;
    virtual void run_step(std::size_t i) noexcept = 0;
};

std::unique_ptr<runner> make_runner(const octet::quantized_graph& from, const octet::session_options& options);
octet::calibration calibrate_model(const octet::graph& model, const octet::samples& data,
                                   const octet::calibrate_options& options);
octet::quantized_graph quantize_model(const octet::graph& model, const octet::calibration& seen,
                                      const octet::quantize_options& options);
octet::sensitivity_ranking rank_layers(const octet::graph& model, const octet::samples& data,
                                       const octet::sensitivity_options& options);
octet::quantization_report make_report(const octet::graph& model, const octet::quantized_graph& int8,
                                       const octet::samples& data, const octet::report_options& options);
