// label: law
// Every layer, as a network of one node, against its formula written out: in int8 by bytes, in float by bits or, where
// the order of a sum is the layer's own, within rounding.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "compiled_once.hpp"
#include "network_data.hpp"
#include "octet/graph/graph.hpp"
#include "octet/graph/quantize.hpp"
#include "octet/graph/session.hpp"

namespace {

namespace op = octet::op;
using octet::graph;
using octet::isa;
using octet::quant_params;
using octet::quantized_graph;
using octet::scale;
using octet::session;
using octet::shape;
using octet::tensor_id;
using octet::window;
using octet::zero_point;
using octet::test::bytes;
using octet::test::reals;

template <class T>
using values = std::vector<T>;

quant_params params(float step, int zero) { return {scale(step), zero_point(zero)}; }
const quant_params plain = params(0.05F, -11);

/// A network whose every node and input is int8, each tensor with the parameters given, in the order of tensor ids.
quantized_graph in_int8(graph net, const std::vector<quant_params>& of_tensors) {
    quantized_graph all = octet::as_float(std::move(net));
    for (std::size_t t = 0; t < all.tensors.size(); ++t) {
        all.tensors[t].params = of_tensors.size() == 1 ? of_tensors[0] : of_tensors[t];
        all.tensors[t].is_int8 = true;
    }
    for (octet::quantized_layer& layer : all.layers) layer.is_int8 = true;
    return all;
}

/// Output 0 of a network for the given stored inputs.
template <class T>
values<T> run(const quantized_graph& net, const std::vector<values<T>>& inputs,
              const octet::session_options& options = {}) {
    session<> one(net, options);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto to = one.input<T>(i);
        EXPECT_EQ(static_cast<std::size_t>(to.dims.elements()), inputs[i].size());
        std::copy(inputs[i].begin(), inputs[i].end(), to.data);
    }
    one.run();
    const auto from = one.output<T>(0);
    EXPECT_TRUE(from.dense());
    return {from.data, from.data + from.dims.elements()};
}

/// Runs on every instruction set and hook; all must agree.
template <class T>
values<T> run_all(const quantized_graph& net, const std::vector<values<T>>& inputs, int batch) {
    const values<T> first = run(net, inputs, {.batch = batch});
    for (const isa which : octet::supported_isas())
        for (const octet::parallel& threads : {octet::parallel{}, octet::test::reverse_hook()})
            EXPECT_EQ(run(net, inputs, {.batch = batch, .target = which, .threads = threads}), first)
                << octet::to_string(which);
    return first;
}

template <class T>
values<T> some(std::int64_t count, unsigned seed) {
    if constexpr (std::is_same_v<T, float>)
        return reals(static_cast<std::size_t>(count), seed, -4.0F, 4.0F);
    else
        return bytes(static_cast<std::size_t>(count), seed);
}

/// int8 with `plain` for all tensors, or float.
template <class T>
quantized_graph stored_as(graph net) {
    return std::is_same_v<T, float> ? octet::as_float(std::move(net)) : in_int8(std::move(net), {plain});
}

std::int8_t stored(double real, quant_params p) {
    return static_cast<std::int8_t>(octet::quantize_value(static_cast<float>(real), p, -128, 127));
}
/// `got` is a byte next to real / scale + zero_point, or that clamped: at most half a step, and the rounding of floats,
/// away.
void expect_nearest(std::int8_t got, double real, quant_params p) {
    const double q = std::clamp(real / double{p.scale.value} + p.zero_point.value, -128.0, 127.0);
    EXPECT_NEAR(got, q, 0.5 + 1e-3);
}
double real_of(std::int8_t q, quant_params p) { return double{p.scale.value} * (q - p.zero_point.value); }

template <class T>
class moved : public testing::Test {};
using storages = testing::Types<std::int8_t, float>;
TYPED_TEST_SUITE(moved, storages);

std::size_t flat(const std::array<std::int64_t, 4>& at, const shape& dims) {
    return static_cast<std::size_t>(((at[0] * dims[1] + at[1]) * dims[2] + at[2]) * dims[3] + at[3]);
}
template <class Body>
void for_each_index(const shape& dims, const Body& body) {
    std::array<std::int64_t, 4> at{};
    for (at[0] = 0; at[0] < dims[0]; ++at[0])
        for (at[1] = 0; at[1] < dims[1]; ++at[1])
            for (at[2] = 0; at[2] < dims[2]; ++at[2])
                for (at[3] = 0; at[3] < dims[3]; ++at[3]) body(at);
}

TYPED_TEST(moved, transpose_in_every_order) {
    const shape one{1, 3, 4, 5};
    std::array<int, 3> rest{1, 2, 3};
    do {
        graph net;
        op::transpose turn;
        turn.order = {0, rest[0], rest[1], rest[2]};
        net.output(net.add("turn", turn, {net.input("x", one)}));
        const shape dims = one.with(0, 2);
        const shape out{2, dims[rest[0]], dims[rest[1]], dims[rest[2]]};
        EXPECT_EQ(net.at(net.outputs()[0]).dims, out.with(0, 1));
        const values<TypeParam> x = some<TypeParam>(dims.elements(), 3);
        values<TypeParam> expected(x.size());
        for_each_index(out, [&](const std::array<std::int64_t, 4>& at) {
            std::array<std::int64_t, 4> from{};
            for (std::size_t a = 0; a < 4; ++a) from[static_cast<std::size_t>(turn.order[a])] = at[a];
            expected[flat(at, out)] = x[flat(from, dims)];
        });
        EXPECT_EQ(run_all<TypeParam>(stored_as<TypeParam>(net), {x}, 2), expected);
    } while (std::next_permutation(rest.begin(), rest.end()));
}

TYPED_TEST(moved, pad_every_axis) {
    struct margins {
        std::array<int, 6> before{}, after{};
    };
    for (const margins& add : {margins{{0, 1, 0, 2}, {0, 0, 3, 0}}, margins{{0, 0, 0, 0}, {0, 0, 0, 1}},
                               margins{{0, 2, 2, 0}, {0, 1, 0, 0}}, margins{}}) {
        graph net;
        op::pad grow;
        grow.before = add.before, grow.after = add.after, grow.value = -1.23F;
        net.output(net.add("grow", grow, {net.input("x", {1, 3, 4, 5})}));
        const shape dims{2, 3, 4, 5};
        shape out = dims;
        for (int a = 1; a < 4; ++a)
            out =
                out.with(a, dims[a] + add.before[static_cast<std::size_t>(a)] + add.after[static_cast<std::size_t>(a)]);
        const values<TypeParam> x = some<TypeParam>(dims.elements(), 4);
        TypeParam fill{};
        if constexpr (std::is_same_v<TypeParam, float>)
            fill = grow.value;
        else
            fill = stored(grow.value, plain);
        values<TypeParam> expected(static_cast<std::size_t>(out.elements()), fill);
        for_each_index(dims, [&](std::array<std::int64_t, 4> at) {
            const TypeParam value = x[flat(at, dims)];
            for (std::size_t a = 1; a < 4; ++a) at[a] += add.before[a];
            expected[flat(at, out)] = value;
        });
        EXPECT_EQ(run_all<TypeParam>(stored_as<TypeParam>(net), {x}, 2), expected);
    }
}

/// Parts that are made in place (each a mirrored input), that are copied (the inputs themselves, one twice) and a
/// constant, along every axis, alone and inside another concatenation.
TYPED_TEST(moved, concat_on_every_axis) {
    for (const shape& one :
         {shape{1, 2, 3, 4}, shape{1, 9, 37, 4}})  // the second of more rows than are copied together
        for (const auto& form : {std::tuple{1, 1, false},
                                 {1, 2, false},
                                 {1, 3, false},
                                 {1, 1, true},
                                 {1, 2, true},
                                 {1, 3, true},
                                 {3, 1, false},
                                 {3, 2, false},
                                 {3, 3, false},
                                 {3, 1, true},
                                 {3, 2, true},
                                 {3, 3, true}}) {
            const int batch = std::get<0>(form), axis = std::get<1>(form);
            const bool nested = std::get<2>(form);
            SCOPED_TRACE(testing::Message() << "axis " << axis << ", batch " << batch << ", nested " << nested);
            const std::array<shape, 3> parts{one, one.with(axis, 5), one.with(axis, 1)};
            graph net;
            std::vector<tensor_id> in, made;
            op::transpose same;
            same.order = {0, 1, 2, 3};
            for (const shape& dims : parts) in.push_back(net.input("x", dims));
            for (const tensor_id id : in) made.push_back(net.add("same", same, {id}));
            values<TypeParam> fixed = some<TypeParam>(one.elements(), 50);
            const std::vector<float> reals_of_fixed = [&] {
                std::vector<float> all;
                for (const TypeParam v : fixed)
                    all.push_back(std::is_same_v<TypeParam, float>
                                      ? static_cast<float>(v)
                                      : static_cast<float>(real_of(static_cast<std::int8_t>(v), plain)));
                return all;
            }();
            const tensor_id constant = net.constant("fixed", one, reals_of_fixed);
            // made[0], in[1], in[1], made[1], constant, made[2]
            tensor_id whole = 0;
            if (nested) {
                const tensor_id head = net.add("head", op::concat{axis}, {made[0], in[1]});
                const tensor_id tail = net.add("tail", op::concat{axis}, {in[1], made[1], constant});
                whole = net.add("whole", op::concat{axis}, {head, tail, made[2]});
            } else {
                whole = net.add("whole", op::concat{axis}, {made[0], in[1], in[1], made[1], constant, made[2]});
            }
            net.output(whole);
            const shape out = net.at(whole).dims.with(0, batch);
            EXPECT_EQ(out[axis], 2 * one[axis] + 5 * 3 + 1);

            std::vector<values<TypeParam>> x;
            for (const shape& dims : parts) x.push_back(some<TypeParam>(dims.elements() * batch, 5));
            values<TypeParam> expected(static_cast<std::size_t>(out.elements()));
            std::int64_t first = 0;
            for (const int which : {0, 1, 1, 1, 3, 2}) {
                const bool is_fixed = which == 3;
                const shape dims = (is_fixed ? one : parts[static_cast<std::size_t>(which)]).with(0, batch);
                for_each_index(dims, [&](std::array<std::int64_t, 4> at) {
                    std::array<std::int64_t, 4> from = at;
                    if (is_fixed) from[0] = 0;
                    const TypeParam value =
                        is_fixed ? fixed[flat(from, one)] : x[static_cast<std::size_t>(which)][flat(from, dims)];
                    at[static_cast<std::size_t>(axis)] += first;
                    expected[flat(at, out)] = value;
                });
                first += dims[axis];
            }
            EXPECT_EQ(run_all<TypeParam>(stored_as<TypeParam>(net), x, batch), expected);
        }
}

/// Of a dense tensor a view; of a part of a concatenation along the channels, which has gaps, a copy.
TYPED_TEST(moved, reshape_of_dense_and_of_strided) {
    for (int batch = 1; batch <= 2; ++batch) {
        graph net;
        const tensor_id x = net.input("x", {1, 2, 3, 4}), y = net.input("y", {1, 2, 3, 5});
        op::transpose same;
        same.order = {0, 1, 2, 3};
        const tensor_id left = net.add("left", same, {x}), right = net.add("right", same, {y});
        net.add("joined", op::concat{3}, {left, right});
        const tensor_id strided = net.add("strided", op::reshape{{1, 6, 5}}, {right});
        net.output(net.add("again", op::reshape{{1, 30}}, {strided}));
        net.output(net.add("dense", op::reshape{{1, 4, 3, 2}}, {x}));
        net.output(2 + 2);  // the concatenation
        const values<TypeParam> a = some<TypeParam>(24 * batch, 1), b = some<TypeParam>(30 * batch, 2);
        session<> one(stored_as<TypeParam>(net), {.batch = batch});
        std::copy(a.begin(), a.end(), one.template input<TypeParam>(0).data);
        std::copy(b.begin(), b.end(), one.template input<TypeParam>(1).data);
        one.run();
        const auto flat_out = one.template output<TypeParam>(0), dense = one.template output<TypeParam>(1),
                   joined = one.template output<TypeParam>(2);
        EXPECT_EQ(flat_out.dims, (shape{batch, 30}));
        EXPECT_EQ(values<TypeParam>(flat_out.data, flat_out.data + b.size()), b);
        EXPECT_EQ(values<TypeParam>(dense.data, dense.data + a.size()), a);
        EXPECT_EQ(dense.data, one.template input<TypeParam>(0).data);  // a view costs nothing
        for (std::int64_t r = 0; r < joined.rows(); ++r)
            for (std::int64_t c = 0; c < 9; ++c)
                EXPECT_EQ(joined.row(r)[c],
                          c < 4 ? a[static_cast<std::size_t>(r * 4 + c)] : b[static_cast<std::size_t>(r * 5 + c - 4)]);
    }
}

struct pool_case {
    window taps;
    shape in{1, 7, 6, 5};
};
std::vector<pool_case> pool_cases() {
    return {
        {{.kernel = {2, 2}, .stride = {2, 2}}},
        {{.kernel = {3, 3}, .pad = {1, 1, 1, 1}}},
        {{.kernel = {3, 2}, .stride = {2, 3}, .pad = {2, 0, 1, 1}}},
        {{.kernel = {3, 3}, .stride = {2, 2}, .ceil_mode = true}},
        {{.kernel = {3, 3}, .stride = {3, 2}, .pad = {1, 1, 1, 1}, .ceil_mode = true}},
        {{.kernel = {2, 2}, .stride = {4, 4}, .pad = {0, 0, 1, 1}, .ceil_mode = true}},
        {{.kernel = {3, 2}, .dilation = {2, 3}, .pad = {2, 1, 2, 1}}},
        {{.kernel = {7, 6}}},
        {{.kernel = {1, 1}, .stride = {2, 2}}, {1, 5, 5, 70}},
        {{.kernel = {3, 3}, .stride = {2, 2}, .pad = {1, 1, 1, 1}}, {1, 9, 8, 33}},
        {{.kernel = {3, 3}, .stride = {2, 2}, .pad = {1, 1, 1, 1}}, {1, 9, 8, 130}},
        {{.kernel = {3, 3}, .pad = {1, 1, 1, 1}}, {1, 5, 6, 70}},
        {{.kernel = {5, 5}, .pad = {2, 2, 2, 2}}, {1, 6, 9, 300}},
        {{.kernel = {5, 5}, .pad = {2, 2, 2, 2}}, {1, 3, 2, 40}},
    };
}

/// How many windows: as long as the last begins inside the image or its leading padding, and, unless ceil_mode, ends
/// inside the padded image.
std::int64_t windows(std::int64_t size, int taps, int step, int spread, int before, int after, bool ceil_mode) {
    std::int64_t count = 0;
    const std::int64_t reach = std::int64_t{spread} * (taps - 1) + 1;
    for (std::int64_t at = -before;; at += step, ++count) {
        const bool whole = at + reach <= size + after;
        const bool partly = ceil_mode && at < size && at + reach < size + after + step;
        if (!whole && !partly) return count;
    }
}

/// body(image, row, col, the flat pixels of the taps inside, how many count with padding)
template <class Body>
void for_each_window(const window& w, const shape& in, const shape& out, const Body& body) {
    for (std::int64_t b = 0; b < out[0]; ++b)
        for (std::int64_t r = 0; r < out[1]; ++r)
            for (std::int64_t c = 0; c < out[2]; ++c) {
                std::vector<std::int64_t> inside;
                int padded = 0;
                for (int y = 0; y < w.kernel.height; ++y)
                    for (int x = 0; x < w.kernel.width; ++x) {
                        const std::int64_t row = r * w.stride.height + y * w.dilation.height - w.pad.top;
                        const std::int64_t col = c * w.stride.width + x * w.dilation.width - w.pad.left;
                        padded += row < in[1] + w.pad.bottom && col < in[2] + w.pad.right ? 1 : 0;
                        if (row >= 0 && row < in[1] && col >= 0 && col < in[2])
                            inside.push_back((b * in[1] + row) * in[2] + col);
                    }
                body((b * out[1] + r) * out[2] + c, inside, padded);
            }
}

TYPED_TEST(moved, max_pool_is_the_largest_inside) {
    for (const pool_case& p : pool_cases()) {
        graph net;
        net.output(net.add("pool", op::pool2d{octet::pool_kind::max, p.taps, false}, {net.input("x", p.in)}));
        const shape in = p.in.with(0, 2), out = net.at(net.outputs()[0]).dims.with(0, 2);
        const window& w = p.taps;
        EXPECT_EQ(out[1], windows(in[1], w.kernel.height, w.stride.height, w.dilation.height, w.pad.top, w.pad.bottom,
                                  w.ceil_mode));
        EXPECT_EQ(out[2], windows(in[2], w.kernel.width, w.stride.width, w.dilation.width, w.pad.left, w.pad.right,
                                  w.ceil_mode));
        values<TypeParam> x = some<TypeParam>(in.elements(), 6);
        for (std::size_t i = 0; i < x.size() / 3; ++i) x[i] = static_cast<TypeParam>(-5 - std::abs(x[i] / 2));
        values<TypeParam> expected;
        for_each_window(w, in, out, [&](std::int64_t, const std::vector<std::int64_t>& inside, int) {
            ASSERT_FALSE(inside.empty());
            for (std::int64_t c = 0; c < out[3]; ++c) {
                TypeParam most = std::numeric_limits<TypeParam>::lowest();
                for (const std::int64_t pixel : inside)
                    most = std::max(most, x[static_cast<std::size_t>(pixel * in[3] + c)]);
                expected.push_back(most);
            }
        });
        EXPECT_EQ(run_all<TypeParam>(stored_as<TypeParam>(net), {x}, 2), expected);
    }
}

/// Six channels: four side by side and two alone.
TEST(pools, a_nan_leaves_the_largest_wherever_it_stands) {
    constexpr std::size_t channels = 6, count = 6 * channels;
    graph net;
    const octet::window taps{.kernel = {2, 3}};
    net.output(net.add("pool", op::pool2d{octet::pool_kind::max, taps, false}, {net.input("x", {1, 2, 3, channels})}));
    values<float> ascending(count);
    for (std::size_t i = 0; i < count; ++i) ascending[i] = static_cast<float>(i) - 20;
    for (std::size_t at = 0; at < count; ++at) {
        values<float> x = ascending;
        x[at] = std::numeric_limits<float>::quiet_NaN();
        const values<float> y = run<float>(stored_as<float>(net), {x}, {});
        for (std::size_t c = 0; c < channels; ++c)
            if (c == at % channels)
                EXPECT_TRUE(std::isnan(y[c])) << at;
            else
                EXPECT_EQ(y[c], ascending[count - channels + c]) << at;
    }
}

TEST(pools, refuse_a_window_that_makes_no_sense) {
    const octet::window no_stride{.kernel = {2, 2}, .stride = {0, 1}}, no_kernel{.kernel = {0, 2}};
    const quant_params p = params(0.05F, -11);
    using average = octet::average_pool2d<>;
    octet::test::expect_error([&] { octet::max_pool2d(no_stride, p, isa::scalar, "pool 'a'"); }, "pool 'a'",
                              "stride 0");
    octet::test::expect_error([&] { octet::max_pool2d(no_kernel, p, isa::scalar, "pool 'a'"); }, "pool 'a'", "kernel");
    octet::test::expect_error([&] { average(no_stride, true, p, p, isa::scalar, "pool 'b'"); }, "pool 'b'", "stride 0");
    octet::test::expect_error([&] { octet::max_pool2d({}, params(0.05F, 128), isa::scalar, "pool 'c'"); }, "pool 'c'",
                              "128");
}

/// Taps at columns c - 3 and c + 3 of 5: the window in the middle has none.
TEST(pools, a_window_without_a_tap_is_the_zero_point) {
    const octet::window taps{.kernel = {1, 2}, .dilation = {1, 6}, .pad = {0, 3, 0, 3}};
    const quant_params input = params(0.05F, -11), output = params(0.05F, 7);
    const values<std::int8_t> x{1, 2, 3, 4, 5};
    const octet::tensor_view<const std::int8_t> in(x.data(), {1, 1, 5, 1});
    for (const isa which : octet::supported_isas()) {
        values<std::int8_t> y(5);
        const octet::tensor_view<std::int8_t> out(y.data(), {1, 1, 5, 1});
        const octet::max_pool2d most(taps, input, which, "pool");
        octet::buffer<std::byte> scratch(most.scratch_bytes(1));
        most(in, out, scratch.data());
        EXPECT_EQ(y, (values<std::int8_t>{4, 5, -11, 1, 2})) << to_string(which);
        const octet::average_pool2d<octet::nearest_even> average(taps, true, input, output, which, "test");
        average(in, out, scratch.data());
        EXPECT_EQ(y, (values<std::int8_t>{15, 15, 7, 13, 13})) << to_string(which);  // lrint((q + 11) / 2) + 7
    }
    const values<float> real{1, 2, 3, 4, 5};
    values<float> largest(5, 9.0F);
    const float* table[2];
    octet::max_pool_float({{real.data(), {1, 1, 5, 1}}, taps, {1, 5}}, {largest.data(), {1, 1, 5, 1}}, table);
    EXPECT_EQ(largest, (values<float>{4, 5, 0, 1, 2}));
}

/// Before anything is multiplied by them.
TEST(elementwise, zero_points_that_no_byte_holds_are_refused) {
    for (const int zero : {128, -129, 4000, INT32_MAX, INT32_MIN}) {
        const quant_params p = params(1, zero), good = params(1, 0);
        const auto add = [](const quant_params& a, const quant_params& b, const quant_params& out) {
            octet::add_layer<>(a, b, out, {}, isa::scalar, "add 'a'");
        };
        octet::test::expect_error([&] { add(p, good, good); }, "add 'a'", "first input");
        octet::test::expect_error([&] { add(good, p, good); }, "add 'a'", "second input");
        octet::test::expect_error([&] { add(good, good, p); }, "add 'a'", "output");
    }
}

/// The largest kernel that an average may have, nearly all of it in padding: it costs no more than the image.
TEST(pools, an_average_divides_by_the_cells_that_count_however_large_its_kernel) {
    octet::window taps{.kernel = {4096, 2048}, .pad = {4094, 2046, 0, 0}};
    const quant_params input = params(0.0625F, -11), output = params(0x1p-22F, 7);
    const values<std::int8_t> x{9, 19, 29, 15};  // 116 steps above the zero point
    const octet::tensor_view<const std::int8_t> in(x.data(), {1, 2, 2, 1});
    for (const isa which : octet::supported_isas()) {
        std::int8_t y = 0;
        const octet::tensor_view<std::int8_t> out(&y, {1, 1, 1, 1});
        const octet::average_pool2d<> all(taps, true, input, output, which, "pool");
        octet::buffer<std::byte> scratch(all.scratch_bytes(1));
        all(in, out, scratch.data());
        EXPECT_EQ(y, 4 + 7) << to_string(which);  // lrint(116 * 2^-5 = 3.625)
        octet::average_pool2d<>(taps, false, input, params(0.0625F, 7), which, "pool")(in, out, scratch.data());
        EXPECT_EQ(y, 29 + 7) << to_string(which);
    }
    taps.kernel.width *= 2;
    octet::test::expect_error([&] { octet::average_pool2d<>(taps, false, input, input, isa::scalar, "pool 'a'"); },
                              "pool 'a'", "16777216 cells");
}

TEST(pools, average_requantizes_its_sum) {
    const quant_params input = params(0.05F, -11), output = params(0.043F, 7);
    for (const pool_case& p : pool_cases())
        for (const bool count_padding : {false, true}) {
            graph net;
            net.output(
                net.add("pool", op::pool2d{octet::pool_kind::average, p.taps, count_padding}, {net.input("x", p.in)}));
            const shape in = p.in.with(0, 2), out = net.at(net.outputs()[0]).dims.with(0, 2);
            const values<std::int8_t> q = some<std::int8_t>(in.elements(), 7);
            const values<float> x = some<float>(in.elements(), 8);
            values<std::int8_t> expected;
            values<double> expected_real;
            for_each_window(p.taps, in, out, [&](std::int64_t, const std::vector<std::int64_t>& inside, int padded) {
                const int n = count_padding ? padded : static_cast<int>(inside.size());
                for (std::int64_t c = 0; c < out[3]; ++c) {
                    std::int32_t sum = 0;
                    double real = 0.0;
                    for (const std::int64_t pixel : inside) {
                        sum += q[static_cast<std::size_t>(pixel * in[3] + c)] - input.zero_point.value;
                        real += double{x[static_cast<std::size_t>(pixel * in[3] + c)]};
                    }
                    const float m = input.scale.value / (output.scale.value * static_cast<float>(n));
                    expected.push_back(octet::requantize<octet::nearest_even>(
                        sum, octet::nearest_even::make(m, "reference"), output.zero_point, {}));
                    expected_real.push_back(real / n);
                }
            });
            EXPECT_EQ(run_all<std::int8_t>(in_int8(net, {input, output}), {q}, 2), expected);
            const values<float> got = run_all<float>(octet::as_float(net), {x}, 2);
            ASSERT_EQ(got.size(), expected_real.size());
            for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected_real[i], 1e-5);
        }
}

TEST(pools, global_average_requantizes_its_sum) {
    const quant_params input = params(0.05F, 101), output = params(0.011F, -100);
    for (const shape& one : {shape{1, 7, 7, 33}, shape{1, 1, 1, 3}, shape{1, 20, 17, 2}}) {
        graph net;
        net.output(net.add("pool", op::global_average_pool{}, {net.input("x", one)}));
        const std::int64_t pixels = one[1] * one[2], channels = one[3];
        values<std::int8_t> q = some<std::int8_t>(2 * one.elements(), 9);
        std::fill_n(q.begin(), one.elements(), static_cast<std::int8_t>(-128));  // the first image: the extreme
        const values<float> x = some<float>(2 * one.elements(), 10);
        values<std::int8_t> expected;
        values<double> expected_real;
        for (std::int64_t b = 0; b < 2; ++b)
            for (std::int64_t c = 0; c < channels; ++c) {
                std::int32_t sum = 0;
                double real = 0.0;
                for (std::int64_t p = 0; p < pixels; ++p) {
                    const auto at = static_cast<std::size_t>((b * pixels + p) * channels + c);
                    sum += q[at] - input.zero_point.value, real += double{x[at]};
                }
                const float m = input.scale.value / (output.scale.value * static_cast<float>(pixels));
                expected.push_back(octet::requantize<octet::nearest_even>(sum, {m}, output.zero_point, {}));
                expected_real.push_back(real / static_cast<double>(pixels));
            }
        EXPECT_EQ(run_all<std::int8_t>(in_int8(net, {input, output}), {q}, 2), expected);
        const values<float> got = run_all<float>(octet::as_float(net), {x}, 2);
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected_real[i], 1e-5);
    }
}

struct broadcast_case {
    shape a, b;
    bool b_is_constant = false;
};
std::vector<broadcast_case> broadcast_cases() {
    return {
        {{1, 3, 4, 5}, {1, 3, 4, 5}},
        {{1, 3, 4, 5}, {1, 1, 1, 5}},
        {{1, 3, 4, 5}, {1, 3, 4, 1}},
        {{1, 1, 4, 1}, {1, 3, 1, 5}},
        {{1, 1, 1, 1}, {1, 3, 4, 5}},
        {{1, 3, 1, 5}, {1, 1, 4, 1}},
        {{1, 17}, {1, 17}},
        {{1, 6, 70}, {1, 1, 70}},
        {{1, 3, 4, 5}, {5}, true},
        {{1, 3, 4, 5}, {4, 1}, true},
        {{1, 3, 4, 5}, {3, 1, 1}, true},
        {{1, 3, 4, 5}, {}, true},
        {{1, 3, 4, 5}, {1, 3, 4, 5}, true},
        {{1, 1, 4, 1}, {3, 1, 5}, true},
        {{1, 40, 40, 9}, {1, 40, 40, 9}},
        {{1, 7}, {1}, true},
        {{1, 5, 1}, {7}, true},
        {{1}, {1}},
    };
}

/// The values of `from` as a dense tensor of shape `to`.
template <class T>
values<T> expanded(const values<T>& from, const shape& dims, const shape& to) {
    values<T> all;
    for (std::int64_t i = 0; i < to.elements(); ++i) {
        std::int64_t rest = i, index = 0, step = 1;
        for (int back = 1; back <= to.rank(); ++back) {
            const std::int64_t at = rest % to[to.rank() - back];
            rest /= to[to.rank() - back];
            if (back > dims.rank()) continue;
            const std::int64_t size = dims[dims.rank() - back];
            index += (size == 1 ? 0 : at) * step, step *= size;
        }
        all.push_back(from[static_cast<std::size_t>(index)]);
    }
    return all;
}

TEST(broadcast, add_and_mul_in_every_form) {
    const quant_params of_a = params(0.031F, 17), of_b = params(0.02F, -40), sum_of = params(0.05F, 3),
                       product_of = params(0.04F, -9);
    for (const bool multiplies : {false, true})
        for (const broadcast_case& form : broadcast_cases()) {
            const int batch = 2;
            SCOPED_TRACE(testing::Message() << octet::to_string(form.a) << " and " << octet::to_string(form.b));
            const quant_params of_out = multiplies ? product_of : sum_of;
            const octet::operation what = multiplies ? octet::operation(op::mul{}) : octet::operation(op::add{});
            const shape in_a = form.a.with(0, batch), in_b = form.b_is_constant ? form.b : form.b.with(0, batch);
            const values<std::int8_t> qa = bytes(static_cast<std::size_t>(in_a.elements()), 11),
                                      qb = bytes(static_cast<std::size_t>(in_b.elements()), 12);
            const values<float> ra = some<float>(in_a.elements(), 13), rb = some<float>(in_b.elements(), 14);
            for (const bool swapped : {false, true}) {
                const auto build = [&](const values<float>& constant) {
                    graph net;
                    const tensor_id a = net.input("a", form.a);
                    const tensor_id b =
                        form.b_is_constant ? net.constant("b", form.b, constant) : net.input("b", form.b);
                    net.output(net.add("sum", what, swapped ? std::vector{b, a} : std::vector{a, b}, {-3.0F, 2.5F}));
                    return net;
                };
                values<float> dequantized;
                for (const std::int8_t q : qb) dequantized.push_back(octet::dequantize_value(q, of_b));
                const graph net = build(dequantized);
                const shape out = net.at(net.outputs()[0]).dims.with(0, batch);
                const values<std::int8_t> wide_a = expanded(qa, in_a, out), wide_b = expanded(qb, in_b, out);
                std::vector<values<std::int8_t>> given{qa};
                if (!form.b_is_constant) given.push_back(qb);
                const values<std::int8_t> got = run_all(in_int8(net, {of_a, of_b, of_out}), given, batch);
                ASSERT_EQ(got.size(), wide_a.size());

                // The same bytes as without broadcasting.
                graph dense;
                const shape flat_dims{1, 1, out.elements()};
                const tensor_id left = dense.input("a", flat_dims), right = dense.input("b", flat_dims);
                dense.output(dense.add("sum", what, swapped ? std::vector{right, left} : std::vector{left, right},
                                       {-3.0F, 2.5F}));
                EXPECT_EQ(got, run<std::int8_t>(in_int8(dense, {of_a, of_b, of_out}), {wide_a, wide_b}));
                for (std::size_t i = 0; i < got.size(); ++i) {
                    const double x = real_of(wide_a[i], of_a), y = real_of(wide_b[i], of_b);
                    const double exact = std::clamp(multiplies ? x * y : x + y, -3.0, 2.5);
                    // A clamped byte is the bound quantized.
                    if (exact == -3.0 || exact == 2.5)
                        EXPECT_EQ(got[i], stored(exact, of_out));
                    else
                        expect_nearest(got[i], exact, of_out);
                }

                std::vector<values<float>> real_given{ra};
                if (!form.b_is_constant) real_given.push_back(rb);
                const values<float> real_got = run_all(octet::as_float(build(rb)), real_given, batch);
                const values<float> wide_ra = expanded(ra, in_a, out), wide_rb = expanded(rb, in_b, out);
                for (std::size_t i = 0; i < got.size(); ++i)
                    EXPECT_EQ(real_got[i],
                              std::clamp(multiplies ? wide_ra[i] * wide_rb[i] : wide_ra[i] + wide_rb[i], -3.0F, 2.5F));
            }
        }
}

TEST(lookup, all_values_of_all_functions) {
    values<std::int8_t> every;
    for (int q = -128; q < 128; ++q) every.push_back(static_cast<std::int8_t>(q));
    using octet::function;
    for (const function what : {function::logistic, function::tanh, function::hard_swish, function::leaky_relu})
        for (const quant_params& input :
             {params(0.05F, 0), params(0.011F, -128), params(3.0F, 127), params(1e-3F, 9)}) {
            const quant_params output = what == function::logistic ? params(1.0F / 256, -128)
                                        : what == function::tanh   ? params(1.0F / 128, 0)
                                                                   : params(0.04F, -20);
            graph net;
            net.output(net.add("f", op::lookup{what, 0.17F}, {net.input("x", {1, 256})}));
            const values<std::int8_t> got = run_all<std::int8_t>(in_int8(net, {input, output}), {every}, 1);
            values<float> in_real;
            for (const std::int8_t q : every) in_real.push_back(octet::dequantize_value(q, input));
            const values<float> real = run_all<float>(octet::as_float(net), {in_real}, 1);
            for (std::size_t i = 0; i < every.size(); ++i) {
                const double x = double{in_real[i]};
                const double f = what == function::logistic     ? 1.0 / (1.0 + std::exp(-x))
                                 : what == function::tanh       ? std::tanh(x)
                                 : what == function::hard_swish ? x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0
                                                                : (x < 0.0 ? double{0.17F} * x : x);
                EXPECT_NEAR(real[i], f, 1e-6 * std::fabs(f) + 1e-30);
                expect_nearest(got[i], f, output);
                EXPECT_EQ(got[i], stored(double{octet::apply(what, in_real[i], 0.17F)}, output));
            }
        }
}

TEST(lookup, clip_is_a_table_too) {
    values<std::int8_t> every;
    for (int q = -128; q < 128; ++q) every.push_back(static_cast<std::int8_t>(q));
    const quant_params input = params(0.1F, 4), output = params(6.0F / 255, -128);
    graph net;
    net.output(net.add("relu6", op::clip{{0.0F, 6.0F}}, {net.input("x", {1, 256})}));
    const values<std::int8_t> got = run_all<std::int8_t>(in_int8(net, {input, output}), {every}, 1);
    for (std::size_t i = 0; i < 256; ++i)
        EXPECT_EQ(got[i], stored(std::clamp(octet::dequantize_value(every[i], input), 0.0F, 6.0F), output));
}

TEST(softmax, is_nearest_to_the_exact) {
    const quant_params output = params(1.0F / 256, -128);
    for (const quant_params& input : {params(0.1F, 0), params(0.003F, -128), params(2.0F, 127)})
        for (const shape& one : {shape{1, 10}, shape{1, 1}, shape{1, 3, 1001}, shape{1, 2, 2, 5}}) {
            graph net;
            net.output(net.add("p", op::softmax{}, {net.input("x", one)}));
            values<std::int8_t> q = some<std::int8_t>(2 * one.elements(), 15);
            std::fill_n(q.begin(), one.cols(), static_cast<std::int8_t>(127));  // a row of equals
            const values<std::int8_t> got = run_all<std::int8_t>(in_int8(net, {input, output}), {q}, 2);
            values<float> x;
            for (const std::int8_t each : q) x.push_back(octet::dequantize_value(each, input));
            const values<float> real = run_all<float>(octet::as_float(net), {x}, 2);
            const auto cols = static_cast<std::size_t>(one.cols());
            for (std::size_t first = 0; first < q.size(); first += cols) {
                double sum = 0.0, most = -1e30;
                for (std::size_t c = first; c < first + cols; ++c) most = std::max(most, real_of(q[c], input));
                for (std::size_t c = first; c < first + cols; ++c) sum += std::exp(real_of(q[c], input) - most);
                for (std::size_t c = first; c < first + cols; ++c) {
                    const double exact = std::exp(real_of(q[c], input) - most) / sum;
                    expect_nearest(got[c], exact, output);
                    EXPECT_NEAR(real[c], exact, 1e-4 * exact + 1e-38);
                }
            }
        }
}

/// Layers with weights, quantized by quantize and run by a session: the bytes follow from its integers.
struct weighted {
    const char* what;
    shape in;
    octet::operation layer;
};

std::vector<weighted> weighted_layers() {
    const auto weights = [](int outputs, int inner, unsigned seed) {
        return octet::layer_weights{outputs, reals(static_cast<std::size_t>(outputs * inner), seed),
                                    reals(static_cast<std::size_t>(outputs), seed + 1)};
    };
    return {
        {"linear of rank 2", {1, 19}, op::linear{weights(11, 19, 20)}},
        {"linear of rank 3", {1, 6, 19}, op::linear{weights(11, 19, 22)}},
        {"linear of rank 4", {1, 2, 3, 8}, op::linear{weights(5, 8, 24)}},
        {"conv", {1, 6, 5, 4}, op::conv2d{weights(7, 36, 26), {.kernel = {3, 3}, .pad = {1, 0, 1, 2}}}},
        {"grouped", {1, 6, 5, 4}, op::conv2d{weights(6, 12, 28), {.kernel = {3, 2}, .stride = {2, 1}}, 2}},
        {"depthwise", {1, 6, 5, 9}, op::conv2d{weights(9, 6, 30), {.kernel = {3, 2}, .pad = {1, 1, 0, 0}}, 9}},
        {"depthwise with a multiplier", {1, 6, 5, 3}, op::conv2d{weights(6, 4, 32), {.kernel = {2, 2}}, 3}},
        {"one channel", {1, 6, 5, 1}, op::conv2d{weights(4, 9, 34), {.kernel = {3, 3}}}},
    };
}

/// body(output index, output channel, {input index, weight index} of each product in ascending order)
template <class Body>
void for_each_output(const octet::operation& layer, const shape& in, const shape& out, const Body& body) {
    const auto* conv = std::get_if<op::conv2d>(&layer);
    const window w = conv != nullptr ? conv->taps : window{};
    const int groups = conv != nullptr ? conv->groups : 1;
    const bool image = conv != nullptr;
    const std::int64_t height = image ? in[1] : in.rows(), width = image ? in[2] : 1;
    const std::int64_t rows = image ? out[1] : out.rows(), cols = image ? out[2] : 1, images = image ? out[0] : 1;
    const std::int64_t depth = in.cols() / groups, per_group = out.cols() / groups;
    for (std::int64_t i = 0; i < images * rows * cols * out.cols(); ++i) {
        const std::int64_t o = i % out.cols(), c = i / out.cols() % cols, r = i / out.cols() / cols % rows,
                           b = i / out.cols() / cols / rows;
        std::vector<std::pair<std::size_t, std::size_t>> products;
        for (int y = 0; y < w.kernel.height; ++y)
            for (int x = 0; x < w.kernel.width; ++x)
                for (std::int64_t k = 0; k < depth; ++k) {
                    const std::int64_t row = r * w.stride.height + y - w.pad.top,
                                       col = c * w.stride.width + x - w.pad.left;
                    if (row < 0 || row >= height || col < 0 || col >= width) continue;
                    products.emplace_back(((b * height + row) * width + col) * in.cols() + o / per_group * depth + k,
                                          ((o * w.kernel.height + y) * w.kernel.width + x) * depth + k);
                }
        body(static_cast<std::size_t>(i), static_cast<std::size_t>(o), products);
    }
}

TEST(weights, int8_follows_from_the_integers) {
    for (const weighted& one : weighted_layers())
        for (const octet::granularity grain : {octet::granularity::per_channel, octet::granularity::per_tensor}) {
            SCOPED_TRACE(one.what);
            graph net;
            const tensor_id y = net.add("layer", one.layer, {net.input("x", one.in)}, {-2.0F, 3.0F});
            net.output(y);
            const quantized_graph int8 =
                octet::quantize(net, {4, reals(static_cast<std::size_t>(4 * one.in.elements()), 40, -1.0F, 3.0F)},
                                {.weight_granularity = grain});
            const octet::quantized_layer& q = int8.layers[0];
            const quant_params input = int8.at(0).params, output = int8.at(y).params;
            const shape in = one.in.with(0, 2), out = net.at(y).dims.with(0, 2);
            const values<std::int8_t> x = some<std::int8_t>(in.elements(), 41);
            values<std::int8_t> expected(static_cast<std::size_t>(out.elements()));
            for_each_output(one.layer, in, out, [&](std::size_t i, std::size_t o, const auto& products) {
                std::int64_t acc = q.bias[o];
                for (const auto& [from, weight] : products)
                    acc += std::int64_t{x[from] - input.zero_point.value} * q.values[weight];
                const scale of_weight = q.scales[q.scales.size() == 1 ? 0 : o];
                const auto m = octet::nearest_even::make(input.scale, of_weight, output.scale, "reference");
                expected[i] = octet::requantize<octet::nearest_even>(
                    static_cast<std::int32_t>(acc), m, output.zero_point, {stored(-2.0, output), stored(3.0, output)});
            });
            EXPECT_EQ(run_all<std::int8_t>(int8, {x}, 2), expected);
        }
}

/// Each output is one chain of fused multiply-adds in ascending depth, begun at the bias: bit for bit. A product with
/// padding adds 0, which changes no bit but the sign of 0.
TEST(weights, float_is_a_chain_of_fused_multiply_adds) {
    for (const weighted& one : weighted_layers()) {
        SCOPED_TRACE(one.what);
        graph net;
        const tensor_id y = net.add("layer", one.layer, {net.input("x", one.in)}, {-2.0F, 3.0F});
        net.output(y);
        const octet::layer_weights& w = std::holds_alternative<op::linear>(one.layer)
                                            ? std::get<op::linear>(one.layer).weights
                                            : std::get<op::conv2d>(one.layer).weights;
        const shape in = one.in.with(0, 2), out = net.at(y).dims.with(0, 2);
        const values<float> x = some<float>(in.elements(), 42);
        values<float> expected(static_cast<std::size_t>(out.elements()));
        for_each_output(one.layer, in, out, [&](std::size_t i, std::size_t o, const auto& products) {
            float acc = w.bias[o];
            for (const auto& [from, weight] : products) acc = std::fma(x[from], w.values[weight], acc);
            expected[i] = std::clamp(acc, -2.0F, 3.0F);
        });
        EXPECT_EQ(run_all<float>(octet::as_float(net), {x}, 2), expected);
    }
}

TEST(weights, batch_norm_in_float_is_one_fused_multiply_add) {
    for (const shape& one : {shape{1, 3, 2, 5}, shape{1, 5}, shape{1, 7, 5}}) {
        graph net;
        const values<float> factor = reals(5, 43), shift = reals(5, 44);
        net.output(net.add("norm", op::batch_norm{factor, shift}, {net.input("x", one)}, {-1.0F, 2.0F}));
        const values<float> x = some<float>(3 * one.elements(), 45);
        values<float> expected;
        for (std::size_t i = 0; i < x.size(); ++i)
            expected.push_back(std::clamp(std::fma(x[i], factor[i % 5], shift[i % 5]), -1.0F, 2.0F));
        EXPECT_EQ(run_all<float>(octet::as_float(net), {x}, 3), expected);
    }
}

}  // namespace
