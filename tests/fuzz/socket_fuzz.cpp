// libFuzzer target: any bytes as what a client of the socket sends.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "socket/connection.hpp"
#include "socket/listener.hpp"
#include "socket/orders.hpp"

namespace {

using gmr::sockets::connection;

const std::string address = "@gmr-fuzz-" + std::to_string(::getpid());

// A client that has said all of it.
int send_as_client(const std::uint8_t* data, std::size_t size) {
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  address.copy(name.sun_path, sizeof name.sun_path);
  name.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  if (::connect(client, reinterpret_cast<const sockaddr*>(&name), length) != 0) std::abort();
  static_cast<void>(!::send(client, data, size, MSG_NOSIGNAL | MSG_DONTWAIT));
  ::shutdown(client, SHUT_WR);
  return client;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static gmr::sockets::listener listens{address};
  static const bool is_open = listens.open().empty();
  if (!is_open) std::abort();
  const int client = send_as_client(data, size);
  const auto now = connection::clock::now();
  connection line{gmr::sockets::owned_socket::accept(listens.socket()), {}, now};
  while (line.now_in() == connection::state::reads)
    line.attend(POLLIN, now);
  if (line.now_in() == connection::state::is_asking) {
    const auto order = gmr::sockets::read_target(line.target(), {});
    const auto* const refused = std::get_if<gmr::sockets::refusal>(&order);
    if (refused != nullptr && refused->line.find_first_of("\r\n") != std::string::npos)
      std::abort();  // it would be taken for more of the head by who reads it
  }
  ::close(client);
  return 0;
}
