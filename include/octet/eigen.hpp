// Opt-in: Octet beside Eigen 3.4. to_eigen and to_view turn views into maps and back without copying; eigen_threads
// lends Octet the threads of an Eigen::ThreadPool.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <type_traits>

#include "octet/core/config.hpp"
#include "octet/core/error.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"

#include <Eigen/Core>
#include <unsupported/Eigen/CXX11/ThreadPool>  // and <thread>

namespace octet::inline OCTET_ABI {

/// The matrix of rows() x cols() that a tensor of any rank is: element (row, col) is view.row(row)[col]. No copy; the
/// map is valid as long as the view's data.
template <class T>
auto to_eigen(tensor_view<T> view) noexcept {
    using matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using mapped = std::conditional_t<std::is_const_v<T>, const matrix, matrix>;
    return Eigen::Map<mapped, Eigen::Unaligned, Eigen::OuterStride<>>(
        view.data, static_cast<Eigen::Index>(view.rows()), static_cast<Eigen::Index>(view.cols()),
        Eigen::OuterStride<>(static_cast<Eigen::Index>(view.stride)));
}

/// The view {rows, cols} of a row-major matrix, map or block with contiguous rows. No copy; of const elements where the
/// matrix is const. Throws octet::error where rows are not contiguous or the matrix is empty.
template <class Matrix>
auto to_view(Matrix&& matrix) {
    using plain = std::remove_cvref_t<Matrix>;
    static_assert((int{plain::Flags} & Eigen::DirectAccessBit) != 0,
                  "octet::to_view: an expression has no elements in memory; evaluate it into a matrix first");
    static_assert(bool{plain::IsRowMajor}, "octet::to_view: Octet's tensors are row-major; use Eigen::RowMajor");
    static_assert(std::is_lvalue_reference_v<Matrix> || !std::is_base_of_v<Eigen::PlainObjectBase<plain>, plain>,
                  "octet::to_view: the matrix is a temporary, and the view would outlive it");
    if (matrix.cols() > 1 && matrix.innerStride() != 1)
        fail("a view of an Eigen matrix whose columns stand ", matrix.innerStride(),
             " elements apart: the elements of a row must be contiguous, copy the matrix first");
    return tensor_view(matrix.data(), shape{matrix.rows(), matrix.cols()},
                       static_cast<std::ptrdiff_t>(matrix.outerStride()));
}

/// Octet's parallel hook on an Eigen::ThreadPool:
///
///   octet::eigen_threads threads{2};          // the calling thread and one of a pool of its own
///   octet::eigen_threads lent{your_pool};     // the calling thread and all of your pool's
///   session.run(..., threads.hook());
///
/// The calling thread is worker 0 and takes part; it never waits for a helper that has not begun, so a pool that is
/// busy costs speed and nothing else. A call from one of the pool's own threads is done by its caller alone. A second
/// run() at the same time, nested or from another thread, is done by its caller alone. A helper that has finished looks
/// out for the next run for `linger` before it gives its thread back: a fork between the layers of a network then costs
/// two cache misses and no system call. Worker w begins with the w-th share of the tasks, so that from layer to layer
/// it finds the rows that it wrote in its own cache, and takes from others what they have not begun. run() allocates
/// nothing. Not copied or moved; the destructor waits until the pool has let go of every helper, so it must not run on
/// a thread of the pool.
class eigen_threads {
  public:
    static constexpr std::chrono::microseconds default_linger{200};

    explicit eigen_threads(int workers, std::chrono::microseconds linger = default_linger)
        : linger_(linger), workers_(checked(workers)), helpers_(std::make_unique<helper[]>(count())) {
        if (workers > 1) {
            owned_ = std::make_unique<Eigen::ThreadPool>(workers - 1);
            pool_ = owned_.get();
        }
    }
    /// `pool` outlives this object.
    explicit eigen_threads(Eigen::ThreadPoolInterface& pool, std::chrono::microseconds linger = default_linger)
        : pool_(&pool),
          linger_(linger),
          workers_(checked(pool.NumThreads() + 1)),
          helpers_(std::make_unique<helper[]>(count())) {}
    ~eigen_threads() {
        leaving_ = true;
        while (attending_ != 0) std::this_thread::yield();
    }
    eigen_threads(const eigen_threads&) = delete;
    eigen_threads& operator=(const eigen_threads&) = delete;

    int workers() const noexcept { return workers_; }
    /// Valid as long as this object.
    parallel hook() noexcept {
        return {this, workers_, [](void* context, int tasks, parallel::task body, void* argument) noexcept {
                    static_cast<eigen_threads*>(context)->run(tasks, body, argument);
                }};
    }

  private:
    // One run at a time stands in the fields tasks_, shares_, body_ and argument_. `posted_` counts runs: odd while one
    // is open. A helper first adds itself to inside_ and then reads posted_; the caller first closes posted_ and then
    // waits until inside_ is 0. Both in the one order of seq_cst, so either the helper sees that the run is closed and
    // touches nothing, or the caller sees the helper and waits for it.
    struct alignas(64) helper {
        std::atomic<bool> attending{false};
        std::atomic<int> next{0};  ///< the first task of its share that nobody has begun
    };

    static int checked(int workers) {
        if (workers < 1 || workers > 1024)
            fail("eigen_threads of ", workers, " workers: choose from 1, the calling thread alone, to 1024");
        return workers;
    }
    std::size_t count() const noexcept { return static_cast<std::size_t>(workers_); }

    void run(int tasks, parallel::task body, void* argument) noexcept {
        if (workers_ == 1 || tasks < 2 || pool_->CurrentThreadId() >= 0 || busy_.exchange(true)) {
            for (int i = 0; i < tasks; ++i) body(argument, i, 0);
            return;
        }
        tasks_ = tasks, shares_ = tasks < workers_ ? tasks : workers_, body_ = body, argument_ = argument;
        for (int worker = 0; worker < shares_; ++worker)
            helpers_[static_cast<std::size_t>(worker)].next.store(share(worker), std::memory_order_relaxed);
        posted_.fetch_add(1);
        for (int worker = 1; worker < shares_; ++worker) call(worker);
        work(0);
        posted_.fetch_add(1);
        // What remains is at most one task of each helper: spin that long, then let other threads have the processor.
        for (int spins = 0; inside_.load() != 0; ++spins) spins < 4096 ? pause() : std::this_thread::yield();
        busy_.store(false, std::memory_order_release);
    }

    /// Where the share of a worker begins.
    int share(int worker) const noexcept { return static_cast<int>(static_cast<long long>(tasks_) * worker / shares_); }
    void work(int worker) noexcept {
        for (int i = 0; i < shares_; ++i) {
            const int owner = (worker + i) % shares_, end = share(owner + 1);
            std::atomic<int>& next = helpers_[static_cast<std::size_t>(owner)].next;
            while (next.load(std::memory_order_relaxed) < end)  // a read alone leaves the line with its owner
                if (const int task = next.fetch_add(1, std::memory_order_relaxed); task < end)
                    body_(argument_, task, worker);
        }
    }

    /// Makes sure that the helper sees the run now open. 16 bytes of capture, which std::function holds without
    /// allocating.
    void call(int worker) noexcept {
        if (helpers_[static_cast<std::size_t>(worker)].attending.exchange(true)) return;
        ++attending_;
        pool_->Schedule([this, worker] { attend(worker); });
    }

    /// What a helper does with a thread of the pool: every run until none came for linger_.
    void attend(int worker) noexcept {
        std::atomic<bool>& attending = helpers_[static_cast<std::size_t>(worker)].attending;
        unsigned done = 0;
        do {
            linger_on(worker, done);
            attending = false;
            // A run posted just before that store found the helper attending: whoever sets the flag again takes it.
        } while (open(done) && !attending.exchange(true));
        --attending_;  // the last access: the destructor waits for it
    }

    void linger_on(int worker, unsigned& done) noexcept {
        using clock = std::chrono::steady_clock;
        clock::time_point since = clock::now();
        for (unsigned idle = 1; !leaving_.load(std::memory_order_relaxed); ++idle) {
            if (open(done)) {
                ++inside_;
                if (const unsigned run = posted_.load(); run % 2 == 1) work(worker), done = run;
                --inside_;
                since = clock::now(), idle = 0;
                continue;
            }
            if (idle % 64 != 0) {
                pause();
                continue;
            }
            const auto waited = clock::now() - since;
            if (waited > linger_) return;
            if (waited > std::chrono::microseconds(20)) std::this_thread::yield();
        }
    }

    bool open(unsigned done) const noexcept {
        const unsigned run = posted_.load();
        return run % 2 == 1 && run != done;
    }

    static void pause() noexcept {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    Eigen::ThreadPoolInterface* pool_ = nullptr;
    std::chrono::microseconds linger_;
    int workers_;
    std::atomic<bool> busy_{false}, leaving_{false};
    alignas(64) std::atomic<unsigned> posted_{0};  // the run beside it comes with the same cache line
    int tasks_ = 0, shares_ = 1;
    parallel::task body_ = nullptr;
    void* argument_ = nullptr;
    alignas(64) std::atomic<int> inside_{0};
    alignas(64) std::atomic<int> attending_{0};
    std::unique_ptr<helper[]> helpers_;
    std::unique_ptr<Eigen::ThreadPool> owned_;  // destroyed first: its threads are joined while the rest still stands
};

}  // namespace octet::inline OCTET_ABI
