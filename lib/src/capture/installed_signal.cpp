#include "capture/installed_signal.hpp"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>

#include "capture/capture_handler.hpp"
#include "capture/stack_recorder.hpp"
#include "os/signals.hpp"

namespace gmr::capture {

installed_signal::installed_signal(int wanted) {
  if (wanted < 0) return;
  const int signal = wanted == 0 ? first_free_signal() : wanted;
  previous_ = get_action(signal);
  if (previous_.has_handler())
    throw std::system_error(
        EBUSY, std::generic_category(),
        "capture signal " + os::signal_name_and_number(signal) + " has a handler already");
  prepare_recorder();
  set_action(signal, make_handler_action(capture_handler));
  signal_ = signal;
}

installed_signal::~installed_signal() {
  if (usable() < 0) return;
  // Ignoring a signal discards those still pending, whose default action would end the process.
  set_action(signal_, make_ignore_action());
  set_action(signal_, previous_);
}

int installed_signal::usable() const noexcept {
  return has_capture_handler(signal_) ? signal_ : -1;
}

bool has_capture_handler(int signal) noexcept {
  if (signal < 0) return false;
  const std::optional<kernel_action> action = find_action(signal);
  return action && action->handler == reinterpret_cast<std::uintptr_t>(capture_handler);
}

}  // namespace gmr::capture
