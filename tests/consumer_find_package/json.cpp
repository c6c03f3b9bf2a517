#include <octet/json.hpp>

#include <iostream>

int main() { std::cout << octet::to_json(octet::quantization_report{}).dump(1) << '\n'; }
