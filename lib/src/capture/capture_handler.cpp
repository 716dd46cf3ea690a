// Runs in signal handlers: plain data and atomics only. Built without sanitizers, which would call
// into their runtimes from here and mistake reading a live stack for an error.
#include "capture/capture_handler.hpp"

#include <errno.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "capture/stack_recorder.hpp"

namespace gmr::capture {

slot_table handler_table;

namespace {

capture_slot* find_slot(std::uint64_t payload) noexcept {
  const auto index = static_cast<std::uint32_t>(payload >> 32);
  if (index / slots_in_chunk >= most_chunks) return nullptr;
  capture_slot* chunk =
      __atomic_load_n(&handler_table.chunks[index / slots_in_chunk], __ATOMIC_ACQUIRE);
  return chunk == nullptr ? nullptr : chunk + index % slots_in_chunk;
}

capture_slot* find_slot_in(capture_slot* chunk, pid_t thread) noexcept {
  for (std::uint32_t i = 0; chunk != nullptr && i < slots_in_chunk; ++i) {
    const std::uint64_t phase =
        __atomic_load_n(&chunk[i].ticket, __ATOMIC_ACQUIRE) & slot_phase_mask;
    if ((phase == slot_armed || phase == slot_revoked) &&
        __atomic_load_n(&chunk[i].thread, __ATOMIC_RELAXED) == thread)
      return chunk + i;
  }
  return nullptr;
}

// A policy may refuse signals with a payload: of those without one the number of the thread tells.
// Chunks are made one after the other, but for that of the raw report, which is the last.
capture_slot* find_slot_of_this_thread() noexcept {
  const auto self = static_cast<pid_t>(syscall(SYS_gettid));
  for (std::uint32_t i = 0; i < chunk_of_raw_report; ++i) {
    capture_slot* const chunk = __atomic_load_n(&handler_table.chunks[i], __ATOMIC_ACQUIRE);
    if (chunk == nullptr) break;
    if (capture_slot* const found = find_slot_in(chunk, self)) return found;
  }
  return find_slot_in(__atomic_load_n(&handler_table.chunks[chunk_of_raw_report], __ATOMIC_ACQUIRE),
                      self);
}

bool move_phase(capture_slot& slot, std::uint64_t generation, slot_phase from,
                slot_phase to) noexcept {
  std::uint64_t expected = generation << slot_phase_bits | from;
  return __atomic_compare_exchange_n(&slot.ticket, &expected, generation << slot_phase_bits | to,
                                     false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

// The kernel sees only to its own frame, and nobody knows which alternate stacks the program's
// threads have.
bool has_room(const capture_slot& slot, const ucontext_t& context) noexcept {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const stack_t& alternate = context.uc_stack;
  const auto low = reinterpret_cast<std::uintptr_t>(alternate.ss_sp);
  if ((alternate.ss_flags & SS_DISABLE) == 0 && here - low < alternate.ss_size)
    return here - low >= stack_for_recording;
  return here < slot.low || here >= slot.high || here - slot.low >= stack_for_recording;
}

void write_answer(capture_slot& slot, std::uint64_t generation,
                  const ucontext_t& interrupted) noexcept {
  if (!move_phase(slot, generation, slot_armed, slot_writing)) {
    move_phase(slot, generation, slot_revoked, slot_late);
    return;
  }
  slot.no_room = !has_room(slot, interrupted);
  if (!slot.no_room) record_stack(slot, interrupted);
  move_phase(slot, generation, slot_writing, slot_done);
}

}  // namespace

void capture_handler(int, siginfo_t* info, void* context) noexcept {
  const int saved_errno = errno;
  const auto& interrupted = *static_cast<const ucontext_t*>(context);
  if (info->si_pid == handler_table.process && info->si_code == SI_QUEUE) {
    const auto payload = reinterpret_cast<std::uint64_t>(info->si_value.sival_ptr);
    if (capture_slot* const slot = find_slot(payload))
      write_answer(*slot, payload & 0xffffffffU, interrupted);
  } else if (info->si_pid == handler_table.process && info->si_code == SI_TKILL) {
    if (capture_slot* const slot = find_slot_of_this_thread())
      write_answer(*slot, __atomic_load_n(&slot->ticket, __ATOMIC_ACQUIRE) >> slot_phase_bits,
                   interrupted);
  }
  errno = saved_errno;
}

}  // namespace gmr::capture
