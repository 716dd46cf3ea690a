// A client of the socket.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace gmr::test {

// Blocks; what does not come within a minute is taken for the end.
class socket_client {
 public:
  explicit socket_client(const std::string& address)
      : number_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address.copy(name.sun_path, sizeof name.sun_path - 1);
    const bool is_abstract = address.front() == '@';
    if (is_abstract) name.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                             (is_abstract ? 0 : 1));
    const timeval patience{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(number_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    error_ = ::connect(number_, reinterpret_cast<const sockaddr*>(&name), size) == 0 ? 0 : errno;
  }
  ~socket_client() { ::close(number_); }
  socket_client(socket_client&& other) noexcept
      : number_(std::exchange(other.number_, -1)), error_(other.error_) {}
  socket_client(const socket_client&) = delete;
  socket_client& operator=(const socket_client&) = delete;

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int number() const { return number_; }
  void send(std::string_view text) const {
    static_cast<void>(!::send(number_, text.data(), text.size(), MSG_NOSIGNAL));
  }
  // Up to the end.
  [[nodiscard]] std::string receive() const {
    std::string all;
    std::array<char, 65536> some;
    for (ssize_t count = 1; count > 0;) {
      count = ::recv(number_, some.data(), some.size(), 0);
      if (count > 0) all.append(some.data(), static_cast<std::size_t>(count));
    }
    return all;
  }

 private:
  int number_;
  int error_ = 0;
};

inline std::string ask(const std::string& address, const std::string& target) {
  const socket_client client{address};
  client.send("GET " + target + " HTTP/1.1\r\nHost: here\r\n\r\n");
  return client.receive();
}

// Once somebody listens there.
inline void wait_for_socket(const std::string& address) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (socket_client{address}.error() != 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "nobody listens at " << address;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

}  // namespace gmr::test
