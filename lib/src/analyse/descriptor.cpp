#include "analyse/descriptor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "os/file_status.hpp"
#include "os/file_text.hpp"
#include "os/memory.hpp"

namespace gmr::analyse {
namespace {

union any_address {
  sockaddr_storage storage;
  sockaddr plain;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un local;
};

std::string unix_path(const sockaddr_un& address, socklen_t size) {
  constexpr std::size_t before_path = offsetof(sockaddr_un, sun_path);
  if (size <= before_path) return {};
  std::string path{address.sun_path, std::min(size - before_path, sizeof address.sun_path)};
  if (path.front() == '\0') {  // in the abstract name space
    path.front() = '@';
    return path;
  }
  return path.substr(0, path.find('\0'));
}

std::string to_text(const any_address& address, socklen_t size) {
  std::array<char, INET6_ADDRSTRLEN> digits{};
  switch (address.plain.sa_family) {
    case AF_INET:
      inet_ntop(AF_INET, &address.v4.sin_addr, digits.data(), digits.size());
      return std::string{digits.data()} + ':' + std::to_string(ntohs(address.v4.sin_port));
    case AF_INET6:
      inet_ntop(AF_INET6, &address.v6.sin6_addr, digits.data(), digits.size());
      return '[' + std::string{digits.data()} + "]:" + std::to_string(ntohs(address.v6.sin6_port));
    case AF_UNIX:
      return unix_path(address.local, size);
    default:
      return {};
  }
}

int socket_option(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// The kernel takes no lock for these two that is held while it waits.
std::string describe_local(int descriptor) {
  std::string text = "unix";
  any_address address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, &address.plain, &size) == 0) {
    const std::string own = to_text(address, size);
    if (!own.empty()) text += ' ' + own;
  }
  if (socket_option(descriptor, SO_ACCEPTCONN) == 1) return text + " listening";
  size = sizeof address;
  if (getpeername(descriptor, &address.plain, &size) == 0) {
    const std::string peer = to_text(address, size);
    if (!peer.empty()) text += " - " + peer;
  }
  return text;
}

std::string describe_socket(int descriptor, socket_list& sockets) {
  const int family = socket_option(descriptor, SO_DOMAIN);
  if (family == AF_UNIX) return describe_local(descriptor);
  if (family != AF_INET && family != AF_INET6) return "socket";
  const bool is_udp = socket_option(descriptor, SO_TYPE) == SOCK_DGRAM;
  std::string text = is_udp ? "udp" : "tcp";
  struct stat status{};
  if (os::file_status(descriptor, status) != 0) return text;
  const auto found = is_udp ? sockets.find_udp(status.st_ino) : sockets.find_tcp(status.st_ino);
  if (found) text += ' ' + found->own_text();
  if (socket_option(descriptor, SO_ACCEPTCONN) == 1) return text + " listening";
  const std::string peer = found ? found->peer_text() : std::string{};
  return peer.empty() ? text : text + " - " + peer;
}

}  // namespace

std::string describe_connect(int descriptor, std::uint64_t address, std::uint64_t size,
                             socket_list& sockets) {
  std::string text = describe_descriptor(descriptor, sockets);
  any_address wanted{};
  const auto bytes = std::min<std::size_t>(size, sizeof wanted);
  if (!os::read_memory(address, std::as_writable_bytes(std::span{&wanted, 1}).first(bytes)))
    return text;
  const std::string peer = to_text(wanted, static_cast<socklen_t>(bytes));
  return peer.empty() || text.empty() ? text : text + " - " + peer;
}

std::string describe_descriptor(int descriptor, socket_list& sockets) {
  const os::file_text target = os::read_link("/proc/self/fd/" + std::to_string(descriptor));
  std::string_view text = target.content;
  if (text.starts_with("socket:")) return describe_socket(descriptor, sockets);
  if (text.starts_with("pipe:")) return "pipe";
  constexpr std::string_view anonymous = "anon_inode:";
  if (!text.starts_with(anonymous)) return std::string{text};
  text.remove_prefix(anonymous.size());
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return std::string{text};
}

}  // namespace gmr::analyse
