#include "analyse/sock_diag.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace gmr::analyse {

bool sock_diag::is_ready() {
  if (netlink_.is_open()) return true;
  if (is_refused_) return false;
  netlink_ = os::descriptor{os::open_socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG)};
  is_refused_ = !netlink_.is_open();
  if (is_refused_) error_ = errno;
  return !is_refused_;
}

bool sock_diag::ask(std::span<const std::byte> request) {
  if (!is_ready()) return false;
  if (::send(netlink_.number(), request.data(), request.size(), MSG_DONTWAIT) >= 0) return true;
  error_ = errno;
  return false;
}

std::span<const std::byte> sock_diag::answer(std::span<std::byte> room) {
  const ssize_t got = ::recv(netlink_.number(), room.data(), room.size(), MSG_DONTWAIT);
  if (got < 0) error_ = errno;
  return room.first(got < 0 ? 0 : static_cast<std::size_t>(got));
}

void sock_diag::give_up() noexcept {
  netlink_ = os::descriptor{};
}

}  // namespace gmr::analyse
