// Arrays that touch an unmapped page: a read or write one byte beyond them ends the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace octet::test {

enum class guard { end, begin };  ///< which end of the array touches the unmapped page

/// `count` zeroed elements between two unmapped pages. With guard::end the byte after the last element is unmapped,
/// with guard::begin the byte before the first. Elements are aligned either way: a page is a multiple of every
/// alignment.
template <class T>
class guarded {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    explicit guarded(std::size_t count, guard side = guard::end) : count_(count) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = count * sizeof(T), inner = (bytes + page - 1) / page * page;
        length_ = inner + 2 * page;
        base_ = mmap(nullptr, length_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base_ == MAP_FAILED) throw std::bad_alloc();
        char* first = static_cast<char*>(base_) + page;
        if (inner != 0 && mprotect(first, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
        data_ = reinterpret_cast<T*>(side == guard::end ? first + inner - bytes : first);
    }
    guarded(guarded&& other) noexcept
        : base_(std::exchange(other.base_, nullptr)),
          length_(other.length_),
          data_(other.data_),
          count_(other.count_) {}
    guarded& operator=(guarded&&) = delete;
    ~guarded() {
        if (base_ != nullptr) munmap(base_, length_);
    }

    T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return count_; }
    T& operator[](std::size_t i) const noexcept { return data_[i]; }
    T* begin() const noexcept { return data_; }
    T* end() const noexcept { return data_ + count_; }
    std::span<T> all() const noexcept { return {data_, count_}; }

  private:
    void* base_ = nullptr;
    std::size_t length_ = 0;
    T* data_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace octet::test
