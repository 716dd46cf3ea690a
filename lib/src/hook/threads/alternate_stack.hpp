// An alternate signal stack for one thread.
//
// A signal frame needs several KB (AT_MINSIGSTKSZ, about 12 with AVX-512). On a small fiber stack
// that is more than there is, and on one from malloc it would overwrite the neighbour; so the
// capture signal is handled on a stack of its own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gmr::trace {

struct alternate_bounds {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;  // 0: there is none
  bool stays = false;       // else it is the program's, which may take it away at any time
};

// Plain data without a destructor, for use in static storage. All calls on the thread it serves.
class alternate_stack {
 public:
  // Sees to it that the thread has an alternate stack: the one it has already, or this one.
  alternate_bounds provide() noexcept;
  // Takes back what `provide` gave; a stack that somebody else has set since stays.
  void withdraw() noexcept;

 private:
  void* mapping_ = nullptr;
  std::size_t size_ = 0;
};

// Bytes of an alternate stack: room for the kernel's frame and for our handler. Async-signal-safe.
[[nodiscard]] std::size_t alternate_stack_size() noexcept;

}  // namespace gmr::trace
