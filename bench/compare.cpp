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

/// What a row should reach; the first whose expressions match counts. `what` is a counter, "fastest" or "per second".
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
    {"depthwise/.*", "avx512.*", "fastest", 2.0, "2x the fastest int8 peer"},
    {"(max_pool|global_average_pool|add|mul|logistic)/.*", ".*", "of_peak", 0.8, "80 % of a loop that moves the bytes"},
    {"float/gemm/1024x1024x1024", ".*", "of_peak", 0.8, "80 % of the fma loop"},
    {"network/.*/2", ".*", "vs_one_thread", 1.9, "1.9x one thread"},
    {"network/mobilenet_v2/1", "avx512.*", "vs_onnxruntime", 1.8, "1.8x ONNX Runtime"},
    {"network/resnet_50/1", "avx512.*", "vs_onnxruntime", 1.3, "1.3x ONNX Runtime"},
    {"network/.*/1", "avx2", "vs_onednn", 1.0, "level with oneDNN"},
    {"calibrate/.*", "avx512.*", "per_second", 0.05, "under 20 s"},
};

const aim* aim_of(const row& of, const std::string& isa) {
    for (const aim& each : aims)
        if (std::regex_match(of.name, std::regex(each.name)) && std::regex_match(isa, std::regex(each.isa)))
            return &each;
    return nullptr;
}
double reached(const row& by, const aim& of) {
    const std::string what = of.what;
    return what == "fastest" ? by.fastest_peer() : what == "per_second" ? 1.0 / by.seconds : by.counter(what);
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
                if (const aim* wanted = aim_of(r, each.isa)) {
                    const double got = reached(r, *wanted);
                    std::printf("   %s %s", std::isnan(got) ? "?" : got >= wanted->least ? "+" : "-", wanted->words);
                }
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
                if (const aim* wanted = aim_of(r, each.isa)) {
                    const double got = reached(r, *wanted);
                    rows.back()["aim"] = {{"words", wanted->words}, {"least", wanted->least}};
                    if (!std::isnan(got)) rows.back()["aim"]["reached"] = got;
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

    static std::string formatted(const char* form, double value) {
        char words[40];
        std::snprintf(words, sizeof words, form, value);
        return words;
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
