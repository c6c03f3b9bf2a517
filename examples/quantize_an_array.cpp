// Two rows of floats to int8 and back: a scale for each row, as weights have one for each output channel.
#include <octet/octet.hpp>

#include <array>
#include <cstdint>
#include <cstdio>

int main() {
    const std::array<float, 8> reals{-1.0F,  -0.5F, 0.25F,  1.0F,     // channel 0
                                     -0.01F, 0.0F,  0.002F, 0.008F};  // channel 1
    std::array<std::int8_t, 8> bytes{};
    std::array<float, 8> back{};

    const octet::channel_layout rows{.outer = 1, .channels = 2, .inner = 4};
    const octet::quantizer<octet::symmetric, octet::per_channel> q{reals, rows};
    q.quantize(reals, bytes);
    q.dequantize(bytes, back);

    for (std::size_t i = 0; i < reals.size(); ++i) {
        if (i % 4 == 0) std::printf("scale %.8f\n", static_cast<double>(q[i / 4].scale.value));
        std::printf("%8.4f -> %4d -> %9.6f\n", static_cast<double>(reals[i]), bytes[i], static_cast<double>(back[i]));
    }
}
