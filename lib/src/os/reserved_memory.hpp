// Memory that is set aside for when nothing can be allocated. Pages cost nothing until they are
// used.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <type_traits>

namespace gmr::os {

// An array of objects for which all zero bytes are a value. Empty where the system had none.
template <class T>
class reserved_memory final {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr std::size_t each =
      sizeof(T);  // NOLINT(bugprone-sizeof-expression): also pointers

 public:
  explicit reserved_memory(std::size_t count) noexcept {
    void* const memory = ::mmap(nullptr, count * each, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    first_ = static_cast<T*>(memory);
    count_ = count;
  }
  ~reserved_memory() {
    if (first_ != nullptr) ::munmap(static_cast<void*>(first_), count_ * each);
  }
  reserved_memory(const reserved_memory&) = delete;
  reserved_memory& operator=(const reserved_memory&) = delete;

  [[nodiscard]] T* get() noexcept { return first_; }
  [[nodiscard]] const T* get() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] T& operator[](std::size_t at) noexcept { return first_[at]; }

  // The pages are the system's again, and all zero.
  void give_back() noexcept {
    if (first_ != nullptr) ::madvise(static_cast<void*>(first_), count_ * each, MADV_DONTNEED);
  }

 private:
  T* first_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace gmr::os
