// Signal dispositions without the C library between: sanitizers replace its sigaction to defer
// handlers, and a deferred capture would show the wrong place.
#pragma once

#include <signal.h>

#include <cstdint>
#include <optional>

namespace gmr::capture {

// As the kernel keeps it.
struct kernel_action {
  std::uintptr_t handler = 0;  // SIG_DFL and SIG_IGN too
  unsigned long flags = 0;
  void (*restorer)() = nullptr;
  unsigned long mask = 0;

  [[nodiscard]] bool has_handler() const noexcept;
};

// Nothing when the kernel refuses. Async-signal-safe.
[[nodiscard]] std::optional<kernel_action> find_action(int signal) noexcept;

// Throw std::system_error naming the signal when the kernel refuses.
[[nodiscard]] kernel_action get_action(int signal);
void set_action(int signal, const kernel_action& action);

// The action for a handler on the alternate stack, calls restarted, all signals blocked meanwhile.
using signal_handler = void (*)(int, siginfo_t*, void*) noexcept;
[[nodiscard]] kernel_action make_handler_action(signal_handler handler);
[[nodiscard]] kernel_action make_ignore_action();

// The first real-time signal nobody uses; throws std::system_error when there is none.
[[nodiscard]] int first_free_signal();

}  // namespace gmr::capture
