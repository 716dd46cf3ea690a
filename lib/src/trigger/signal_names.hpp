// Names of signals as people write them.
#pragma once

#include <string>

namespace gmr::triggers {

[[nodiscard]] std::string signal_name(int signal);  // "SIGUSR2", "SIGRTMIN+3"

}  // namespace gmr::triggers
