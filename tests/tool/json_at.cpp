// json_at <pointer>...: stdin must be one JSON document and nothing else; prints what stands at each JSON pointer.
#include <iostream>
#include <nlohmann/json.hpp>

int main(int count, char** pointers) try {
    const auto document = nlohmann::json::parse(std::cin);
    for (int i = 1; i < count; ++i) std::cout << document.at(nlohmann::json::json_pointer(pointers[i])) << '\n';
    return 0;
} catch (const std::exception& problem) {
    std::cerr << problem.what() << '\n';
    return 1;
}
