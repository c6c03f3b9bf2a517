// label: law
// Shapes and windows: sizes are checked once, and the number of outputs equals what counting them one by one gives.
#include "octet/core/shape.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "octet/core/view.hpp"

namespace {

using octet::extent;
using octet::padding;
using octet::shape;
using octet::window;

template <class Call>
void expect_error(Call call, std::initializer_list<const char*> parts) {
    try {
        call();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const octet::error& e) {
        for (const char* part : parts) EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

TEST(shape, knows_sizes_elements_rows_and_columns) {
    const shape dims{2, 3, 5, 7};
    EXPECT_EQ(dims.rank(), 4);
    EXPECT_EQ(dims[2], 5);
    EXPECT_EQ(dims.elements(), 210);
    EXPECT_EQ(dims.cols(), 7);
    EXPECT_EQ(dims.rows(), 30);
    EXPECT_EQ(to_string(dims), "2x3x5x7");
    EXPECT_EQ(dims.sizes().size(), 4U);
    EXPECT_EQ(dims.with(0, 4), (shape{4, 3, 5, 7}));
    EXPECT_EQ(dims.with(0, 4).elements(), 420);
    EXPECT_NE(dims, (shape{2, 3, 5}));
    const shape scalar;
    EXPECT_EQ(scalar.rank(), 0);
    EXPECT_EQ(scalar.elements(), 1);
    EXPECT_EQ(scalar.cols(), 1);
    EXPECT_EQ(scalar.rows(), 1);
    EXPECT_EQ(to_string(scalar), "scalar");
}

TEST(shape, refuses_sizes_that_no_tensor_has) {
    constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    expect_error([] { (void)shape{2, 0, 3}; }, {"size 0", "at least 1"});
    expect_error([] { (void)shape{-5}; }, {"size -5", "at least 1"});
    expect_error([] { (void)shape{std::numeric_limits<std::int64_t>::min()}; }, {"at least 1"});
    expect_error([] { (void)shape{huge}; }, {"2147483647"});
    expect_error([] { (void)shape{huge, huge, huge}; }, {"2147483647"});
    expect_error([] { (void)shape{1 << 16, 1 << 15}; }, {"2147483647"});
    expect_error([] { (void)shape{1, 1, 1, 1, 1, 1, 1}; }, {"rank 7", "at most 6"});
    expect_error([] { (void)shape{2, 3}.with(1, 0); }, {"size 0"});
    expect_error([] { (void)shape{2, 3}.with(2, 1); }, {"axis 2", "rank 2", "count from 0"});
    expect_error([] { (void)shape{2, 3}.with(-1, 1); }, {"axis -1"});
    EXPECT_EQ((shape{0x7fffffff}).elements(), 0x7fffffff);
    EXPECT_EQ((shape{1 << 16, (1 << 15) - 1}).elements(), 0x7fff0000);
    EXPECT_EQ((shape{1, 1, 1, 1, 1, 1}).rank(), 6);
}

TEST(tensor_view, steps_from_row_to_row) {
    std::vector<float> data(24);
    const octet::tensor_view<float> dense{data.data(), shape{2, 3, 4}};
    EXPECT_TRUE(dense.dense());
    EXPECT_EQ(dense.rows(), 6);
    EXPECT_EQ(dense.cols(), 4);
    EXPECT_EQ(dense.row(5), data.data() + 20);
    const octet::tensor_view<float> part{data.data() + 1, shape{6, 3}, 4};
    EXPECT_FALSE(part.dense());
    EXPECT_EQ(part.row(2), data.data() + 9);
    const octet::tensor_view<const float> reading = part;
    EXPECT_EQ(reading.row(2), part.row(2));
}

/// The definition: windows begin at multiples of the stride and lie inside the padded image. With ceil_mode one more
/// may reach over its end, and every window begins inside the image or its leading padding.
int count_outputs(int size, int taps, int stride, int dilation, int before, int after, bool ceil_mode) {
    const int reach = dilation * (taps - 1) + 1, padded = before + size + after;
    int count = 0;
    for (int begin = 0;; begin += stride) {
        const bool counts = ceil_mode ? begin < before + size : begin + reach <= padded;
        if (!counts) return count;
        ++count;
        // A window that touches the end of the padded image or reaches over it is the last.
        if (begin + reach >= padded) return count;
    }
}

TEST(window, outputs_equal_their_enumeration) {
    int looked_at = 0;
    for (int size = 1; size <= 9; ++size)
        for (int taps = 1; taps <= 4; ++taps)
            for (int stride = 1; stride <= 5; ++stride)
                for (int dilation = 1; dilation <= 3; ++dilation)
                    for (int before = 0; before <= 3; ++before)
                        for (int after = 0; after <= 3; ++after)
                            for (const bool ceil_mode : {false, true}) {
                                if (dilation * (taps - 1) + 1 > before + size + after) continue;
                                const window down{
                                    {taps, 1}, {stride, 1}, {dilation, 1}, {before, 0, after, 0}, ceil_mode};
                                const window across{
                                    {1, taps}, {1, stride}, {1, dilation}, {0, before, 0, after}, ceil_mode};
                                const int expected =
                                    count_outputs(size, taps, stride, dilation, before, after, ceil_mode);
                                ASSERT_EQ(down.outputs("pool", size, 1), (extent{expected, 1}))
                                    << size << " taps " << taps << " stride " << stride << " dilation " << dilation
                                    << " padding " << before << " " << after << " ceil " << ceil_mode;
                                ASSERT_EQ(across.outputs("pool", 1, size), (extent{1, expected}));
                                ++looked_at;
                            }
    EXPECT_GT(looked_at, 10000);
}

TEST(window, knows_the_outputs_of_common_layers) {
    EXPECT_EQ((window{{7, 7}, {2, 2}, {}, {3, 3, 3, 3}}.outputs("conv", 224, 224)), (extent{112, 112}));
    EXPECT_EQ((window{{3, 3}, {2, 2}, {}, {0, 0, 1, 1}}.outputs("conv", 224, 224)), (extent{112, 112}));
    EXPECT_EQ((window{{3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}}.outputs("conv", 56, 28)), (extent{56, 28}));
    EXPECT_EQ((window{{3, 3}, {2, 2}, {}, {}, true}.outputs("pool", 112, 112)), (extent{56, 56}));
    EXPECT_EQ((window{{3, 3}, {2, 2}, {}, {}, false}.outputs("pool", 112, 112)), (extent{55, 55}));
    EXPECT_EQ((window{{3, 5}, {1, 1}, {}, {}}.taps()), 15);
}

TEST(window, refuses_what_does_not_fit_and_names_it) {
    const auto refuse = [](window w, std::initializer_list<const char*> parts) {
        expect_error([&] { (void)w.outputs("conv1", 8, 8); }, parts);
    };
    refuse({.kernel = {0, 3}}, {"conv1", "kernel height 0"});
    refuse({.kernel = {3, -1}}, {"conv1", "kernel width -1"});
    refuse({.kernel = {3, 3}, .stride = {0, 1}}, {"conv1", "stride 0"});
    refuse({.kernel = {3, 3}, .stride = {1, -2}}, {"conv1", "stride -2"});
    refuse({.kernel = {3, 3}, .dilation = {1, 0}}, {"conv1", "dilation 0"});
    refuse({.kernel = {4096, 1}, .dilation = {1 << 20, 1}}, {"conv1", "4096 taps with dilation 1048576"});
    refuse({.kernel = {3, 3}, .pad = {.left = -1}}, {"conv1", "padding -1"});
    refuse({.kernel = {3, 3}, .pad = {.bottom = 0x7fffffff}}, {"conv1", "padding 2147483647"});
    refuse({.kernel = {9, 3}}, {"conv1", "window of 9", "height of 8"});
    refuse({.kernel = {3, 3}, .dilation = {1, 1 << 20}}, {"conv1", "window of 2097153", "width of 8"});
}

}  // namespace
