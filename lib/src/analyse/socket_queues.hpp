// What waits in the sockets that somebody waits for.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "gmr/model/report.hpp"
#include "os/files.hpp"

namespace gmr::analyse {

// Asks the kernel for the queues of single sockets, in ways that wait for no lock of a socket for
// the queue itself: a thread that is stuck in a call may hold it. The addresses by which a
// connection of TCP is asked for are another matter: since Linux 5.16 getsockname and getpeername
// wait for whoever holds the lock, for as long as the kernel works on that socket; a thread
// that waits for its peer has let go of it. Not synchronised.
class socket_queue_reader final {
 public:
  // Nothing where the descriptor is no socket of TCP or a local one.
  [[nodiscard]] std::optional<socket_queues> read(int descriptor);

  // Why the receive queues of connections are not known, in words; empty when they are.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  struct listed {
    std::uint64_t receive = 0;
    std::uint64_t send = 0;
  };

  [[nodiscard]] socket_queues connection(int descriptor, std::uint64_t inode);
  [[nodiscard]] bool ask(const void* request, std::size_t size, void* answer, std::size_t room);
  [[nodiscard]] std::optional<listed> tcp_by_netlink(int descriptor, std::uint64_t inode);
  [[nodiscard]] std::optional<listed> tcp_by_list(std::uint64_t inode);
  [[nodiscard]] std::optional<socket_queues> listening_unix(std::uint64_t inode);
  void read_lists();

  os::descriptor netlink_;
  bool was_opened_ = false;
  int netlink_error_ = 0;
  bool were_lists_read_ = false;
  std::map<std::uint64_t, listed> lists_;  // by inode
  std::string problem_;
};

// Fills in the queues of all waits and operations of the report whose descriptor is still what the
// report says it is. Ends after `longest`; whatever is not known then is one note.
void add_socket_queues(report& to, std::chrono::milliseconds longest);

}  // namespace gmr::analyse
