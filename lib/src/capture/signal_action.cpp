#include "capture/signal_action.hpp"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#if defined(__x86_64__)
// Returns from a handler. Unwinders and debuggers know a signal frame by these very bytes.
asm(R"(
.text
.balign 16
.hidden gmr_capture_restorer
.globl gmr_capture_restorer
.type gmr_capture_restorer, @function
gmr_capture_restorer:
  movq $15, %rax
  syscall
.size gmr_capture_restorer, .-gmr_capture_restorer
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
