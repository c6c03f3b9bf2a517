// The kernels of rows and channels round every product before anything is added to it. (That of quantize says fma.)
// functions: (depthwise|binary|average_pool|dequantize)_kernel<|average_blocks|pool_sums
// never: vfn?m(add|sub)
#include <octet/kernel/depthwise.hpp>
#include <octet/kernel/elementwise.hpp>
#include <octet/kernel/pool.hpp>
#include <octet/kernel/quantize_rows.hpp>

using namespace octet;

template <class Rounding>
void use() {
    for (const isa which : preference) {
        choose_depthwise<Rounding>(which).run({});
        choose_binary<add_params<Rounding>>(which).run({}, nullptr, 0, nullptr, 0, nullptr, 0);
        choose_binary<mul_params<Rounding>>(which).run({}, nullptr, 0, nullptr, 0, nullptr, 0);
        choose_average_pool<Rounding>(which).run({}, {});
    }
}
void use_all() {
    use<nearest_even>();
    use<tflite>();
    use<single>();
    for (const isa which : preference) choose_dequantize(which).run(nullptr, 0, {}, nullptr);
}
