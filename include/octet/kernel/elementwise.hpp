// placeholder
#pragma once
#include <cmath>
#include "octet/isa/isa.hpp"
#include "octet/quant/rounding.hpp"
namespace octet::inline OCTET_ABI {
template <class R> struct add_params { int za, zb, zy; long long A, B; int s; clamp lim;
 static add_params make(quant_params a, quant_params b, quant_params y, clamp l, std::string_view){ double ra=double(a.scale.value)/double(y.scale.value), rb=double(b.scale.value)/double(y.scale.value); double m=ra>rb?ra:rb; int s=0; while(m*std::ldexp(1.0,s)<0x1p20&&s<30)++s; return {a.zero_point.value,b.zero_point.value,y.zero_point.value,std::llround(ra*std::ldexp(1.0,s)),std::llround(rb*std::ldexp(1.0,s)),s,l}; }
 std::int8_t operator()(std::int8_t x, std::int8_t y) const { long long acc=(x-za)*A+(y-zb)*B; long long q=acc>>s, r=acc-(q<<s), h=s?1ll<<(s-1):0; if(s&&(r>h||(r==h&&(q&1))))++q; q+=zy; return std::int8_t(q<lim.low?lim.low:q>lim.high?lim.high:q);} };
template <class R> struct mul_params { int za, zb; zero_point zy; typename R::multiplier m; clamp lim;
 static mul_params make(quant_params a, quant_params b, quant_params y, clamp l, std::string_view w){ return {a.zero_point.value,b.zero_point.value,y.zero_point,R::make(a.scale,b.scale,y.scale,w),l}; }
 std::int8_t operator()(std::int8_t x, std::int8_t y) const { return requantize<R>((x-za)*(y-zb),m,zy,lim);} };
template <class P> struct binary_entry { isa target=isa::scalar; const char* name="elementwise"; void (*run)(const P&, const std::int8_t*, std::ptrdiff_t, const std::int8_t*, std::ptrdiff_t, std::int8_t*, std::size_t) noexcept = [](const P& p,const std::int8_t* a,std::ptrdiff_t as,const std::int8_t* b,std::ptrdiff_t bs,std::int8_t* o,std::size_t n) noexcept { for(std::size_t i=0;i<n;++i,a+=as,b+=bs) o[i]=p(*a,*b); }; };
template <class P> binary_entry<P> choose_binary(isa) { return {}; }
}
