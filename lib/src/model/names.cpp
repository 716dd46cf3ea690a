// The words reports use for the enumerations of the model.
#include "gmr/model/threads.hpp"

namespace gmr {

std::string_view to_string(capture_outcome outcome) noexcept {
  switch (outcome) {
    case capture_outcome::ok:
      return "ok";
    case capture_outcome::truncated:
      return "truncated";
    case capture_outcome::exited:
      return "exited";
    case capture_outcome::signal_blocked:
      return "signal_blocked";
    case capture_outcome::timeout:
      return "timeout";
    case capture_outcome::unreadable:
      return "unreadable";
    case capture_outcome::not_signalled:
      return "not_signalled";
  }
  return "unreadable";
}

std::string_view to_string(green_thread_kind kind) noexcept {
  return kind == green_thread_kind::fiber ? "fiber" : "coroutine";
}

std::string_view to_string(green_thread_state state) noexcept {
  switch (state) {
    case green_thread_state::running:
      return "running";
    case green_thread_state::suspended:
      return "suspended";
    case green_thread_state::ready:
      return "ready";
  }
  return "suspended";
}

}  // namespace gmr
