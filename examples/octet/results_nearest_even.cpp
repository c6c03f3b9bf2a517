#include "results.hpp"

template void print_report<octet::nearest_even>(const arguments&, const work&);
template void print_comparison<octet::nearest_even>(const arguments&, const work&, const std::vector<int>&);
