#include "results.hpp"

template void print_report<octet::single>(const arguments&, const work&);
template void print_comparison<octet::single>(const arguments&, const work&, const std::vector<int>&);
