#include "analyse/socket_queues.hpp"

#include <linux/inet_diag.h>
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
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>
#include <string_view>

#include "os/errors.hpp"
#include "os/file_status.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

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

struct inet_request {
  nlmsghdr head;
  inet_diag_req_v2 body;
};

struct unix_request {
  nlmsghdr head;
  unix_diag_req body;
};

template <class Request>
void begin(Request& request) noexcept {
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
}

// Puts one end of the connection into the request. False for other families.
bool put_address(const sockaddr_storage& from, __be16& port, __be32 (&address)[4]) noexcept {
  if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    port = v4.sin_port;
    address[0] = v4.sin_addr.s_addr;
    return true;
  }
  if (from.ss_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &from, sizeof v6);
  port = v6.sin6_port;
  std::memcpy(&address[0], &v6.sin6_addr, sizeof v6.sin6_addr);
  return true;
}

// Since Linux 5.16 these two take the lock of a TCP socket, as describe_descriptor does.
bool make_inet_request(int descriptor, inet_request& request) noexcept {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
    return false;
  begin(request);
  request.body.sdiag_family = static_cast<std::uint8_t>(own.ss_family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0U;
  inet_diag_sockid& id = request.body.id;
  id.idiag_cookie[0] = any_cookie;
  id.idiag_cookie[1] = any_cookie;
  return put_address(own, id.idiag_sport, id.idiag_src) &&
         put_address(peer, id.idiag_dport, id.idiag_dst);
}

std::uint64_t hexadecimal(std::string_view text) noexcept {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

// The fields of a line of /proc/net/tcp, which are apart by one blank or more.
std::string_view next_field(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return texts::take_until(line, ' ');
}

}  // namespace

// The kernel answers such a request while it is sent. False where it does not know the socket, the
// kind of socket, or netlink is refused.
bool socket_queue_reader::ask(const void* request, std::size_t size, void* answer,
                              std::size_t room) {
  if (!was_opened_) {
    was_opened_ = true;
    netlink_ = os::descriptor{os::open_socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG)};
    netlink_error_ = netlink_.is_open() ? 0 : errno;
  }
  const int netlink = netlink_.number();
  if (netlink < 0) return false;
  if (::send(netlink, request, size, MSG_DONTWAIT) < 0) {
    netlink_error_ = errno;
    return false;
  }
  const ssize_t got = ::recv(netlink, answer, room, MSG_DONTWAIT);
  if (got < 0) netlink_error_ = errno;
  nlmsghdr head{};
  if (got < static_cast<ssize_t>(sizeof head)) return false;
  std::memcpy(&head, answer, sizeof head);
  nlmsgerr refused{};
  if (head.nlmsg_type == NLMSG_ERROR && got >= static_cast<ssize_t>(NLMSG_LENGTH(sizeof refused))) {
    std::memcpy(&refused, static_cast<const std::byte*>(answer) + NLMSG_HDRLEN, sizeof refused);
    netlink_error_ = -refused.error;
  }
  return head.nlmsg_type == SOCK_DIAG_BY_FAMILY;
}

std::optional<socket_queue_reader::listed> socket_queue_reader::tcp_by_netlink(
    int descriptor, std::uint64_t inode) {
  inet_request request{};
  if (!make_inet_request(descriptor, request)) return std::nullopt;
  std::array<std::byte, answer_bytes> answer;
  if (!ask(&request, sizeof request, answer.data(), answer.size())) return std::nullopt;
  inet_diag_msg found{};
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  if (found.idiag_inode != inode) return std::nullopt;
  return listed{.receive = found.idiag_rqueue, .send = found.idiag_wqueue};
}

// "0: 0100007F:1F90 0100007F:C0A8 01 00000000:00000000 00:00000000 00000000 1000 0 12345 ..."
void socket_queue_reader::read_lists() {
  constexpr std::size_t longest_list = 4U << 20U;
  were_lists_read_ = true;
  for (const std::string path : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    const os::file_text list = os::read_file(path, longest_list);
    const bool has_none = list.error == ENOENT && path.ends_with('6');  // no IPv6 here
    if (list.error != 0 && !has_none && problem_.empty())
      problem_ = "netlink: " + os::error_text(netlink_error_) + "; " + path + ": " +
                 os::error_text(list.error);
    if (list.truncated && problem_.empty())
      problem_ = "netlink: " + os::error_text(netlink_error_) + "; " + path +
                 " is longer than 4 MiB: not of those that come then";
    std::string_view rest = list.content;
    if (list.truncated) rest = rest.substr(0, rest.rfind('\n'));  // half a line is another inode
    static_cast<void>(texts::take_line(rest));                    // titles
    while (!rest.empty()) {
      std::string_view line = texts::take_line(rest);
      for (int skipped = 0; skipped < 4; ++skipped)
        static_cast<void>(next_field(line));
      std::string_view sizes = next_field(line);
      for (int skipped = 0; skipped < 4; ++skipped)
        static_cast<void>(next_field(line));
      const auto inode = texts::number_in(next_field(line));
      const std::uint64_t send = hexadecimal(texts::take_until(sizes, ':'));
      if (inode) lists_[*inode] = {.receive = hexadecimal(sizes), .send = send};
    }
  }
}

std::optional<socket_queue_reader::listed> socket_queue_reader::tcp_by_list(std::uint64_t inode) {
  if (!were_lists_read_) read_lists();
  const auto found = lists_.find(inode);
  return found == lists_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<socket_queues> socket_queue_reader::listening_unix(std::uint64_t inode) {
  unix_request request{};
  begin(request);
  request.body.sdiag_family = AF_UNIX;
  request.body.udiag_states = ~0U;
  request.body.udiag_ino = static_cast<std::uint32_t>(inode);
  request.body.udiag_show = UDIAG_SHOW_RQLEN;
  request.body.udiag_cookie[0] = any_cookie;
  request.body.udiag_cookie[1] = any_cookie;
  alignas(nlmsghdr) std::array<std::byte, answer_bytes> answer{};
  if (!ask(&request, sizeof request, answer.data(), answer.size())) return std::nullopt;
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
  std::optional<listed> found = tcp_by_netlink(descriptor, inode);
  if (!found && netlink_error_ != 0) found = tcp_by_list(inode);
  if (found) return {.receive_bytes = found->receive, .send_bytes = found->send};
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
