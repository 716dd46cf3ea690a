// Small stacks from malloc, with memory beside them that nobody may write to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace gmr::capture::testing {

inline constexpr std::size_t small_stack = 16384;
inline constexpr std::size_t guard_bytes = 32768;
inline constexpr std::byte pattern{0xa5};

class guarded_stack {
 public:
  guarded_stack() {
    std::fill_n(memory_.get(), guard_bytes, pattern);
    std::fill_n(low() + small_stack, guard_bytes, pattern);
  }
  [[nodiscard]] std::byte* low() const { return memory_.get() + guard_bytes; }
  [[nodiscard]] bool intact() const {
    const auto is_pattern = [](std::byte each) { return each == pattern; };
    return std::all_of(memory_.get(), low(), is_pattern) &&
           std::all_of(low() + small_stack, low() + small_stack + guard_bytes, is_pattern);
  }

 private:
  std::unique_ptr<std::byte[]> memory_ =
      std::make_unique<std::byte[]>(guard_bytes + small_stack + guard_bytes);
};

// Calls `act` with no more than a KiB of stack below it.
template <class Act>
[[gnu::noinline]] void with_little_left(const guarded_stack& stack, Act act) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::size_t left = 8192;  // the frames of their own checks
#else
  constexpr std::size_t left = 1024;
#endif
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto low = reinterpret_cast<std::uintptr_t>(stack.low());
  auto* const room = static_cast<volatile char*>(__builtin_alloca(here - low - left));
  room[0] = 1;
  act();
  asm volatile("" : : "r"(room) : "memory");
}

}  // namespace gmr::capture::testing
