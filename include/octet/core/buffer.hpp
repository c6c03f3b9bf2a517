// A zeroed, aligned array: what packed weights and the arena of a session live in.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "octet/core/error.hpp"

namespace octet {

/// `count` elements of a trivial type, zeroed, at an address that is a multiple of 64 (a cache line, a zmm register).
/// Moves are cheap; copies copy the elements. Throws octet::error with the size when there is not so much memory.
template <class T>
class buffer {
    static_assert(std::is_trivially_copyable_v<T>, "octet::buffer holds plain data: its elements are copied as bytes");

  public:
    static constexpr std::align_val_t alignment{64};

    buffer() = default;
    explicit buffer(std::size_t count) : data_(allocate(count)), size_(count) {}
    /// Elements in the memory of a slab: zeroed, aligned, and kept longer than this buffer and what it is moved to. A
    /// copy owns its elements.
    static buffer borrowed(T* data, std::size_t count) noexcept {
        buffer made;
        made.data_ = data, made.size_ = count, made.owned_ = false;
        return made;
    }
    buffer(const buffer& other) : buffer(other.size_) {
        if (size_ != 0) std::memcpy(static_cast<void*>(data_), other.data_, size_ * sizeof(T));
    }
    buffer(buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          owned_(std::exchange(other.owned_, true)) {}
    buffer& operator=(buffer other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(owned_, other.owned_);
        return *this;
    }
    ~buffer() {
        if (owned_) ::operator delete(static_cast<void*>(data_), alignment);
    }

    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) noexcept { return data_[i]; }
    const T& operator[](std::size_t i) const noexcept { return data_[i]; }
    T* begin() noexcept { return data(); }
    T* end() noexcept { return data() + size_; }
    const T* begin() const noexcept { return data(); }
    const T* end() const noexcept { return data() + size_; }

  private:
    OCTET_INLINE static T* allocate(std::size_t count) {
        if (count == 0) return nullptr;
        void* raw = nullptr;
        if (count <= PTRDIFF_MAX / sizeof(T)) raw = ::operator new(count * sizeof(T), alignment, std::nothrow);
        if (raw == nullptr)
            fail("there is no memory for ", count, " elements of ", sizeof(T),
                 " bytes: lower the batch, or the size of the images");
        std::memset(raw, 0, count * sizeof(T));
        return static_cast<T*>(raw);
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
    bool owned_ = true;
};

}  // namespace octet
