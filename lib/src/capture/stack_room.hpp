// Whether a signal frame fits on a thread's stack.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "capture/snapshot.hpp"
#include "capture/thread_descriptor.hpp"

namespace gmr::capture {

// The main thread's stack as far as it may grow; empty when it is not known.
[[nodiscard]] stack_bounds main_stack();

// How much below sp a handler without an alternate stack needs.
[[nodiscard]] std::size_t signal_frame_room() noexcept;

// False when a signal frame may not fit on the stack that `id` is on: a blocked thread has not
// enough of its own stack left, or is on memory that is not its own stack; a running thread, whose
// sp nobody knows, has at some time been further down than leaves room. `main_mapped`: how far down
// the main thread's stack is mapped; 0: it is read from /proc.
[[nodiscard]] bool has_room(pid_t id, const std::optional<blocked_syscall>& blocked,
                            const stack_bounds& main, std::uintptr_t main_mapped = 0);

// The same for the stack `own`, which the thread is on.
[[nodiscard]] bool has_room_above(const stack_bounds& own,
                                  const std::optional<blocked_syscall>& blocked);

// The same for a thread that handles signals on `alternate`, where it may be already.
[[nodiscard]] bool has_room_on(const stack_bounds& alternate,
                               const std::optional<blocked_syscall>& blocked);

}  // namespace gmr::capture
