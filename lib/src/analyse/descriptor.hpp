// What a file descriptor is, in a few words. Asks the kernel only: names are never resolved.
#pragma once

#include <cstdint>
#include <string>

#include "analyse/socket_list.hpp"

namespace gmr::analyse {

// A path, "eventfd", "tcp 127.0.0.1:80 - 127.0.0.1:5112" (own and peer address), "unix /run/x";
// empty when it is closed. A socket of TCP or UDP whose addresses `sockets` does not know has none:
// other ways to them wait for threads that are in a call on it.
[[nodiscard]] std::string describe_descriptor(int descriptor, socket_list& sockets);

// The same of a socket that is being connected to the address in memory.
[[nodiscard]] std::string describe_connect(int descriptor, std::uint64_t address,
                                           std::uint64_t size, socket_list& sockets);

}  // namespace gmr::analyse
