// Threads that are enrolled: whether a signal finds an alternate stack there, and which fiber runs.
//
// A fixed table in static storage, claimed and searched without locks, never freed. A thread
// enrols at its first switch between fibers (the fiber hook sees to that) or by
// gmr::enroll_this_thread, and leaves when it ends, after its thread_local objects are gone.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hook/fiber/fiber_record.hpp"
#include "hook/threads/alternate_stack.hpp"

namespace gmr::trace {

struct alignas(64) thread_slot {
  std::atomic<fiber_record*> current{nullptr};    // what the thread runs; `own` for its own stack
  std::atomic<pid_t> tid{0};                      // 0: free
  std::atomic<std::uintptr_t> alternate_low{0};   // of the stack that signals are handled on,
  std::atomic<std::uintptr_t> alternate_high{0};  // as it was when the thread enrolled; 0: none
  std::atomic<bool> alternate_stays{false};
  alternate_stack signal_stack;
  fiber_record own;
  thread_slot* next_spare = nullptr;  // of a slot outside the table that no thread has
};
static_assert(offsetof(thread_slot, current) == GMR_SLOT_CURRENT);
static_assert(offsetof(thread_slot, own) == GMR_SLOT_OWN);

// What the capture stage asks of a thread.
struct thread_traits {
  alternate_bounds alternate;
  std::uint64_t fiber = 0;  // id of the fiber it runs; 0: its own stack
  std::uintptr_t low = 0;   // bounds of that fiber's stack
  std::uintptr_t high = 0;
};

// The calling thread's slot, made when missing.
thread_slot& enroll_thread() noexcept;
// The same; null when missing. Async-signal-safe.
[[nodiscard]] thread_slot* slot_of_this_thread() noexcept;

// False when the thread is not enrolled. Lock-free, async-signal-safe; a snapshot: the thread may
// have gone on when this returns.
[[nodiscard]] bool find_thread(pid_t tid, thread_traits& traits) noexcept;

// The same for the calling thread. In a handler that interrupted a switch the stack pointer may
// already be on the other stack: check it against the bounds.
[[nodiscard]] bool find_this_thread(thread_traits& traits) noexcept;

// For walks over all slots; those that are free have tid 0.
inline constexpr std::size_t thread_slot_count = 8192;
extern constinit thread_slot thread_slots[thread_slot_count];
[[nodiscard]] thread_slot& thread_slot_at(std::size_t index) noexcept;

}  // namespace gmr::trace

// What slot_of_this_thread() gives, where this copy of the library has the hook; elsewhere null. It
// is set when the thread is enrolled, and where another copy keeps the slots with the thread's
// first switch. Initial-exec: read by the assembly hook and in signal handlers.
extern "C" {
[[gnu::tls_model(
    "initial-exec")]] extern constinit thread_local gmr::trace::thread_slot* gmr_this_thread;
}
