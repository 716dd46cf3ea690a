// The backend that copies: unwinding is done later, elsewhere, from the copy. Runs in signal
// handlers; built without sanitizers.
#include <signal.h>

#include "capture/current_stack.hpp"
#include "capture/stack_recorder.hpp"

namespace gmr::capture {
namespace {

#if defined(__x86_64__)
void save_registers(capture_slot& slot, const ucontext_t& context) noexcept {
  // In the order of DWARF register numbers.
  constexpr int order[register_count] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                         REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                         REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (unsigned i = 0; i < register_count; ++i)
    slot.registers[i] = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[order[i]]);
}
#else
void save_registers(capture_slot& slot, const ucontext_t& context) noexcept {
  for (unsigned i = 0; i < sp_register; ++i)
    slot.registers[i] = context.uc_mcontext.regs[i];
  slot.registers[sp_register] = context.uc_mcontext.sp;
  slot.registers[pc_register] = context.uc_mcontext.pc;
}
#endif

// The kernel says in the context which alternate stack the thread had; 0 when it was not on it.
std::uintptr_t end_of_alternate_stack(const stack_t& alternate, std::uintptr_t sp) noexcept {
  const auto low = reinterpret_cast<std::uintptr_t>(alternate.ss_sp);
  const bool on_it = (alternate.ss_flags & SS_DISABLE) == 0 && sp - low < alternate.ss_size;
  return on_it ? low + alternate.ss_size : 0;
}

}  // namespace

const std::size_t stack_for_recording = 1536;

void prepare_recorder() noexcept {}

void record_stack(capture_slot& slot, const ucontext_t& context) noexcept {
  save_registers(slot, context);
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
