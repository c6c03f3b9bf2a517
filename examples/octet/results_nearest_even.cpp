#include "results.hpp"

template octet::quantization_report make_report<octet::nearest_even>(const arguments&, const work&);
template void print_comparison<octet::nearest_even>(const arguments&, const work&, const std::vector<int>&,
                                                    const octet::quantization_report&);
