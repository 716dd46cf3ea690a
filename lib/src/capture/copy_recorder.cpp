// The backend that copies: unwinding is done later, elsewhere, from the copy. Runs in signal
// handlers; built without sanitizers.
#include <signal.h>

#include "capture/current_stack.hpp"
#include "capture/stack_recorder.hpp"
#include "os/arch/machine.hpp"

namespace gmr::capture {
namespace {

// The kernel says in the context which alternate stack the thread had; 0 when it was not on it.
std::uintptr_t end_of_alternate_stack(const stack_t& alternate, std::uintptr_t sp) noexcept {
  const auto low = reinterpret_cast<std::uintptr_t>(alternate.ss_sp);
  const bool on_it = (alternate.ss_flags & SS_DISABLE) == 0 && sp - low < alternate.ss_size;
  return on_it ? low + alternate.ss_size : 0;
}

}  // namespace

const std::size_t stack_for_recording = 1536;
const bool unwinds_copies = true;

void prepare_recorder() noexcept {}

void record_stack(capture_slot& slot, const ucontext_t& context) noexcept {
  os::arch::save_registers(slot.registers, context);
  const std::uintptr_t sp = slot.registers[sp_register];
  // What the reporter knows; in other threads than the main one with the descriptor at its end.
  const auto descriptor = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
  const bool descriptor_inside = slot.low <= descriptor && descriptor < slot.high;
  const std::uintptr_t end =
      slot.high != 0 && !descriptor_inside ? slot.high : below_tls(descriptor);
  find_current_stack(slot, sp);
  const std::uintptr_t alternate_end = end_of_alternate_stack(context.uc_stack, sp);
  if (alternate_end != 0)
    copy_both_stacks(slot, sp, alternate_end, end);
  else
    copy_stack(slot, sp, end);
}

[[gnu::noinline]] void record_own_stack(capture_slot& slot) noexcept {
  ucontext_t context;
  getcontext(&context);
  context.uc_stack = {};  // which getcontext() leaves as it was
  record_stack(slot, context);
}

}  // namespace gmr::capture
