// A compiled network: the steps that a session runs, the slots that they read and write, and where the slots stand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octet/core/buffer.hpp"
#include "octet/core/parallel.hpp"
#include "octet/core/slab.hpp"
#include "octet/core/view.hpp"
#include "octet/graph/graph.hpp"
#include "octet/graph/memory_plan.hpp"
#include "octet/isa/isa.hpp"
#include "octet/quant/params.hpp"

namespace octet {

/// Where a tensor stands in one of its two forms, int8 or float: a view into a block of the arena (`block` is its index
/// in the memory plan, `first` counts elements from its begin), or into a constant. Concatenations and reshapes are
/// slots that share a block.
struct slot {
    tensor_id id = 0;
    bool is_int8 = false;
    shape dims{};
    std::ptrdiff_t stride = 1;
    int block = -1;  ///< -1: a constant
    std::ptrdiff_t first = 0;
    const void* constant = nullptr;
    bool dense() const noexcept { return stride == dims.cols(); }
};

/// What a step sees when it runs: whole tensors, or of each the rows [first_row, first_row + rows).
struct memory {
    std::byte* arena = nullptr;
    std::byte* scratch = nullptr;
    const slot* slots = nullptr;
    const allocation* blocks = nullptr;
    parallel threads{};
    std::int64_t first_row = 0;
    std::int64_t rows = -1;  ///< -1: all

    template <class T>
    tensor_view<const T> read(int index) const noexcept {
        const slot& s = slots[index];
        if (s.block < 0) return part(tensor_view<const T>(static_cast<const T*>(s.constant), s.dims, s.stride));
        return write<T>(index);
    }
    template <class T>
    tensor_view<T> write(int index) const noexcept {
        const slot& s = slots[index];
        auto* begin = reinterpret_cast<T*>(arena + blocks[s.block].offset);
        return part(tensor_view<T>(begin + s.first, s.dims, s.stride));
    }
    /// The same with all rows.
    memory whole() const noexcept {
        memory all = *this;
        all.rows = -1;
        return all;
    }

  private:
    template <class T>
    tensor_view<T> part(tensor_view<T> all) const noexcept {
        if (rows < 0) return all;
        return {all.row(first_row), {1, 1, rows, all.cols()}, all.stride};
    }
};

/// How a step can be shared out by who runs it. See chain.hpp.
enum class row_split {
    none,     ///< it is run whole
    outputs,  ///< some rows of its output can be computed alone, from any rows of its inputs: it begins a chain
    rows      ///< a row of its output needs the same row of each input, and no other
};

/// One step of a program, with the layer that it runs.
class step {
  public:
    step(int node_index, std::string_view kernel_name, isa which, std::vector<int> reads, std::vector<int> writes)
        : node(node_index), kernel(kernel_name), target(which), inputs(std::move(reads)), outputs(std::move(writes)) {}
    step(step&& other) noexcept
        : node(other.node),
          kernel(std::move(other.kernel)),
          target(other.target),
          inputs(std::move(other.inputs)),
          outputs(std::move(other.outputs)),
          split(other.split),
          grain(other.grain),
          block(other.block),
          chained(other.chained),
          body_(std::exchange(other.body_, nullptr)) {}
    step& operator=(step&&) = delete;
    ~step() { delete body_; }

    /// What it runs, given once: body(memory) is noexcept and allocates nothing. (Not a parameter of the constructor,
    /// which would be compiled for every kind of step.)
    template <class Body>
    void runs(Body body) {
        body_ = new holder<Body>(std::move(body));
    }
    void run(const memory& where) const noexcept { body_->run(where); }

    int node;                  ///< index in the graph; -1: a conversion between float and int8
    std::string kernel;        ///< what runs it
    isa target;                ///< on which instruction set
    std::vector<int> inputs;   ///< slots
    std::vector<int> outputs;  ///< slots
    row_split split = row_split::none;
    int grain = 12;   ///< at which multiples of rows a chain that begins here is cut: whole tiles of most kernels
    int block = 120;  ///< rows of it that go through the chain together
    int chained = 1;  ///< steps of it, of which this is the first: the hook runs them as one

  private:
    struct base {
        virtual void run(const memory& where) const noexcept = 0;
        virtual ~base() = default;
    };
    template <class Body>
    struct holder final : base {
        explicit holder(Body f) : body(std::move(f)) {}
        void run(const memory& where) const noexcept override { body(where); }
        Body body;
    };
    base* body_ = nullptr;
};

struct program {
    slab weights;  ///< packed, of int8 products and convolutions, in the order of the steps, which it outlives
    std::vector<slot> slots;
    std::vector<step> steps;
    memory_plan plan;
    std::vector<buffer<std::byte>> constants;
    std::vector<int> inputs;   ///< the slot of each input of the network
    std::vector<int> outputs;  ///< the slot of each output of the network
};

/// How a session is made.
struct session_options {
    int batch = 1;                ///< images a run
    std::optional<isa> target{};  ///< default: the best that this machine runs
    parallel threads{};           ///< lent by the application; default: the calling thread alone
    bool nchw = false;            ///< operator() takes and gives images as NCHW instead of NHWC
    bool fuse_residual = true;    ///< add in the convolution before it; never changes bytes
    bool winograd = true;         ///< convolve by Winograd where that is predicted to be faster; never changes bytes
};

}  // namespace octet
