#include "results.hpp"

template void print_report<octet::tflite>(const arguments&, const work&);
template void print_comparison<octet::tflite>(const arguments&, const work&, const std::vector<int>&);
