// Runs a network. Start here to execute: a session packs the weights, plans one arena and then runs without allocating.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "octet/core/algorithm.hpp"
#include "octet/graph/chain.hpp"
#include "octet/graph/compile.hpp"
#include "octet/graph/program.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/quant/rounding.hpp"

namespace octet::inline OCTET_ABI {

/// A network ready to run on one thread at a time (the hook lends it more). Two ways to run:
///   run(image, scores);                                  // floats in and out: checks sizes, converts
///   run.input(0).data[...] = ...; run.run(); run.output(0)    // the bytes themselves: noexcept
/// Everything is decided in the constructor: kernels, packed weights, the memory plan. Throws octet::error there when
/// the graph was quantized for another rounding policy, or a layer cannot be built. Runs allocate nothing.
template <class Rounding = nearest_even>
class session {
    static_assert(std::is_same_v<Rounding, nearest_even> || std::is_same_v<Rounding, tflite> ||
                      std::is_same_v<Rounding, single>,
                  "octet::session: the rounding policy is octet::nearest_even, octet::tflite or octet::single");

  public:
    explicit session(const quantized_graph& from, const session_options& options = {})
        : options_(options), quantize_(choose_quantize(choose_isa(options.target))) {
        if (from.quantized_layers() != 0 && from.rounding != Rounding::policy)
            fail("this network was quantized for the rounding policy '", to_string(from.rounding),
                 "' and the session rounds as '", to_string(Rounding::policy),
                 "': use octet::session<octet::", to_string(from.rounding), ">");
        program_ = compiler<Rounding>(from, options).compile();
        arena_ = buffer<std::byte>(program_.plan.total_bytes());
        for (const int index : program_.inputs) input_params_.push_back(from.at(at(index).id).params);
        for (const int index : program_.outputs) output_params_.push_back(from.at(at(index).id).params);
    }

    // It owns its packed layers and its arena, so it moves and is not copied: make a second one from the graph.
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    session(session&&) noexcept = default;
    session& operator=(session&&) = delete;

    std::size_t inputs() const noexcept { return program_.inputs.size(); }
    std::size_t outputs() const noexcept { return program_.outputs.size(); }
    /// The shape of an input or output, NHWC, with the session's batch. Not checked, here and in the five below: i <
    /// inputs() or outputs().
    const shape& input_shape(std::size_t i) const noexcept { return at(program_.inputs[i]).dims; }
    const shape& output_shape(std::size_t i) const noexcept { return at(program_.outputs[i]).dims; }
    /// Whether it is stored as int8 (else float), and with which scale and zero point.
    bool input_is_int8(std::size_t i) const noexcept { return at(program_.inputs[i]).is_int8; }
    bool output_is_int8(std::size_t i) const noexcept { return at(program_.outputs[i]).is_int8; }
    quant_params input_params(std::size_t i) const noexcept { return input_params_[i]; }
    quant_params output_params(std::size_t i) const noexcept { return output_params_[i]; }

    /// The stored values: views of fixed size into the arena, valid as long as the session. Inputs keep their values
    /// over runs. T is std::int8_t or float, as input_is_int8 and output_is_int8 say: another T is an error.
    template <class T = std::int8_t>
    tensor_view<T> input(std::size_t i) {
        check_type<T>("input", i, program_.inputs);
        return where().template write<T>(program_.inputs[i]);
    }
    template <class T = std::int8_t>
    tensor_view<const T> output(std::size_t i) const {
        check_type<T>("output", i, program_.outputs);
        return where().template read<T>(program_.outputs[i]);
    }

    /// Computes the outputs from the inputs in place.
    void run() noexcept {
        const memory all = where();
        for (std::size_t i = 0; i < program_.steps.size(); i += static_cast<std::size_t>(program_.steps[i].chained))
            if (program_.steps[i].chained > 1)
                run_chain(program_, i, all);
            else
                program_.steps[i].run(all);
    }
    /// Step `i` of steps() alone: all of them in their order are run(). For who measures steps.
    void run_step(std::size_t i) noexcept { program_.steps[i].run(where()); }
    /// As run(); calls observe(tensor_id, view) for each input before the first step, and for each other tensor after
    /// the step that makes it, with a view of const int8 or float values. Tensors that are views of others are not
    /// repeated.
    template <class Observe>
    void run_observed(const Observe& observe) {
        const memory all = where();
        for (const int index : program_.inputs) show(all, index, observe);
        for (const step& s : program_.steps) {
            s.run(all);
            if (s.node >= 0)
                for (const int index : s.outputs) show(all, index, observe);
        }
    }

    /// One input and one output: checks both sizes, throws octet::error before any work, quantizes `in`, runs, and
    /// writes real values to `out`. Images are NHWC, or NCHW if the session was made so. A NaN in `in` becomes the
    /// lowest value where the input is int8: as of quantize_value.
    void operator()(std::span<const float> in, std::span<float> out) {
        if (inputs() != 1 || outputs() != 1)
            fail("this network has ", inputs(), " inputs and ", outputs(),
                 " outputs: use set_input, run and get_output for each");
        check_size("output", 0, out.size(), output_shape(0));
        set_input(0, in);
        run();
        get_output(0, out);
    }
    void set_input(std::size_t i, std::span<const float> values) {
        check_index("input", i, inputs());
        check_size("input", i, values.size(), input_shape(i));
        const int index = program_.inputs[i];
        const quant_params p = input_params_[i];
        const shape& dims = at(index).dims;
        if (at(index).is_int8 && !(options_.nchw && dims.rank() == 4))
            quantize_rows(quantize_, tensor_view<const float>(values.data(), dims), p,
                          where().template write<std::int8_t>(index), options_.threads);
        else if (at(index).is_int8)
            quantize_planes(values, p, where().template write<std::int8_t>(index));
        else
            scatter(values, where().template write<float>(index));
    }
    void get_output(std::size_t i, std::span<float> values) const {
        check_index("output", i, outputs());
        check_size("output", i, values.size(), output_shape(i));
        const int index = program_.outputs[i];
        const quant_params p = output_params_[i];
        if (at(index).is_int8)
            gather(where().template read<std::int8_t>(index), values,
                   [p](std::int8_t q) { return dequantize_value(q, p); });
        else
            gather(where().template read<float>(index), values, [](float x) { return x; });
    }

    /// The steps with the kernel of each, and the memory plan: plain data.
    std::span<const step> steps() const noexcept { return {program_.steps.data(), program_.steps.size()}; }
    const slot& at(int index) const noexcept { return program_.slots[static_cast<std::size_t>(index)]; }
    const memory_plan& plan() const noexcept { return program_.plan; }
    /// Of the packed weights of int8 products and convolutions, all in one piece; without those that Winograd
    /// transformed at set-up.
    std::size_t weight_bytes() const noexcept { return program_.weights.used(); }

  private:
    memory where() const noexcept {
        auto* arena = const_cast<std::byte*>(arena_.data());
        return {arena, arena + program_.plan.arena_bytes, program_.slots.data(), program_.plan.blocks.data(),
                options_.threads};
    }
    template <class Observe>
    void show(const memory& all, int index, const Observe& observe) const {
        if (at(index).is_int8)
            observe(at(index).id, all.template read<std::int8_t>(index));
        else
            observe(at(index).id, all.template read<float>(index));
    }
    template <class T>
    void check_type(const char* what, std::size_t i, const std::vector<int>& list) const {
        static_assert(std::is_same_v<T, std::int8_t> || std::is_same_v<T, float>,
                      "octet::session: an input or output is read as std::int8_t or float");
        check_index(what, i, list.size());
        const bool is_int8 = at(list[i]).is_int8;
        if (is_int8 != std::is_same_v<T, std::int8_t>)
            fail(what, " ", i, " is stored as ", is_int8 ? "int8" : "float", ": ask for ", what,
                 is_int8 ? "<std::int8_t>" : "<float>");
    }
    static void check_index(const char* what, std::size_t i, std::size_t count) {
        if (i >= count) fail("there is no ", what, " ", i, ": this network has ", count);
    }
    static void check_size(const char* what, std::size_t i, std::size_t got, const shape& dims) {
        if (got != static_cast<std::size_t>(dims.elements()))
            fail(what, " ", i, " has shape ", to_string(dims), " and needs ", dims.elements(), " values, but ", got,
                 " were given");
    }
    /// Index in the user's array of element (row, col) of a stored image: NHWC as it is, NCHW if asked for.
    std::size_t user_index(const shape& dims, std::int64_t row, std::int64_t col) const noexcept {
        if (!options_.nchw || dims.rank() != 4) return static_cast<std::size_t>(row * dims.cols() + col);
        const std::int64_t pixels = dims[1] * dims[2];
        return static_cast<std::size_t>((row / pixels * dims[3] + col) * pixels + row % pixels);
    }
    /// NCHW to NHWC: a piece of a plane is quantized as one row and then spread over its pixels.
    void quantize_planes(std::span<const float> from, quant_params params, tensor_view<std::int8_t> to) const noexcept {
        std::int8_t piece[256];
        const std::int64_t pixels = to.dims[1] * to.dims[2];
        const float* plane = from.data();
        for (std::int64_t image = 0; image < to.dims[0]; ++image)
            for (std::int64_t c = 0; c < to.cols(); ++c, plane += pixels)
                for (std::int64_t first = 0; first < pixels; first += 256) {
                    const std::int64_t count = std::min<std::int64_t>(256, pixels - first);
                    quantize_.run(plane + first, static_cast<std::size_t>(count), params, {}, piece);
                    std::int8_t* pixel = to.row(image * pixels + first) + c;
                    for (std::int64_t i = 0; i < count; ++i, pixel += to.stride) *pixel = piece[i];
                }
    }
    void scatter(std::span<const float> from, tensor_view<float> to) const noexcept {
        for (std::int64_t r = 0; r < to.rows(); ++r)
            for (std::int64_t c = 0; c < to.cols(); ++c) to.row(r)[c] = from[user_index(to.dims, r, c)];
    }
    template <class T, class Convert>
    void gather(tensor_view<const T> from, std::span<float> to, const Convert& convert) const noexcept {
        for (std::int64_t r = 0; r < from.rows(); ++r)
            for (std::int64_t c = 0; c < from.cols(); ++c) to[user_index(from.dims, r, c)] = convert(from.row(r)[c]);
    }

    session_options options_;
    quantize_entry quantize_;
    program program_;
    buffer<std::byte> arena_;
    std::vector<quant_params> input_params_;
    std::vector<quant_params> output_params_;
};

}  // namespace octet::inline OCTET_ABI
