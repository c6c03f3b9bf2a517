// compare <folder of the programs bench_*> <folder of results>: runs the benchmarks with their peers, first on one
// processor, then with two threads, and the AVX2 kernels against an oneDNN that is held to AVX2. Prints a table of
// ratios with the aims beside them, and writes it as ratios.json and ratios.svg.
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "chart.hpp"
#include "octet/isa/select.hpp"

namespace {

using octet::text;
using json = nlohmann::json;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::string formatted(const char* form, double value) {
    char words[40];
    std::snprintf(words, sizeof words, form, value);
    return words;
}

/// One row of the table.
struct row {
    std::string name;  // gemm/64x64x64, network/resnet_50/2
    double seconds = 0.0;
    std::map<std::string, double> counters;  // as the benchmark gave them

    double counter(const std::string& which) const {
        const auto found = counters.find(which);
        return found == counters.end() ? none : found->second;
    }
    /// The fastest of the peers that compute what Octet does: int8, with zero points where there can be any.
    double fastest_peer() const {
        const double onednn =
            counter(counters.contains("vs_onednn_zero_points") ? "vs_onednn_zero_points" : "vs_onednn");
        return std::fmin(onednn, counter("vs_onnxruntime"));
    }
};

/// What a row should reach: each whose expressions match counts. `what` is a counter, "fastest" or "per second".
struct aim {
    const char* name;
    const char* isa;
    const char* what;
    double least;
    const char* words;
};
constexpr aim aims[] = {
    {"gemm/1x.*", ".*", "of_peak", 0.95, "95 % of a read loop"},
    {"gemm/(256x256x256|384x384x384|1024x1024x1024|784x128x512|196x256x1024|49x2048x512)", ".*", "of_peak", 0.95,
     "95 % of the dot-product loop"},
    {"gemm/.*", "avx512.*", "fastest", 1.0, "faster than the fastest peer"},
    {"conv2d/(7x7s2|3x3s2)/.*", "avx512.*", "vs_onednn_zero_points", 1.1, "1.1x oneDNN"},
    {"conv2d/.*", "avx512.*", "fastest", 1.0, "faster than the fastest peer"},
    {"conv2d/3x3/28x28x128x128", "avx512.*", "of_peak", 1.35 * 0.95, "1.35x a direct one at 95 %"},
    {"depthwise/.*", "avx512.*", "fastest", 2.0, "2x the fastest int8 peer"},
    {"depthwise/.*", "avx512.*", "vs_onednn_float", 1.0, "faster than float"},
    {"(max_pool|global_average_pool|add|mul|logistic|lookup|concat|quantize|dequantize)/.*", ".*", "of_peak", 0.8,
     "80 % of a loop that moves the bytes"},
    {"float/gemm/1024x1024x1024", ".*", "of_peak", 0.8, "80 % of the fma loop"},
    {"network/.*/2", ".*", "vs_one_thread", 1.9, "1.9x one thread"},
    {"network/mobilenet_v2/1", "avx512.*", "vs_onnxruntime", 1.8, "1.8x ONNX Runtime"},
    {"network/resnet_50/1", "avx512.*", "vs_onnxruntime", 1.3, "1.3x ONNX Runtime"},
    {"network/.*/1", "avx2", "vs_onednn", 1.0, "level with oneDNN"},
    {"calibrate/.*", "avx512.*", "per_second", 0.05, "under 20 s"},
};

/// The share of the vpdpbusd loop that the fastest peer with zero points reaches where its newest version was measured,
/// one core of Zen 4: oneDNN, XNNPACK, FBGEMM, ONNX Runtime, ncnn's Winograd. Distributions package older ones, so what
/// runs beside Octet here may be slower than these. An aim like those above, times `least` of the row's aim "fastest".
constexpr struct {
    const char* name;
    double share;
} newest_peers[] = {
    {"gemm/64x64x64", 0.60},
    {"gemm/128x128x128", 0.82},
    {"gemm/3136x64x64", 0.78},
    {"gemm/12544x64x147", 0.88},
    {"gemm/12544x32x27", 0.58},
    {"conv2d/3x3/56x56x64x64", 1.13},
    {"conv2d/3x3/28x28x128x128", 1.41},
    {"conv2d/3x3/14x14x256x256", 1.26},
    {"conv2d/3x3/7x7x512x512", 0.95},
    {"conv2d/1x1/56x56x64x256", 0.76},
    {"conv2d/1x1/14x14x1024x256", 0.97},
    {"conv2d/7x7s2/224x224x3x64", 0.64},
    {"conv2d/3x3s2/224x224x3x32", 0.38},
    {"depthwise/3x3/112x112x32", 0.112},
    {"depthwise/3x3/56x56x144", 0.107},
    {"depthwise/3x3s2/56x56x144", 0.097},
    {"depthwise/3x3/14x14x384", 0.103},
    {"depthwise/3x3/7x7x960", 0.092},
    {"depthwise/5x5/14x14x480", 0.139},
};

/// An aim of a row and how far it was reached; not a number where that was not measured.
struct verdict {
    std::string words;
    double least;
    double reached;
    char sign() const { return std::isnan(reached) ? '?' : reached >= least ? '+' : '-'; }
};
std::vector<verdict> verdicts_of(const row& of, const std::string& isa) {
    std::vector<verdict> all;
    double times = 1.0;
    for (const aim& each : aims) {
        if (!std::regex_match(of.name, std::regex(each.name)) || !std::regex_match(isa, std::regex(each.isa))) continue;
        const std::string what = each.what;
        const double reached = what == "fastest"      ? of.fastest_peer()
                               : what == "per_second" ? 1.0 / of.seconds
                                                      : of.counter(what);
        if (what == "fastest" || what == "vs_onednn_zero_points") times = std::max(times, each.least);
        all.push_back({each.words, each.least, reached});
    }
    for (const auto& peer : newest_peers)
        if (of.name == peer.name && isa == "avx512_vnni")
            all.push_back({text(times == 1.0 ? "" : formatted("%.1f x ", times), "the newest peer's share, ",
                                formatted("%.0f %%", 100 * peer.share)),
                           times * peer.share, of.counter("of_peak")});
    return all;
}

/// A table: rows of one instruction set.
struct part {
    std::string isa;
    std::vector<row> rows;
};

class comparison {
  public:
    comparison(std::filesystem::path programs, std::filesystem::path results)
        : programs_(std::move(programs)), results_(std::move(results)) {
        std::filesystem::create_directories(results_);
        sched_getaffinity(0, sizeof all_, &all_);
    }

    void run() {
        const std::string best(to_string(octet::best_isa()));
        std::vector<std::string> isas{best};
        if (best != "avx2" && octet::supported(octet::isa::avx2)) isas.push_back("avx2");
        for (const std::string& isa : isas) {
            parts_.push_back({isa, {}});
            isa == best ? unsetenv("ONEDNN_MAX_CPU_ISA") : setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
            pin(true);
            measure("gemm", "(gemm/.*|float/gemm/1024x1024x1024)", isa, "0.02");
            measure("conv2d", "conv2d/.*", isa, "0.02");
            for (const char* name : {"depthwise", "pool", "elementwise"}) measure(name, ".*", isa, "0.02");
            measure("rows", "(lookup|concat|quantize|dequantize|softmax)/.*", isa, "0.02");
            measure("network", "network/.*/1", isa, "0.5");
            measure("calibrate", ".*", isa, "0.02");
            pin(false);
            measure("network", "network/.*/2", isa, "0.5");
        }
    }

    void print() const {
        for (const part& each : parts_) {
            std::set<std::string> peers;
            for (const row& r : each.rows)
                for (const auto& [name, value] : r.counters)
                    if (name.starts_with("vs_")) peers.insert(name);
            std::printf("\n%-36s%12s%9s", each.isa.c_str(), "time", "of peak");
            for (const std::string& peer : peers)
                std::printf("%*s", static_cast<int>(peer.size()), peer.substr(3).c_str());
            std::printf("   aim\n");
            for (const row& r : each.rows) {
                std::printf("%-36s%12s%9s", r.name.c_str(), duration(r.seconds).c_str(),
                            percent(r.counter("of_peak")).c_str());
                for (const std::string& peer : peers)
                    std::printf("%*s", static_cast<int>(peer.size()), ratio(r.counter(peer)).c_str());
                for (const verdict& aim : verdicts_of(r, each.isa))
                    std::printf("   %c %s", aim.sign(), aim.words.c_str());
                std::printf("\n");
            }
        }
        std::printf(
            "\nPeers: how many times as long as Octet they take. Aims: + reached, - missed, ? not measured here.\n");
    }

    void write() const {
        json all{{"date", date()}, {"cpu", cpu()}, {"compiler", compiler()}, {"parts", json::array()}};
        for (const part& each : parts_) {
            json rows = json::array();
            for (const row& r : each.rows) {
                rows.push_back({{"name", r.name}, {"seconds", r.seconds}, {"counters", r.counters}});
                for (const verdict& aim : verdicts_of(r, each.isa)) {
                    json one{{"words", aim.words}, {"least", aim.least}};
                    if (!std::isnan(aim.reached)) one["reached"] = aim.reached;
                    rows.back()["aims"].push_back(one);
                }
            }
            all["parts"].push_back({{"isa", each.isa}, {"rows", rows}});
        }
        std::ofstream(results_ / "ratios.json") << all.dump(1) << '\n';

        bar_chart chart{.title = text("How many times as fast as its peers Octet runs, ", parts_.front().isa),
                        .note = text(date(), ", ", cpu(), ", ", compiler(),
                                     "; int8, one thread (networks /2: two), medians of runs taken in turns"),
                        .series = {"oneDNN", "ONNX Runtime"},
                        .groups = {},
                        .along = spacing::logarithmic};
        for (const row& r : parts_.front().rows) {
            const bool zeros = r.counters.contains("vs_onednn_zero_points");
            const bar_group group{
                r.name, {r.counter(zeros ? "vs_onednn_zero_points" : "vs_onednn"), r.counter("vs_onnxruntime")}};
            if (!std::isnan(group.values[0]) || !std::isnan(group.values[1])) chart.groups.push_back(group);
        }
        std::ofstream(results_ / "ratios.svg") << to_svg_file(chart);
        std::printf("Written: %s, %s\n", (results_ / "ratios.json").c_str(), (results_ / "ratios.svg").c_str());
    }

  private:
    /// Holds this process, and those it starts, to its last processor, or gives it back all that it had.
    void pin(bool to_one) const {
        cpu_set_t wanted = all_;
        if (to_one) {
            int last = 0;
            for (int i = 0; i < CPU_SETSIZE; ++i)
                if (CPU_ISSET(i, &all_)) last = i;
            CPU_ZERO(&wanted);
            CPU_SET(last, &wanted);
        }
        sched_setaffinity(0, sizeof wanted, &wanted);
    }

    /// Runs bench_<name> on the benchmarks <pattern>/<isa>, at least `least` seconds each, and appends what it found to
    /// the last part.
    void measure(const std::string& name, const std::string& pattern, const std::string& isa,
                 const std::string& least) {
        std::printf("%s, %s ...", isa.c_str(), name.c_str());
        std::fflush(stdout);
        const auto start = std::chrono::steady_clock::now();
        const auto out = results_ / "one.json";
        const std::string command =
            text("'", (programs_ / ("bench_" + name)).string(), "' '--benchmark_filter=^", pattern, "/", isa,
                 "(/|$)' --benchmark_min_time=", least, " '--benchmark_out=", out.string(),
                 "' --benchmark_out_format=json > /dev/null 2> /dev/null");
        if (std::system(command.c_str()) != 0) octet::fail("this failed, run it without '> /dev/null': ", command);
        std::ifstream in(out);
        const json found = json::parse(in);
        for (const json& each : found["benchmarks"]) {
            std::string title = each["name"];
            title.resize(title.rfind("/" + isa));
            const std::string unit = each["time_unit"];
            row next{title, each["real_time"].get<double>() * (unit == "us" ? 1e-6 : unit == "ms" ? 1e-3 : 1.0), {}};
            for (const auto& [key, value] : each.items())
                if (key.starts_with("vs_") || key == "of_peak" || key.ends_with("_per_second"))
                    next.counters[key] = value.get<double>();
            parts_.back().rows.push_back(next);
        }
        std::filesystem::remove(out);
        std::printf(" %.0f s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }

    static std::string ratio(double value) { return std::isnan(value) ? "" : formatted("%.2f", value); }
    static std::string percent(double value) { return std::isnan(value) ? "" : formatted("%.0f %%", 100 * value); }
    static std::string duration(double seconds) {
        return seconds < 1e-3 ? formatted("%.2f us", 1e6 * seconds)
               : seconds < 1  ? formatted("%.2f ms", 1e3 * seconds)
                              : formatted("%.2f s", seconds);
    }
    static std::string date() {
        const std::time_t now = std::time(nullptr);
        char words[20];
        std::strftime(words, sizeof words, "%Y-%m-%d", std::gmtime(&now));
        return words;
    }
    static std::string cpu() {
        std::ifstream in("/proc/cpuinfo");
        std::map<std::string, std::string> first;
        for (std::string line; std::getline(in, line) && !line.empty();)
            if (const auto colon = line.find(':'); colon + 2 < line.size())
                first.emplace(line.substr(0, line.find_first_of("\t:")), line.substr(colon + 2));
        return first.contains("model name") ? text(first["model name"], " (family ", first["cpu family"], ")")
                                            : "unknown CPU";
    }
    static std::string compiler() {
#if defined(__clang__)
        return text("clang++ ", __clang_major__, ".", __clang_minor__);
#else
        return text("g++ ", __GNUC__, ".", __GNUC_MINOR__);
#endif
    }

    std::filesystem::path programs_, results_;
    cpu_set_t all_{};
    std::vector<part> parts_;
};

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        std::fprintf(stderr, "usage: compare <folder of the programs> <folder of the results>\n");
        return 2;
    }
    try {
        comparison all(words[1], words[2]);
        all.run();
        all.print();
        all.write();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "compare: %s\n", problem.what());
        return 1;
    }
    return 0;
}
