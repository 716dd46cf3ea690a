// The capture signal with our handler, for as long as this lives. Not async-signal-safe.
#pragma once

#include "capture/signal_action.hpp"

namespace gmr::capture {

class installed_signal final {
 public:
  // 0: the first free real-time signal; negative: none. Throws std::system_error when the signal
  // has a handler already.
  explicit installed_signal(int wanted);
  ~installed_signal();
  installed_signal(const installed_signal&) = delete;
  installed_signal& operator=(const installed_signal&) = delete;

  [[nodiscard]] int number() const noexcept { return signal_; }  // -1: none
  // The same, and -1 also when somebody has replaced our handler.
  [[nodiscard]] int usable() const noexcept;

 private:
  int signal_ = -1;
  kernel_action previous_;
};

// Whether the signal still has our handler: the program may have replaced it, and what stands there
// by default ends the process. Async-signal-safe.
[[nodiscard]] bool has_capture_handler(int signal) noexcept;

}  // namespace gmr::capture
