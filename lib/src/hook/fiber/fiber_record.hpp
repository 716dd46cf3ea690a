// What is known of one fiber, or of a thread's own stack seen as one.
//
// Records are never unmapped, so they can be read at any moment. `sequence` makes the reading
// consistent: even while the fiber is suspended and registers and stack stay as they are, odd
// while it runs or the record is being changed, and never set back, not even between two fibers.
// The thread that switches is the only writer; who reads checks `sequence` before and after.
// All zero is a free record, so that tables of them cost nothing until used.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "gmr/trace/scheduler.hpp"
#include "hook/fiber/fiber_layout.h"

namespace gmr::trace {

struct thread_slot;
class green_thread_notes;

enum class fiber_state : std::uint32_t {
  free = 0,
  suspendable = GMR_STATE_SUSPENDABLE,  // live: running or suspended, as `sequence` says
  ending = GMR_STATE_ENDING,            // leaves its stack for the last time
  unlisted = 3                          // stands for all fibers there was no record for
};

struct alignas(64) fiber_record {
  std::atomic<std::uint32_t> sequence{0};
  std::atomic<fiber_state> state{fiber_state::free};
  timespec suspended_at{};  // on GMR_CLOCK, written by the assembly hook; 0: unknown
  std::atomic<thread_slot*> runner{nullptr};  // the thread that ran it last
  // What ran before and is not gone back to: a reference, and GMR_BY_ONTOP.
  std::atomic<std::uint64_t> resumed_by{0};
  std::atomic<green_thread_notes*> notes{nullptr};
  // What its entry function received: handed to ontop_fcontext from it, it means the end.
  std::atomic<const void*> first_data{nullptr};
  std::atomic<std::uint64_t> reference{0};  // which fiber it is, see become

  // Written by the assembly hook: where to begin to unwind, and of the others those that the rules
  // for that place do not find in the stack.
  machine_registers registers;

  void* tsan_fiber = nullptr;
  void* asan_fake_stack = nullptr;

  std::atomic<std::uintptr_t> low{0};
  std::atomic<std::uintptr_t> high{0};

  std::atomic<std::uint64_t> id{0};
  std::atomic<std::uintptr_t> function{0};  // that it was made with
  // Of malloc's block that the stack seemed to be when it was made; 0: it is none.
  std::atomic<std::uintptr_t> block_size{0};
  std::atomic<std::uint32_t> next_free{0};
  std::uint32_t number = 0;  // its place in the pool, from 1

  // A reference says which fiber it is even when the record is used again: its address with the
  // end of its id in the bits that no address has.
  void become(std::uint64_t new_id) noexcept {
    id.store(new_id, std::memory_order_relaxed);
    reference.store(reinterpret_cast<std::uintptr_t>(this) | new_id << 48,
                    std::memory_order_relaxed);
  }
  // Null when there was none, or it is gone. The lowest bit does not matter.
  [[nodiscard]] static const fiber_record* referred_to(std::uint64_t wanted) noexcept {
    const auto* const record =
        reinterpret_cast<const fiber_record*>(wanted & ((std::uint64_t{1} << 48) - 2));
    const bool is_it =
        record != nullptr &&
        record->reference.load(std::memory_order_relaxed) == (wanted & ~std::uint64_t{1}) &&
        record->state.load(std::memory_order_relaxed) == fiber_state::suspendable;
    return is_it ? record : nullptr;
  }

  // Makes what readers have seen of it so far invalid. By its only writer.
  void begin_change() noexcept {
    sequence.store((sequence.load(std::memory_order_relaxed) | 1) + 2, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  // Stable from now on.
  void end_change() noexcept {
    sequence.store(sequence.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
};

static_assert(sizeof(fiber_record) <= 256);
static_assert(GMR_CLOCK == CLOCK_MONOTONIC_COARSE);
static_assert(offsetof(fiber_record, sequence) == GMR_RECORD_SEQUENCE);
static_assert(offsetof(fiber_record, state) == GMR_RECORD_STATE);
static_assert(offsetof(fiber_record, suspended_at) == GMR_RECORD_SUSPENDED_AT);
static_assert(offsetof(fiber_record, runner) == GMR_RECORD_RUNNER);
static_assert(offsetof(fiber_record, resumed_by) == GMR_RECORD_RESUMED_BY);
static_assert(offsetof(fiber_record, first_data) == GMR_RECORD_FIRST_DATA);
static_assert(offsetof(fiber_record, reference) == GMR_RECORD_REFERENCE);
static_assert(offsetof(fiber_record, registers) == GMR_RECORD_REGISTERS);

}  // namespace gmr::trace
