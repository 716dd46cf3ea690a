// The sockets of TCP and UDP that the kernel lists, by inode.
//
// getsockname and getpeername are not asked: since Linux 5.16 they wait for the socket's lock,
// which a thread holds for as long as it is inside a call on that socket.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analyse/sock_diag.hpp"

namespace gmr::analyse {

struct socket_end {
  std::array<std::byte, 16> address{};  // as the network has it; of IPv4 the first four
  std::uint16_t port = 0;
};

struct listed_socket {
  std::uint64_t inode = 0;
  int family = 0;
  int state = 0;  // TCP_LISTEN, ...
  socket_end own;
  socket_end peer;
  std::uint64_t receive_bytes = 0;
  std::uint64_t send_bytes = 0;

  // "127.0.0.1:80", "[::1]:80"
  [[nodiscard]] std::string own_text() const;
  // Empty where it is not connected.
  [[nodiscard]] std::string peer_text() const;
};

// Those of the reporter's network namespace, read by sock_diag or, where that is refused, from
// /proc/self/net. One object a report: what is not listed, as it was accepted since, is looked for
// again: a few times at once, then not so often that a tenth of the time goes into it. Not
// synchronised.
class socket_list final {
 public:
  socket_list();

  [[nodiscard]] std::optional<listed_socket> find_tcp(std::uint64_t inode) {
    return find(tcp_, inode);
  }
  [[nodiscard]] std::optional<listed_socket> find_udp(std::uint64_t inode) {
    return find(udp_, inode);
  }

  // Why sockets of TCP or UDP are not known, or not all of them; empty when they are.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  using clock = std::chrono::steady_clock;

  struct protocol {
    int number;
    const char* files[2];  // of IPv4 and IPv6
    std::deque<listed_socket> sockets{};
    clock::time_point next_reading{};
    int at_once = 4;  // readings before that matters
  };

  [[nodiscard]] std::optional<listed_socket> find(protocol& among, std::uint64_t inode);
  void read(protocol& all);
  [[nodiscard]] bool ask_kernel(protocol& all, int family);
  [[nodiscard]] bool take_messages(std::span<const std::byte> messages, protocol& all);
  void read_file(protocol& all, const char* file, int family);
  void take_line(std::string_view line, protocol& all, int family);
  [[nodiscard]] bool is_over();
  void tell(const std::string& problem);

  sock_diag kernel_;
  protocol tcp_;
  protocol udp_;
  clock::time_point end_{};  // of the reading that is going on
  std::string problem_;
};

}  // namespace gmr::analyse
