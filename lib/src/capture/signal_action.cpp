#include "capture/signal_action.hpp"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "os/arch/machine.hpp"
#include "os/signals.hpp"

namespace gmr::capture {
namespace {

constexpr std::size_t kernel_mask_size = 8;

[[noreturn]] void fail(int error, int signal) {
  throw std::system_error(error, std::generic_category(),
                          "signal " + os::signal_name_and_number(signal));
}

}  // namespace

bool kernel_action::has_handler() const noexcept {
  return handler != reinterpret_cast<std::uintptr_t>(SIG_DFL) &&
         handler != reinterpret_cast<std::uintptr_t>(SIG_IGN);
}

std::optional<kernel_action> find_action(int signal) noexcept {
  kernel_action action;
  if (syscall(SYS_rt_sigaction, signal, nullptr, &action, kernel_mask_size) != 0)
    return std::nullopt;
  return action;
}

kernel_action get_action(int signal) {
  const std::optional<kernel_action> action = find_action(signal);
  if (!action) fail(errno, signal);
  return *action;
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
  action.flags |= os::arch::restorer_flag;
  action.restorer = os::arch::signal_restorer();
  return action;
}

kernel_action make_ignore_action() {
  kernel_action action;
  action.handler = reinterpret_cast<std::uintptr_t>(SIG_IGN);
  return action;
}

int first_free_signal() {
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal)
    if (get_action(signal).handler == reinterpret_cast<std::uintptr_t>(SIG_DFL)) return signal;
  throw std::system_error(EBUSY, std::generic_category(),
                          "no free real-time signal for capturing threads");
}

}  // namespace gmr::capture
