// Whether a signal frame fits on a thread's stack.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "capture/snapshot.hpp"

namespace gmr::capture {

// A part of memory that belongs to one stack.
struct stack_bounds {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;
};

// The main thread's stack as far as it may grow; empty when it is not known.
[[nodiscard]] stack_bounds main_stack();

// An address at the outer end of the thread's stack, 0 when not known: glibc keeps the descriptor
// of a thread there, and has told the kernel where it is. Not so for the main thread.
[[nodiscard]] std::uintptr_t descriptor_of(pid_t id) noexcept;

// How much below sp a handler without an alternate stack needs.
[[nodiscard]] std::size_t signal_frame_room() noexcept;

// False when the stack that `id` is on is known to be too small for a signal frame: below the sp
// of a blocked thread there is not enough memory, or a running thread's whole stack is so small
// that there may not be.
[[nodiscard]] bool has_room(pid_t id, const std::optional<blocked_syscall>& blocked,
                            const stack_bounds& main) noexcept;

}  // namespace gmr::capture
