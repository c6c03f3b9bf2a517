// Eight floats to int8 and back.
#include <octet/octet.hpp>

#include <array>
#include <cstdint>
#include <cstdio>

int main() {
    const std::array<float, 8> reals{-1.0F, -0.5F, 0.0F, 0.1F, 0.5F, 1.0F, 1.5F, 2.0F};
    std::array<std::int8_t, 8> bytes{};
    std::array<float, 8> back{};

    const octet::quantizer<octet::asymmetric, octet::per_tensor> q{reals};
    q.quantize(reals, bytes);
    q.dequantize(bytes, back);

    std::printf("scale %.6f, zero point %d\n", static_cast<double>(q[0].scale.value), q[0].zero_point.value);
    for (std::size_t i = 0; i < reals.size(); ++i)
        std::printf("%5.2f -> %4d -> %7.4f\n", static_cast<double>(reals[i]), bytes[i], static_cast<double>(back[i]));
}
