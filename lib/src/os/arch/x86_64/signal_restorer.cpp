// How a handler of ours returns.
#include "os/arch/machine.hpp"

// Returns from a handler. Debuggers know a signal frame by these very bytes, unwinders by the
// rules: at the label rsp points to a ucontext_t, where 40 + 8 * n is general register n. They look
// for rules at the byte before a return address: hence the nop. Without, they take those of
// whatever function happens to end there.
asm(R"(
.macro gmr_saved_register number, offset
  .cfi_escape 0x10, \number, 3, 0x77, (\offset & 0x7f) | 0x80, \offset >> 7 # expression: rsp + offset
.endm
.text
.balign 16
.hidden gmr_capture_restorer
.globl gmr_capture_restorer
.type gmr_capture_restorer, @function
  .cfi_startproc
  .cfi_signal_frame
  .cfi_escape 0x0f, 4, 0x77, 0xa0, 0x01, 0x06 # CFA: what rsp + 160 points to
  gmr_saved_register 8, 40
  gmr_saved_register 9, 48
  gmr_saved_register 10, 56
  gmr_saved_register 11, 64
  gmr_saved_register 12, 72
  gmr_saved_register 13, 80
  gmr_saved_register 14, 88
  gmr_saved_register 15, 96
  gmr_saved_register 5, 104 # rdi
  gmr_saved_register 4, 112 # rsi
  gmr_saved_register 6, 120 # rbp
  gmr_saved_register 3, 128 # rbx
  gmr_saved_register 1, 136 # rdx
  gmr_saved_register 0, 144 # rax
  gmr_saved_register 2, 152 # rcx
  gmr_saved_register 7, 160 # rsp
  gmr_saved_register 16, 168 # rip
  nop
gmr_capture_restorer:
  movq $15, %rax
  syscall
  .cfi_endproc
.size gmr_capture_restorer, .-gmr_capture_restorer
.purgem gmr_saved_register
)");
extern "C" void gmr_capture_restorer();

namespace gmr::os::arch {

auto signal_restorer() noexcept -> void (*)() {
  return gmr_capture_restorer;
}

}  // namespace gmr::os::arch
