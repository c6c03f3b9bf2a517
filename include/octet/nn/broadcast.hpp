// NumPy's broadcasting, brought down to rows: what add and mul run on, in int8 and in float.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "octet/core/parallel.hpp"
#include "octet/core/view.hpp"

namespace octet::inline OCTET_ABI {

/// Which row of an operand meets each row of the result, and whether its elements advance along the row (step 1) or one
/// value stands for all (step 0).
struct broadcast_operand {
    std::array<std::int64_t, shape::max_rank> step{};  // rows of the operand for one index of an axis of the result
    std::ptrdiff_t element = 1;

    broadcast_operand(const shape& operand, const shape& result) {
        std::int64_t rows = 1;
        for (int back = 2; back <= operand.rank(); ++back) {
            const std::int64_t size = operand[operand.rank() - back];
            step[static_cast<std::size_t>(result.rank() - back)] = size == 1 ? 0 : rows;
            rows *= size;
        }
        element = operand.cols() == 1 && result.cols() != 1 ? 0 : 1;
    }
    std::int64_t row(const shape& result, std::int64_t index) const noexcept {
        std::int64_t found = 0;
        for (int axis = result.rank() - 2; axis >= 0; --axis) {
            found += index % result[axis] * step[static_cast<std::size_t>(axis)];
            index /= result[axis];
        }
        return found;
    }
};

/// body(a, a_step, b, b_step, out, count) for rows that together cover `out`; rows of operands that do not broadcast
/// and stand back to back are joined into long ones.
template <class T, class Body>
void for_broadcast_rows(tensor_view<const T> a, tensor_view<const T> b, tensor_view<T> out, const parallel& threads,
                        const Body& body) noexcept {
    constexpr std::int64_t long_row = 4096;
    const bool joined = a.dims == out.dims && b.dims == out.dims && a.dense() && b.dense() && out.dense();
    if (joined) {
        const std::int64_t all = out.dims.elements();
        parallel_for(threads, static_cast<int>((all + long_row - 1) / long_row), [&](int task, int) noexcept {
            const std::int64_t at = task * long_row;
            const std::int64_t count = all - at < long_row ? all - at : long_row;
            body(a.data + at, 1, b.data + at, 1, out.data + at, static_cast<std::size_t>(count));
        });
        return;
    }
    const broadcast_operand left(a.dims, out.dims), right(b.dims, out.dims);
    const std::int64_t rows = out.rows(), per_task = long_row / out.cols() + 1;
    parallel_for(threads, static_cast<int>((rows + per_task - 1) / per_task), [&](int task, int) noexcept {
        const std::int64_t end = rows < (task + 1) * per_task ? rows : (task + 1) * per_task;
        for (std::int64_t r = task * per_task; r < end; ++r)
            body(a.row(left.row(out.dims, r)), left.element, b.row(right.row(out.dims, r)), right.element, out.row(r),
                 static_cast<std::size_t>(out.cols()));
    });
}

}  // namespace octet::inline OCTET_ABI
