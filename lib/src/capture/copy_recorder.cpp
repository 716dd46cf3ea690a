// The backend that copies: unwinding is done later, elsewhere, from the copy. Runs in signal
// handlers; built without sanitizers.
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

}  // namespace

void record_stack(capture_slot& slot, const ucontext_t& context) noexcept {
  save_registers(slot, context);
  find_current_stack(slot, slot.registers[sp_register]);
  copy_stack(slot, slot.registers[sp_register],
             below_tls(reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer())));
}

[[gnu::noinline]] void record_own_stack(capture_slot& slot) noexcept {
  ucontext_t context;
  getcontext(&context);
  record_stack(slot, context);
}

}  // namespace gmr::capture
