// Other libraries that solve the same problems in the same run. Each peer_*.cpp is one; CMake links those whose library
// it finds, and each makes itself known by a static object. A benchmark asks peers_for(problem, isa) and hands the
// answer to measure(), which takes its samples in turns with Octet's.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/isa/select.hpp"
#include "problem.hpp"
#include "timing.hpp"

namespace octet::inline OCTET_ABI {
struct quantized_graph;
}

namespace octet::bench {

/// `net` rounds to nearest even and outlives the peers.
struct network_problem {
    std::string_view title;
    const quantized_graph* net;
    int threads;
    std::string name() const { return text("network/", title, "/", threads); }
};

/// One way to solve a problem. `seconds(runs)` is what that many runs took, after one that is not timed.
struct peer {
    std::string name;  ///< in lower case with underscores: "onednn_zero_points"
    std::function<double(int runs)> seconds;
};
using peers = std::vector<peer>;

/// A library; what it cannot do it leaves out of `to`. The problem is int8 in and out, with zero points other than 0.
class library {
  public:
    library() { all().push_back(this); }
    library(const library&) = delete;
    library& operator=(const library&) = delete;
    virtual ~library() = default;

    /// Whether its instruction sets are those that kernels for `which` use: else a ratio would say nothing.
    virtual bool comparable(isa which) const { return which == best_isa(); }
    virtual void offer(const gemm_problem&, peers&) {}
    virtual void offer(const conv_problem&, peers&) {}
    virtual void offer(const pool_problem&, peers&) {}
    virtual void offer(const elementwise_problem&, peers&) {}
    virtual void offer(const network_problem&, peers&) {}

    static std::vector<library*>& all() {
        static std::vector<library*> known;
        return known;
    }
};

/// All that the libraries offer; what one of them refuses is said on stderr.
template <class Problem>
const peers& peers_for(const Problem& problem, isa which) {
    return remembered(text(problem.name(), "/", to_string(which)), [&] {
        peers found;
        for (library* each : library::all()) {
            try {
                if (each->comparable(which)) each->offer(problem, found);
            } catch (const error& refused) {
                std::fprintf(stderr, "%s has a peer less: %s\n", problem.name().c_str(), refused.what());
            }
        }
        return found;
    });
}

}  // namespace octet::bench
