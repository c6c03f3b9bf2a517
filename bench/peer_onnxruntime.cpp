// ONNX Runtime of the npm package onnxruntime-node, which has the library but no headers: it runs in a process of its
// own, onnxruntime.mjs, that is told over a pipe what to run and answers how long that took. Both processes wait for
// each other, so that their samples alternate on one processor.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "octet/io/onnx.hpp"
#include "operator_model.hpp"
#include "peer.hpp"

namespace octet::bench {

namespace {

/// The process. Throws octet::error with its words when it fails.
class runtime {
  public:
    runtime() {
        int asks[2], answers[2];
        if (pipe2(asks, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) fail("there are no pipes for ONNX Runtime");
        process_ = fork();
        if (process_ == 0) {
            dup2(asks[0], STDIN_FILENO);
            dup2(answers[1], STDOUT_FILENO);
            execlp(OCTET_NODE, OCTET_NODE, OCTET_ONNXRUNTIME_SCRIPT, OCTET_ONNXRUNTIME, nullptr);
            _exit(127);
        }
        close(asks[0]), close(answers[1]);
        ask_ = fdopen(asks[1], "w"), answer_ = fdopen(answers[0], "r");
    }
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    ~runtime() {
        std::fclose(ask_);  // it ends when there is nothing more to read
        std::fclose(answer_);
        waitpid(process_, nullptr, 0);
    }

    double ask(const std::string& line) {
        std::fprintf(ask_, "%s\n", line.c_str());
        std::fflush(ask_);
        char words[1000] = "error it ended";
        const bool answered = std::fgets(words, sizeof words, answer_) != nullptr;
        char* end = words;
        const double value = std::strtod(words, &end);
        if (!answered || end == words) fail("ONNX Runtime (" OCTET_ONNXRUNTIME "), asked to ", line, ": ", words);
        return value;
    }

  private:
    pid_t process_ = 0;
    std::FILE* ask_ = nullptr;
    std::FILE* answer_ = nullptr;
};

/// One model in it; `copies` of the problem run at once.
class loaded_model {
  public:
    loaded_model(std::shared_ptr<runtime> in, const std::string& bytes, const char* optimization, int threads,
                 int copies)
        : in_(std::move(in)), copies_(copies) {
        const auto file = std::filesystem::temp_directory_path() / text("octet_bench_", getpid(), ".onnx");
        std::ofstream(file, std::ios::binary) << bytes;
        session_ = static_cast<int>(in_->ask(text("load ", threads, " ", optimization, " ", file.string())));
        std::filesystem::remove(file);
    }
    loaded_model(const loaded_model&) = delete;
    loaded_model& operator=(const loaded_model&) = delete;
    ~loaded_model() { in_->ask(text("drop ", session_)); }

    double seconds(int runs) const {
        const int batches = (runs + copies_ - 1) / copies_;
        in_->ask(text("run ", session_, " 1"));
        return in_->ask(text("run ", session_, " ", batches)) / batches / copies_ * runs;
    }

  private:
    std::shared_ptr<runtime> in_;
    int copies_;
    int session_ = 0;
};

class onnxruntime : public library {
    void offer(const gemm_problem& p, peers& to) override { offer_operator(p, to); }
    void offer(const conv_problem& p, peers& to) override { offer_operator(p, to); }
    void offer(const pool_problem& p, peers& to) override { offer_operator(p, to); }
    void offer(const elementwise_problem& p, peers& to) override { offer_operator(p, to); }
    void offer(const network_problem& p, peers& to) override {
        offer(onnx::serialize(*p.net), "all", p.threads, 1, to);
    }

    void offer_operator(const auto& problem, peers& to) {
        const auto model = operator_model::of(problem);
        offer(model.bytes(), "disabled", 1, model.copies(), to);
    }
    void offer(const std::string& model, const char* optimization, int threads, int copies, peers& to) {
        if (!process_) process_ = std::make_shared<runtime>();
        const auto loaded = std::make_shared<loaded_model>(process_, model, optimization, threads, copies);
        to.push_back({"onnxruntime", [loaded](int runs) { return loaded->seconds(runs); }});
    }

    std::shared_ptr<runtime> process_;  // begun when something is asked of it
} onnxruntime_here;

}  // namespace

}  // namespace octet::bench
