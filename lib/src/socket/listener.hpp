// The socket that clients connect to.
#pragma once

#include <sys/types.h>

#include <string>

#include "socket/owned_socket.hpp"

namespace gmr::sockets {

// Not synchronised, except where something else is said.
class listener final {
 public:
  static constexpr int most_waiting = 64;  // clients that have not been accepted yet

  // `address`: an absolute path, or @NAME.
  explicit listener(std::string address) : address_(std::move(address)) {}
  ~listener() { close(); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  // Listens. A file that is a socket of the same user with nobody behind it is replaced; anything
  // else is left alone. The file is readable and writable for its user only, whatever the umask is.
  // Returns why not, or an empty string.
  [[nodiscard]] std::string open();

  // Removes the file while it is still the one that was made, and closes.
  void close() noexcept;

  // Who waits for a client returns, and none comes any more. Safe to call from any thread while
  // nobody opens or closes.
  void shut_down() noexcept;

  // Whether it listens: its descriptor is still ours. Costs a system call.
  [[nodiscard]] bool is_open() const noexcept { return socket_.number() >= 0; }
  [[nodiscard]] const owned_socket& socket() const noexcept { return socket_; }

 private:
  [[nodiscard]] std::string bind_path();
  [[nodiscard]] std::string bind_name();
  [[nodiscard]] std::string make_room() const;

  const std::string address_;
  owned_socket socket_;
  dev_t device_ = 0;  // of the file
  ino_t inode_ = 0;   // 0: there is none of ours
};

}  // namespace gmr::sockets
