#include "analyse/socket_queues.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <span>

#include "os/file_status.hpp"

namespace gmr::analyse {
namespace {

constexpr std::size_t answer_bytes = 1024;
constexpr std::uint32_t any_cookie = ~0U;

int option_or(int descriptor, int option, int otherwise) noexcept {
  int found = 0;
  socklen_t size = sizeof found;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &found, &size) == 0 ? found : otherwise;
}

std::optional<std::uint64_t> queue_by_ioctl(int descriptor, unsigned long which) noexcept {
  int size = 0;
  // Of the kernel itself: the service may close it meanwhile, which is no fault, though
  // ThreadSanitizer would take it for one.
  if (::syscall(SYS_ioctl, descriptor, which, &size) != 0 || size < 0) return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

// Of a socket that listens the kernel fills these two in, before it would take the socket's lock.
std::optional<socket_queues> listening_tcp(int descriptor) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (info.tcpi_state != TCP_LISTEN) return std::nullopt;
  return socket_queues{.connections = info.tcpi_unacked, .backlog = info.tcpi_sacked};
}

struct unix_request {
  nlmsghdr head;
  unix_diag_req body;
};

}  // namespace

std::optional<socket_queues> socket_queue_reader::listening_unix(std::uint64_t inode) {
  unix_request request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = AF_UNIX;
  request.body.udiag_states = ~0U;
  request.body.udiag_ino = static_cast<std::uint32_t>(inode);
  request.body.udiag_show = UDIAG_SHOW_RQLEN;
  request.body.udiag_cookie[0] = any_cookie;
  request.body.udiag_cookie[1] = any_cookie;
  std::array<std::byte, answer_bytes> room{};
  if (!kernel_.ask(std::as_bytes(std::span{&request, 1}))) return std::nullopt;
  const std::span<const std::byte> answer = kernel_.answer(room);
  nlmsghdr head{};
  constexpr std::size_t whole =
      NLMSG_LENGTH(sizeof(unix_diag_msg)) + RTA_LENGTH(sizeof(unix_diag_rqlen));
  if (answer.size() < whole) return std::nullopt;
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  rtattr attribute{};
  constexpr std::size_t at = NLMSG_LENGTH(sizeof(unix_diag_msg));
  std::memcpy(&attribute, answer.data() + at, sizeof attribute);
  if (attribute.rta_type != UNIX_DIAG_RQLEN) return std::nullopt;
  unix_diag_rqlen lengths{};
  std::memcpy(&lengths, answer.data() + at + RTA_LENGTH(0), sizeof lengths);
  return socket_queues{.connections = lengths.udiag_rqueue, .backlog = lengths.udiag_wqueue};
}

// SIOCINQ of TCP waits for the socket's lock, SIOCOUTQ does not.
socket_queues socket_queue_reader::connection(int descriptor, std::uint64_t inode) {
  if (const auto found = sockets_.find_tcp(inode))
    return {.receive_bytes = found->receive_bytes, .send_bytes = found->send_bytes};
  return {.send_bytes = queue_by_ioctl(descriptor, SIOCOUTQ)};
}

std::optional<socket_queues> socket_queue_reader::read(int descriptor) {
  const int family = option_or(descriptor, SO_DOMAIN, AF_UNSPEC);
  const bool is_tcp = (family == AF_INET || family == AF_INET6) &&
                      option_or(descriptor, SO_PROTOCOL, 0) == IPPROTO_TCP;
  if (!is_tcp && family != AF_UNIX) return std::nullopt;
  struct stat status{};
  if (os::file_status(descriptor, status) != 0) return std::nullopt;
  const bool listens = option_or(descriptor, SO_ACCEPTCONN, 0) == 1;
  if (is_tcp) return listens ? listening_tcp(descriptor) : connection(descriptor, status.st_ino);
  if (listens) return listening_unix(status.st_ino);
  return socket_queues{.receive_bytes = queue_by_ioctl(descriptor, SIOCINQ),
                       .send_bytes = queue_by_ioctl(descriptor, SIOCOUTQ)};
}

}  // namespace gmr::analyse
