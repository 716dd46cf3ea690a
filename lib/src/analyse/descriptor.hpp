// What a file descriptor is, in a few words. Asks the kernel only: names are never resolved.
#pragma once

#include <string>

namespace gmr::analyse {

// A path, "eventfd", "tcp 127.0.0.1:80 - 127.0.0.1:5112" (own and peer address), "unix /run/x";
// empty when it is closed.
[[nodiscard]] std::string describe_descriptor(int descriptor);

}  // namespace gmr::analyse
