// Random networks of operators that move, reshape and mix axes: the imported graph, run as it is stored, gives what a
// plain evaluation in ONNX's own layout gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "compiled_once.hpp"
#include "octet/graph/quantized_graph.hpp"
#include "octet/graph/session.hpp"
#include "octet/io/onnx.hpp"
#include "onnx_writer.hpp"

namespace octet::test {
namespace {

/// A tensor in ONNX's layout, and the plain definitions of the operators on it.
struct dense {
    integers dims;
    std::vector<float> data;
};

std::int64_t product(const integers& dims) {
    std::int64_t all = 1;
    for (const std::int64_t each : dims) all *= each;
    return all;
}

/// visit(index of every element, its coordinates), in row-major order.
template <class Visit>
void walk(const integers& dims, const Visit& visit) {
    integers at(dims.size(), 0);
    for (std::int64_t i = 0, count = product(dims); i < count; ++i) {
        visit(static_cast<std::size_t>(i), at);
        for (std::size_t axis = dims.size(); axis-- > 0;) {
            if (++at[axis] < dims[axis]) break;
            at[axis] = 0;
        }
    }
}
/// The element at these coordinates; coordinates of axes of size 1 are ignored, missing leading axes too.
float& element(dense& of, const integers& at) {
    std::int64_t index = 0;
    for (std::size_t i = 0; i < of.dims.size(); ++i)
        index = index * of.dims[i] + (of.dims[i] == 1 ? 0 : at[at.size() - of.dims.size() + i]);
    return of.data[static_cast<std::size_t>(index)];
}
dense make(const integers& dims, float fill = 0.0F) {
    return {dims, std::vector<float>(static_cast<std::size_t>(product(dims)), fill)};
}

dense transpose(dense x, const integers& perm) {
    integers dims, from(perm.size());
    for (const std::int64_t axis : perm) dims.push_back(x.dims[static_cast<std::size_t>(axis)]);
    dense y = make(dims);
    walk(dims, [&](std::size_t i, const integers& at) {
        for (std::size_t k = 0; k < perm.size(); ++k) from[static_cast<std::size_t>(perm[k])] = at[k];
        y.data[i] = element(x, from);
    });
    return y;
}
template <class Function>
dense combine(dense x, dense c, const Function& function) {
    integers dims = x.dims;
    for (std::size_t i = 0; i < c.dims.size(); ++i) {
        std::int64_t& size = dims[dims.size() - c.dims.size() + i];
        size = std::max(size, c.dims[i]);
    }
    dense y = make(dims);
    walk(dims, [&](std::size_t i, const integers& at) { y.data[i] = function(element(x, at), element(c, at)); });
    return y;
}
dense concat(dense a, dense b, std::size_t axis) {
    integers dims = a.dims;
    dims[axis] += b.dims[axis];
    dense y = make(dims);
    walk(dims, [&](std::size_t i, integers at) {
        const bool second = at[axis] >= a.dims[axis];
        if (second) at[axis] -= a.dims[axis];
        y.data[i] = element(second ? b : a, at);
    });
    return y;
}
dense pad(dense x, const integers& before, const integers& after, float value) {
    integers dims = x.dims;
    for (std::size_t i = 0; i < dims.size(); ++i) dims[i] += before[i] + after[i];
    dense y = make(dims, value);
    walk(x.dims, [&](std::size_t i, integers at) {
        for (std::size_t k = 0; k < at.size(); ++k) at[k] += before[k];
        element(y, at) = x.data[i];
    });
    return y;
}
dense softmax(dense x, std::size_t axis) {
    integers dims = x.dims;
    dims[axis] = 1;
    dense sum = make(dims);
    for (float& each : x.data) each = std::exp(each);
    walk(x.dims, [&](std::size_t i, integers at) {
        at[axis] = 0;
        element(sum, at) += x.data[i];
    });
    return combine(x, sum, [](float a, float b) { return a / b; });
}
dense mat_mul(dense x, dense w) {
    integers dims = x.dims;
    dims.back() = w.dims[1];
    dense y = make(dims);
    walk(dims, [&](std::size_t i, integers at) {
        const std::int64_t output = at.back();
        for (at.back() = 0; at.back() < w.dims[0]; ++at.back())
            y.data[i] += element(x, at) * element(w, {at.back(), output});
    });
    return y;
}
dense mean(dense x, std::size_t first, std::size_t second) {
    integers dims = x.dims;
    dims[first] = dims[second] = 1;
    dense y = make(dims);
    const auto count = static_cast<float>(x.dims[first] * x.dims[second]);
    walk(x.dims, [&](std::size_t i, integers at) {
        at[first] = at[second] = 0;
        element(y, at) += x.data[i] / count;
    });
    return y;
}
dense max_pool(dense x) {  // 2 x 2, stride 1
    dense y = make({1, x.dims[1], x.dims[2] - 1, x.dims[3] - 1});
    walk(y.dims, [&](std::size_t i, const integers& at) {
        float most = -1e30F;
        for (std::int64_t r = 0; r < 2; ++r)
            for (std::int64_t c = 0; c < 2; ++c) most = std::max(most, element(x, {0, at[1], at[2] + r, at[3] + c}));
        y.data[i] = most;
    });
    return y;
}

/// Writes a random network and evaluates it beside.
class random_network {
  public:
    explicit random_network(unsigned seed) : state_(seed * 7919U + 1U), model_(13) {
        static const integers shapes[] = {{-1, 3, 4, 5}, {-1, 12}, {-1, 6, 4}, {-1, 1, 4, 6}};
        input_ = shapes[below(4)];
        model_.input("v0", input_);
        input_[0] = 1;
        values_.push_back({input_, numbers(static_cast<std::size_t>(product(input_)), seed)});
    }
    void add() {
        dense x = values_.back();
        const std::size_t rank = x.dims.size();
        const std::string in = "v" + std::to_string(values_.size() - 1);
        switch (below(13)) {
            case 0: {  // Transpose
                integers perm(rank);
                for (std::size_t i = 0; i < rank; ++i) perm[i] = static_cast<std::int64_t>(i);
                for (std::size_t i = rank; i-- > 2;) std::swap(perm[i], perm[1 + below(i)]);
                return node("Transpose", {in}, {attr("perm", perm)}, transpose(x, perm));
            }
            case 1: {  // Reshape: merge or split
                integers dims{0};
                std::int64_t rest = product(x.dims);
                for (const std::int64_t part : {2, 3, 5})
                    if (rest % part == 0 && below(2) == 0 && dims.size() < 4) dims.push_back(part), rest /= part;
                dims.push_back(rest);
                return reshape(in, x, dims);
            }
            case 2:
                return reshape(in, x, {0, -1});
            case 3:
                return node("Relu", {in}, {}, combine(x, make({1}), [](float a, float) { return std::max(a, 0.0F); }));
            case 4: {  // Add or Mul of a constant that broadcasts
                integers dims(x.dims.begin() + static_cast<std::ptrdiff_t>(below(rank)), x.dims.end());
                if (dims.size() == rank) dims[0] = 1;
                for (std::int64_t& each : dims)
                    if (below(3) == 0) each = 1;
                const dense c = constant(dims);
                if (below(2) == 0)
                    return node("Add", {in, "c"}, {}, combine(x, c, [](float a, float b) { return a + b; }), &c);
                return node("Mul", {in, "c"}, {}, combine(x, c, [](float a, float b) { return a * b; }), &c);
            }
            case 5: {  // with any earlier value of the same shape
                const std::size_t other = earlier(x.dims);
                return node("Add", {"v" + std::to_string(other), in}, {},
                            combine(x, values_[other], [](float a, float b) { return a + b; }));
            }
            case 6: {
                const std::size_t other = earlier(x.dims), axis = 1 + below(rank - 1);
                if (product(x.dims) > 2000) return;
                return node("Concat", {in, "v" + std::to_string(other)}, {attr("axis", static_cast<int>(axis))},
                            concat(x, values_[other], axis));
            }
            case 7: {
                if (product(x.dims) > 1000) return;
                integers before{0}, after{0};
                for (std::size_t i = 1; i < rank; ++i)
                    before.push_back(static_cast<std::int64_t>(below(2))),
                        after.push_back(static_cast<std::int64_t>(below(2)));
                integers both = before;
                both.insert(both.end(), after.begin(), after.end());
                const std::string pads = "pads" + std::to_string(values_.size()),
                                  value = "fill" + std::to_string(values_.size());
                model_.ints(pads, both).floats(value, {}, {0.25F});
                return node("Pad", {in, pads, value}, {}, pad(x, before, after, 0.25F));
            }
            case 8: {
                const std::size_t axis = 1 + below(rank - 1);
                return node("Softmax", {in}, {attr("axis", static_cast<int>(axis))}, softmax(x, axis));
            }
            case 9: {
                const dense w = constant({x.dims.back(), 1 + static_cast<std::int64_t>(below(5))});
                return node("MatMul", {in, "c"}, {}, mat_mul(x, w), &w);
            }
            case 10:
                if (rank != 4 || x.dims[2] < 2 || x.dims[3] < 2) return;
                return node("MaxPool", {in}, {attr("kernel_shape", integers{2, 2})}, max_pool(x));
            case 11: {
                if (rank != 4) return;
                const std::size_t left_out = 1 + below(3), first = left_out == 1 ? 2 : 1,
                                  second = left_out == 3 ? 2 : 3;
                return node(
                    "ReduceMean", {in},
                    {attr("axes", integers{static_cast<std::int64_t>(first), static_cast<std::int64_t>(second)})},
                    mean(x, first, second));
            }
            default: {  // BatchNormalization with mean 0 and variance 1
                const dense s = constant({x.dims[1]});
                const std::string tail = std::to_string(values_.size());
                const auto channels = static_cast<std::size_t>(x.dims[1]);
                model_.floats("s" + tail, s.dims, s.data).floats("zero" + tail, s.dims, make(s.dims).data);
                model_.floats("one" + tail, s.dims, std::vector<float>(channels, 1.0F));
                integers along(rank - 1, 1);
                along[0] = x.dims[1];
                return node("BatchNormalization", {in, "s" + tail, "zero" + tail, "zero" + tail, "one" + tail},
                            {attr("epsilon", 0.0F)},
                            combine(x, {along, s.data}, [](float a, float b) { return a * b; }));
            }
        }
    }
    const dense& input() const { return values_.front(); }
    const dense& output() const { return values_.back(); }
    std::size_t size() const { return values_.size(); }
    std::string bytes() const { return onnx_writer(model_).output("v" + std::to_string(values_.size() - 1)).bytes(); }
    const std::string& story() const { return story_; }

  private:
    std::size_t below(std::size_t count) {
        state_ = state_ * 1664525U + 1013904223U;
        return (state_ >> 16) % count;
    }
    dense constant(const integers& dims) { return {dims, numbers(static_cast<std::size_t>(product(dims)), state_)}; }
    std::size_t earlier(const integers& dims) {
        for (std::size_t i = below(values_.size()); i < values_.size(); ++i)
            if (values_[i].dims == dims) return i;
        return values_.size() - 1;
    }
    void reshape(const std::string& in, const dense& x, integers dims) {
        const std::string target = "shape" + std::to_string(values_.size());
        model_.ints(target, dims);
        dims[0] = 1;
        if (dims.back() == -1) dims.back() = product(x.dims);
        node("Reshape", {in, target}, {}, {dims, x.data});
    }
    void node(const char* kind, std::vector<std::string> inputs, const std::vector<attribute>& attributes, dense result,
              const dense* c = nullptr) {
        if (c != nullptr) {
            inputs[1] = "c" + std::to_string(values_.size());
            model_.floats(inputs[1], c->dims, c->data);
        }
        model_.node(kind, inputs, {"v" + std::to_string(values_.size())}, attributes);
        story_ += std::string(" ") + kind + " " + onnx::to_string(result.dims);
        values_.push_back(std::move(result));
    }

    std::uint32_t state_;
    onnx_writer model_;
    integers input_;
    std::vector<dense> values_;
    std::string story_;
};

/// The values of a stored tensor that stand for `of`: as they are, or with the channels of an image moved last.
std::vector<float> stored(const dense& of, const shape& dims, bool as_is) {
    if (as_is || of.dims.size() != 4) return of.data;
    const dense moved = transpose(of, {0, 2, 3, 1});
    EXPECT_TRUE(std::equal(moved.dims.begin(), moved.dims.end(), dims.sizes().begin()));
    return moved.data;
}

bool near(const std::vector<float>& a, const std::vector<float>& b) {
    bool all = a.size() == b.size();
    for (std::size_t i = 0; all && i < a.size(); ++i) all = std::fabs(a[i] - b[i]) <= 1e-4F * (1.0F + std::fabs(b[i]));
    return all;
}

TEST(onnx_random_networks, are_the_same_in_the_graphs_layout) {
    int compared = 0, transposes = 0;
    for (unsigned seed = 0; seed < 1500; ++seed) {
        random_network net(seed);
        for (int i = 0; i < 9; ++i) net.add();
        if (net.size() == 1) continue;
        SCOPED_TRACE(std::to_string(seed) + ":" + onnx::to_string(net.input().dims) + net.story());
        const graph imported = parse(net.bytes());
        for (const node& each : imported.nodes())
            transposes += std::holds_alternative<op::transpose>(each.what) ? 1 : 0;
        session<> run{as_float(imported), {.batch = 2}};
        // An input that the network transposes from N, H, W, C is stored as it is; the tested shapes tell which.
        const shape& dims = imported.at(imported.inputs()[0]).dims;
        const bool as_is = std::equal(dims.sizes().begin(), dims.sizes().end(), net.input().dims.begin());
        const std::vector<float> in = stored(net.input(), dims, as_is);
        std::vector<float> twice = in, out(static_cast<std::size_t>(run.output_shape(0).elements()));
        twice.insert(twice.end(), in.begin(), in.end());
        run(twice, out);
        const auto half = static_cast<std::ptrdiff_t>(out.size() / 2);
        const std::vector<float> first(out.begin(), out.begin() + half), second(out.begin() + half, out.end());
        EXPECT_EQ(first, second) << "both samples of the batch";
        // A network that ends in N, H, W, C keeps that; any other image ends stored NHWC.
        bool same = near(first, net.output().data);
        if (net.output().dims.size() == 4) same = same || near(first, transpose(net.output(), {0, 2, 3, 1}).data);
        ASSERT_TRUE(same) << kinds(imported);
        ++compared;
    }
    std::printf("| %d random networks agree, with %d transposes in all\n", compared, transposes);
    EXPECT_GT(compared, 1400);
}

}  // namespace
}  // namespace octet::test
