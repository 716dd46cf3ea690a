// A signal that must not end the process although nothing listens to it.
#include <cerrno>
#include <system_error>

#include "os/signals.hpp"
#include "os/trigger_handler.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {

void ignore_signal(int signal) {
  if (!os::catch_signal(signal))
    throw std::system_error(errno, std::generic_category(), os::signal_name(signal));
}

}  // namespace gmr::triggers
