#include "capture/signal_action.hpp"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#if defined(__x86_64__)
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
#endif

namespace gmr::capture {
namespace {

constexpr std::size_t kernel_mask_size = 8;

[[noreturn]] void fail(int error, int signal) {
  throw std::system_error(error, std::generic_category(), "signal " + signal_name(signal));
}

}  // namespace

bool kernel_action::has_handler() const noexcept {
  return handler != reinterpret_cast<std::uintptr_t>(SIG_DFL) &&
         handler != reinterpret_cast<std::uintptr_t>(SIG_IGN);
}

kernel_action get_action(int signal) {
  kernel_action action;
  if (syscall(SYS_rt_sigaction, signal, nullptr, &action, kernel_mask_size) != 0)
    fail(errno, signal);
  return action;
}

void set_action(int signal, const kernel_action& action) {
  if (syscall(SYS_rt_sigaction, signal, &action, nullptr, kernel_mask_size) != 0)
    fail(errno, signal);
}

kernel_action make_handler_action(signal_handler handler) {
  kernel_action action;
  action.handler = reinterpret_cast<std::uintptr_t>(handler);
  action.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  action.mask = ~0UL;
#if defined(__x86_64__)
  constexpr unsigned long has_restorer = 0x04000000;
  action.flags |= has_restorer;
  action.restorer = gmr_capture_restorer;
#endif
  return action;
}

kernel_action make_ignore_action() {
  kernel_action action;
  action.handler = reinterpret_cast<std::uintptr_t>(SIG_IGN);
  return action;
}

std::string signal_name(int signal) {
  const std::string number = " (" + std::to_string(signal) + ")";
  if (signal >= SIGRTMIN && signal <= SIGRTMAX)
    return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN) + number;
  const char* const name = sigabbrev_np(signal);
  return name != nullptr ? "SIG" + std::string{name} + number : std::to_string(signal);
}

int first_free_signal() {
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal)
    if (get_action(signal).handler == reinterpret_cast<std::uintptr_t>(SIG_DFL)) return signal;
  throw std::system_error(EBUSY, std::generic_category(),
                          "no free real-time signal for capturing threads");
}

}  // namespace gmr::capture
