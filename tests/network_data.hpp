// What the tests of layers and networks share: random data, parallel hooks that try an order, and errors by their
// words.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "octet/core/error.hpp"
#include "octet/core/parallel.hpp"

namespace octet::test {

inline std::vector<float> reals(std::size_t count, unsigned seed, float low = -1.0F, float high = 1.0F) {
    std::mt19937 random(seed);
    std::vector<float> all(count);
    // Not std::uniform_real_distribution: its values are the library's choice, and a test's data are the same
    // everywhere.
    for (float& x : all) x = low + (high - low) * (static_cast<float>(random() >> 8) * 0x1p-24F);
    return all;
}

inline std::vector<std::int8_t> bytes(std::size_t count, unsigned seed, int low = -128, int high = 127) {
    std::mt19937 random(seed);
    std::vector<std::int8_t> all(count);
    for (std::int8_t& q : all)
        q = static_cast<std::int8_t>(low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
    return all;
}

/// Three workers that are one thread: tasks run last to first, each under another worker's number.
inline parallel reverse_hook() {
    return {nullptr, 3, [](void*, int tasks, parallel::task body, void* argument) noexcept {
                for (int i = tasks; i-- > 0;) body(argument, i, i % 3);
            }};
}

/// Three workers that are three threads and take what comes.
inline parallel thread_hook() {
    return {nullptr, 3, [](void*, int tasks, parallel::task body, void* argument) noexcept {
                std::atomic<int> next{0};
                const auto work = [&](int worker) {
                    for (int i = next++; i < tasks; i = next++) body(argument, i, worker);
                };
                std::thread one(work, 1), two(work, 2);
                work(0);
                one.join(), two.join();
            }};
}

/// Runs `body`, which must throw octet::error with each of `parts` in its message.
template <class Body, class... Parts>
void expect_error(const Body& body, const Parts&... parts) {
    try {
        body();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const octet::error& e) {
        const std::string message = e.what();
        for (const std::string& part : {std::string(parts)...})
            EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
    }
}

}  // namespace octet::test
