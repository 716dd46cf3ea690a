// What waits in the sockets that somebody waits for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "analyse/sock_diag.hpp"
#include "analyse/socket_list.hpp"
#include "gmr/model/report.hpp"

namespace gmr::analyse {

// Asks the kernel for the queues of single sockets, in ways that wait for no lock of a socket: a
// thread that is stuck in a call may hold it. Not synchronised.
class socket_queue_reader final {
 public:
  // `sockets` outlives this. The queues of connections are as they were when it was read.
  explicit socket_queue_reader(socket_list& sockets) noexcept : sockets_(sockets) {}

  // Nothing where the descriptor is no socket of TCP or a local one.
  [[nodiscard]] std::optional<socket_queues> read(int descriptor);

 private:
  [[nodiscard]] socket_queues connection(int descriptor, std::uint64_t inode);
  [[nodiscard]] std::optional<socket_queues> listening_unix(std::uint64_t inode);

  socket_list& sockets_;
  sock_diag kernel_;
};

// Fills in the queues of all waits and operations of the report whose descriptor is still what the
// report says it is. Ends after `longest`; whatever is not known then is one note.
void add_socket_queues(report& to, socket_list& sockets, std::chrono::milliseconds longest);

}  // namespace gmr::analyse
