#pragma once
#include "octet/core/view.hpp"
#include "octet/isa/isa.hpp"
#include "octet/quant/quantizer.hpp"
namespace octet::inline OCTET_ABI {
struct qk { isa target=isa::scalar; }; inline qk choose_quantize(isa){return {};} inline qk choose_dequantize(isa){return {};}
template<class A,class B> void quantize_rows(qk,A a,quant_params p,B b) noexcept { for(std::int64_t r=0;r<a.rows();++r) for(std::int64_t c=0;c<a.cols();++c) b.row(r)[c]=static_cast<std::int8_t>(quantize_value(a.row(r)[c],p,-128,127)); } template<class A,class B> void dequantize_rows(qk,A a,quant_params p,B b) noexcept { for(std::int64_t r=0;r<a.rows();++r) for(std::int64_t c=0;c<a.cols();++c) b.row(r)[c]=dequantize_value(a.row(r)[c],p); }
}
