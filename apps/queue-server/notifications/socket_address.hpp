// What stands for the subscriber where a WebSocket client subscribed itself. Clients can't name it:
// it is no URL that may be told.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace queue_server {

inline constexpr std::string_view socket_scheme = "websocket:";

[[nodiscard]] inline bool is_socket(std::string_view subscriber) noexcept {
  return subscriber.starts_with(socket_scheme);
}

// `worker` is the number of the process that has the connection.
[[nodiscard]] inline std::string address_of_socket(int worker, const std::string& id) {
  return std::string(socket_scheme) + std::to_string(worker) + ':' + id;
}

// -1: it has none.
[[nodiscard]] inline int worker_of_socket(std::string_view subscriber) noexcept {
  const std::string_view rest = subscriber.substr(socket_scheme.size());
  int number = -1;
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}

}  // namespace queue_server
