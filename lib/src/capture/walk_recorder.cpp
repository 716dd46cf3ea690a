// The portable backend: the thread walks its own stack with Boost.Stacktrace. Unlike a copy this
// relies on the unwinder of the C++ runtime in a signal handler: docs/threads.md, backends.
// Built without sanitizers.
#include <unwind.h>

#include <boost/stacktrace/safe_dump_to.hpp>

#include "capture/current_stack.hpp"
#include "capture/stack_recorder.hpp"

namespace gmr::capture {
namespace {

void walk(capture_slot& slot) noexcept {
  const std::size_t words = boost::stacktrace::safe_dump_to(0, slot.memory, slot.limit);
  slot.walked = words == 0 ? 0 : words - 1;  // it ends with a zero
  slot.truncated = words == slot.limit / sizeof(std::uintptr_t);
}

// Drops the frames of the handler itself: those before the interrupted instruction. Without that
// one the walk never left the handler, and tells nothing.
void drop_handler_frames(capture_slot& slot, std::uintptr_t pc) noexcept {
  auto* const counters = reinterpret_cast<std::uintptr_t*>(slot.memory);
  std::size_t first = 0;
  while (first < slot.walked && counters[first] != pc && counters[first] != pc + 1)
    ++first;
  slot.walked -= first;
  for (std::size_t i = 0; i < slot.walked; ++i)
    counters[i] = counters[i + first];
}

// A walk does not tell why it ended; where threads begin there is unwind information, which says
// so. Only here and now the code is sure to be loaded still.
void judge_end(capture_slot& slot) noexcept {
  if (slot.walked == 0 || slot.truncated) return;
  const auto* const counters = reinterpret_cast<const std::uintptr_t*>(slot.memory);
  // It looks at the byte before, as for a return address: the first one is none.
  const std::uintptr_t behind = counters[slot.walked - 1] + (slot.walked == 1 ? 1 : 0);
  slot.walk_broke_off = _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(behind)) == nullptr;
}

}  // namespace

const std::size_t stack_for_recording = 4096;

// The first walk sets up the unwinder under a lock of its own, and the linker binds what is called:
// neither is for a handler.
void prepare_recorder() noexcept {
  const void* counters[8];
  (void)boost::stacktrace::safe_dump_to(0, static_cast<void*>(counters), sizeof counters);
  (void)_Unwind_FindEnclosingFunction(reinterpret_cast<void*>(&prepare_recorder));
}

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
  judge_end(slot);
}

[[gnu::noinline]] void record_own_stack(capture_slot& slot) noexcept {
  walk(slot);
  judge_end(slot);
}

}  // namespace gmr::capture
