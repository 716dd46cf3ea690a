// Registers and live stack into a slot. Two backends implement the recorder: CMake picks
// copy_recorder.cpp, which copies, or walk_recorder.cpp, which has the thread walk.
#pragma once

#include <ucontext.h>

#include <cstdint>

#include "capture/capture_slot.hpp"

namespace gmr::capture {

// Does what can only be done outside of signal handlers. Before the first `record_stack`.
void prepare_recorder() noexcept;

// Fills the slot's result for the context that a signal interrupted, on the thread it interrupted.
// Async-signal-safe; never faults.
void record_stack(capture_slot& slot, const ucontext_t& context) noexcept;

// How much stack that takes.
extern const std::size_t stack_for_recording;

// Whether a stack that was copied can be unwound; otherwise threads have to walk their own.
extern const bool unwinds_copies;

// The same for the calling thread itself, without a signal.
void record_own_stack(capture_slot& slot) noexcept;

// Copies the live stack above `sp`, at most slot.limit bytes: the innermost part, and with it the
// outermost one where the end of the stack is known. Outside slot.low..high it is read through the
// kernel, which reports missing memory instead of faulting; `presumed_end` is then where the stack
// seems to end, 0 when unknown. Async-signal-safe.
void copy_stack(capture_slot& slot, std::uintptr_t sp, std::uintptr_t presumed_end) noexcept;

// The same for a thread in a handler on its alternate stack, which ends at `alternate_end`: all of
// that, and of the thread's own stack, which ends at `end`, the outermost part that there is room
// for. Where the two meet only the unwinder finds out. Async-signal-safe.
void copy_both_stacks(capture_slot& slot, std::uintptr_t sp, std::uintptr_t alternate_end,
                      std::uintptr_t end) noexcept;

// Where the stack ends that has a thread's descriptor above it. Async-signal-safe.
[[nodiscard]] std::uintptr_t below_tls(std::uintptr_t descriptor) noexcept;

}  // namespace gmr::capture
