// Opt-in: Octet beside Eigen 3.4. to_eigen and to_view turn views into maps and back without copying; eigen_threads
// lends Octet the threads of an Eigen::ThreadPool.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
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
///   octet::session run{int8, {.threads = threads.hook()}};    // or layer(in, out, scratch, threads.hook())
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
    // One run at a time stands in the fields of run_. Tasks are numbered over all runs: those of one begin at `first`,
    // which grows from run to run and so names it. Who wants a task of a share raises the share's `next`; when a run is
    // over every `next` stands at its share's end, so a helper that comes late finds nothing left, and touches nothing.
    // The lines that go between the processors: run_, from caller to helpers, and each helper's own, back.
    struct alignas(64) helper {
        std::atomic<std::uint64_t> next{0};  ///< the first task of its share that nobody has begun, or less: the first
        std::atomic<std::uint64_t> done{0};  ///< tasks that this worker has finished, of any share
        alignas(64) std::atomic<bool> attending{false};
    };
    struct work_item {
        std::uint64_t first = 0;
        int tasks = 0;
        parallel::task body = nullptr;
        void* argument = nullptr;
    };
    /// A work_item that one thread writes and others read: `first` is none while the rest changes.
    struct alignas(64) posted_item {
        static constexpr std::uint64_t none = ~std::uint64_t{0};
        std::atomic<std::uint64_t> first{none};
        std::atomic<int> tasks{0};
        std::atomic<parallel::task> body{nullptr};
        std::atomic<void*> argument{nullptr};

        void write(const work_item& item) noexcept {
            first.store(none, std::memory_order_relaxed);
            tasks.store(item.tasks, std::memory_order_release);
            body.store(item.body, std::memory_order_release);
            argument.store(item.argument, std::memory_order_release);
            first.store(item.first, std::memory_order_release);
        }
        /// Whether there is a run other than `seen`.
        bool read(std::uint64_t seen, work_item& item) const noexcept {
            item.first = first.load(std::memory_order_acquire);
            if (item.first == seen || item.first == none) return false;
            item.tasks = tasks.load(std::memory_order_acquire);
            item.body = body.load(std::memory_order_acquire);
            item.argument = argument.load(std::memory_order_acquire);
            return first.load(std::memory_order_relaxed) == item.first;
        }
    };

    static int checked(int workers) {
        if (workers < 1 || workers > 1024)
            fail("eigen_threads of ", workers, " workers: choose from 1, the calling thread alone, to 1024");
        return workers;
    }
    std::size_t count() const noexcept { return static_cast<std::size_t>(workers_); }

    void run(int tasks, parallel::task body, void* argument) noexcept {
        if (workers_ == 1 || tasks < 2 || pool_->CurrentThreadId() >= 0 ||
            busy_.exchange(true, std::memory_order_acquire)) {
            for (int i = 0; i < tasks; ++i) body(argument, i, 0);
            return;
        }
        const work_item item{begun_, tasks, body, argument};
        begun_ += static_cast<std::uint64_t>(tasks);
        // The caller's first task is taken before anybody knows of the run: it begins at once, while the line with the
        // run is on its way.
        helpers_[0].next.store(item.first + 1, std::memory_order_relaxed);
        run_.write(item);
        for (int worker = 1; worker < shares(item); ++worker) call(worker);
        perform(item, 0, 0);
        work(item, 0);
        // What remains is at most one task of each helper: spin that long, then let other threads have the processor.
        for (unsigned spins = 0; finished() != begun_; ++spins) spins < 4096 ? pause() : std::this_thread::yield();
        busy_.store(false, std::memory_order_release);
    }

    int shares(const work_item& item) const noexcept { return item.tasks < workers_ ? item.tasks : workers_; }
    /// The number of the first task of a worker's share.
    std::uint64_t share(const work_item& item, int worker) const noexcept {
        return item.first + static_cast<std::uint64_t>(item.tasks) * static_cast<unsigned>(worker) /
                                static_cast<unsigned>(shares(item));
    }
    /// Every task of any share that nobody has begun, its own share first.
    void work(const work_item& item, int worker) noexcept {
        for (int i = 0; i < shares(item); ++i) {
            const int owner = (worker + i) % shares(item);
            const std::uint64_t begin = share(item, owner), end = share(item, owner + 1);
            std::atomic<std::uint64_t>& next = helpers_[static_cast<std::size_t>(owner)].next;
            for (std::uint64_t seen = next.load(std::memory_order_relaxed); std::max(seen, begin) < end;) {
                const std::uint64_t task = std::max(seen, begin);
                if (!next.compare_exchange_weak(seen, task + 1, std::memory_order_acq_rel)) continue;
                perform(item, static_cast<int>(task - item.first), worker);
                seen = next.load(std::memory_order_relaxed);
            }
        }
    }
    /// The caller may return as soon as the last task is counted.
    void perform(const work_item& item, int task, int worker) noexcept {
        item.body(item.argument, task, worker);
        std::atomic<std::uint64_t>& done = helpers_[static_cast<std::size_t>(worker)].done;
        done.store(done.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    std::uint64_t finished() const noexcept {
        std::uint64_t sum = 0;
        for (std::size_t worker = 0; worker < count(); ++worker)
            sum += helpers_[worker].done.load(std::memory_order_acquire);
        return sum;
    }

    /// Makes sure that the helper sees the run; one that is just leaving may miss it, and is called by the next. 16
    /// bytes of capture, which std::function holds without allocating.
    void call(int worker) noexcept {
        std::atomic<bool>& attending = helpers_[static_cast<std::size_t>(worker)].attending;
        if (attending.load(std::memory_order_relaxed) || attending.exchange(true)) return;
        ++attending_;
        pool_->Schedule([this, worker] { attend(worker); });
    }

    /// What a helper does with a thread of the pool: every run until none came for linger_.
    void attend(int worker) noexcept {
        linger_on(worker);
        helpers_[static_cast<std::size_t>(worker)].attending = false;
        --attending_;  // the last access: the destructor waits for it
    }

    void linger_on(int worker) noexcept {
        using clock = std::chrono::steady_clock;
        std::atomic<std::uint64_t>& done = helpers_[static_cast<std::size_t>(worker)].done;
        std::uint64_t seen = posted_item::none;
        work_item item;
        clock::time_point since = clock::now();
        for (unsigned idle = 1; !leaving_.load(std::memory_order_relaxed); ++idle) {
            if (run_.read(seen, item)) {
                work(item, worker);
                seen = item.first, since = clock::now(), idle = 0;
                continue;
            }
            // The caller has read this worker's line: a write brings it back while there is time.
            if (idle == 8) done.store(done.load(std::memory_order_relaxed), std::memory_order_release);
            if (idle % 64 != 0) {
                pause();
                continue;
            }
            const auto waited = clock::now() - since;
            if (waited > linger_) return;
            if (waited > std::chrono::microseconds(20)) std::this_thread::yield();
        }
    }

    static void pause() noexcept {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    // A line each: what stands still, what the caller alone writes, the run, and who comes and goes.
    Eigen::ThreadPoolInterface* pool_ = nullptr;
    std::chrono::microseconds linger_;
    int workers_;
    std::atomic<bool> leaving_{false};
    std::unique_ptr<helper[]> helpers_;
    alignas(64) std::atomic<bool> busy_{false};
    std::uint64_t begun_ = 0;  // tasks of all runs; only for who holds busy_
    posted_item run_;
    alignas(64) std::atomic<int> attending_{0};
    std::unique_ptr<Eigen::ThreadPool> owned_;  // destroyed first: its threads are joined while the rest still stands
};

}  // namespace octet::inline OCTET_ABI
