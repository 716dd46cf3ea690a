// What glibc keeps of a thread, read from outside.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace gmr::capture {

// A part of memory that belongs to one stack.
struct stack_bounds {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;

  [[nodiscard]] bool contains(std::uintptr_t sp) const noexcept { return low <= sp && sp < high; }
};

// An address in the thread's descriptor, 0 when not known: glibc has told the kernel where the head
// of the list of robust mutexes is. The descriptor lies at the outer end of the thread's stack, but
// for the main thread.
[[nodiscard]] std::uintptr_t descriptor_of(pid_t id) noexcept;

// Whether `id` is a thread of this process, and what glibc keeps of it lies around `address`.
[[nodiscard]] bool is_described_at(pid_t id, std::uintptr_t address) noexcept;

// The thread of which that is true; nothing when there is none, or when `address` lies before its
// tid. Some tens of system calls.
[[nodiscard]] std::optional<pid_t> thread_described_at(std::uintptr_t address) noexcept;

// Whether stack_of can tell anything: false with another C library than glibc. Makes a thread when
// asked for the first time, to see where descriptors keep the bounds.
[[nodiscard]] bool knows_stacks();

// The stack that the thread was made with, whoever provided it; empty when it has none that glibc
// knows of, or when it has gone. Not for the main thread.
[[nodiscard]] stack_bounds stack_of(pid_t id) noexcept;
// The same, where an address in the descriptor is known; empty for 0.
[[nodiscard]] stack_bounds stack_described_by(std::uintptr_t descriptor) noexcept;

}  // namespace gmr::capture
