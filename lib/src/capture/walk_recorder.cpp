// The portable backend: the thread walks its own stack with Boost.Stacktrace. Unlike a copy this
// relies on the unwinder of the C++ runtime being safe in a signal handler, which it is not against
// a thread that is throwing at that moment. Built without sanitizers.
#include <boost/stacktrace/safe_dump_to.hpp>

#include "capture/current_stack.hpp"
#include "capture/stack_recorder.hpp"

namespace gmr::capture {
namespace {

void walk(capture_slot& slot) noexcept {
  slot.walked = boost::stacktrace::safe_dump_to(0, slot.memory, slot.limit);
}

// Drops the frames of the handler itself: those before the interrupted instruction.
void drop_handler_frames(capture_slot& slot, std::uintptr_t pc) noexcept {
  auto* const counters = reinterpret_cast<std::uintptr_t*>(slot.memory);
  std::size_t first = 0;
  while (first < slot.walked && counters[first] != pc && counters[first] != pc + 1)
    ++first;
  if (first == slot.walked) return;
  slot.walked -= first;
  for (std::size_t i = 0; i < slot.walked; ++i)
    counters[i] = counters[i + first];
}

}  // namespace

const std::size_t stack_for_recording = 4096;

void record_stack(capture_slot& slot, const ucontext_t& context) noexcept {
#if defined(__x86_64__)
  const auto pc = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  const auto sp = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
#else
  const auto pc = static_cast<std::uintptr_t>(context.uc_mcontext.pc);
  const auto sp = static_cast<std::uintptr_t>(context.uc_mcontext.sp);
#endif
  slot.registers[pc_register] = pc;
  slot.registers[sp_register] = sp;
  find_current_stack(slot, sp);
  walk(slot);
  drop_handler_frames(slot, pc);
}

[[gnu::noinline]] void record_own_stack(capture_slot& slot) noexcept {
  walk(slot);
}

}  // namespace gmr::capture
