// Where the socket is.
#pragma once

#include <string>
#include <string_view>

namespace gmr::sockets {

struct resolved_address {
  std::string address;  // an absolute path, or @NAME for an abstract address
  std::string problem;  // why there is none; empty otherwise
};

// What the option `socket` means for this process. "auto" is SERVICE-PID-START.sock, where START is
// when the process began, in ticks since boot, in the directory that $RUNTIME_DIRECTORY or
// $XDG_RUNTIME_DIR names.
[[nodiscard]] resolved_address resolve_address(const std::string& option, std::string_view service);

}  // namespace gmr::sockets
