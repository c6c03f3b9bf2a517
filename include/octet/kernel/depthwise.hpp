// placeholder
#pragma once
#include "octet/kernel/packed_gemm.hpp"
#include "octet/isa/isa.hpp"
namespace octet::inline OCTET_ABI {
template <class R> struct packed_depthwise { int taps=0, channels=0; std::vector<std::int8_t> w; std::vector<std::int32_t> bias; std::vector<typename R::multiplier> m; int z=0; };
template <class R> packed_depthwise<R> pack_depthwise(int, const std::int8_t* w, int taps, int channels, std::span<const std::int32_t> bias, std::span<const typename R::multiplier> m, zero_point z, std::string_view){ return {taps,channels,{w,w+taps*channels},{bias.begin(),bias.end()},{m.begin(),m.end()},z.value}; }
template <class R> struct depthwise_call { const packed_depthwise<R>* weights; const std::int8_t* const* lhs; int pixels; std::int8_t* out; std::ptrdiff_t out_stride; zero_point z; clamp lim; };
template <class R> struct depthwise_entry { isa target=isa::scalar; const char* name="depthwise"; int layout=0; void (*run)(const depthwise_call<R>&) noexcept = [](const depthwise_call<R>& c) noexcept { const auto& p=*c.weights; for(int i=0;i<c.pixels;++i) for(int k=0;k<p.channels;++k){ std::int32_t acc=p.bias[std::size_t(k)]; for(int t=0;t<p.taps;++t) acc+=(c.lhs[i*p.taps+t][k]-p.z)*p.w[std::size_t(t*p.channels+k)]; c.out[i*c.out_stride+k]=requantize<R>(acc,p.m[std::size_t(k)],c.z,c.lim);} }; };
template <class R> depthwise_entry<R> choose_depthwise(isa) { return {}; }
}
