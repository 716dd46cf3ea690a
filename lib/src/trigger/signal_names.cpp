#include "trigger/signal_names.hpp"

#include <csignal>
#include <cstring>

namespace gmr::triggers {

std::string signal_name(int signal) {
  if (signal >= SIGRTMIN && signal <= SIGRTMAX)
    return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  if (const char* const name = ::sigabbrev_np(signal); name != nullptr)
    return std::string{"SIG"} + name;
  return "signal " + std::to_string(signal);
}

}  // namespace gmr::triggers
