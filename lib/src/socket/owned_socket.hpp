// A socket of the server's own. A forked child closes it, for who waits at it would wait for ever
// there; a program that is executed does not have it.
#pragma once

#include <cstddef>

#include "os/files.hpp"

namespace gmr::sockets {

// The number is used only while it is still ours: see os::descriptor. Not synchronised.
class owned_socket final {
 public:
  static constexpr std::size_t most = 64;  // at the same time, in the process

  owned_socket() = default;
  // A new stream socket that never blocks; none, and errno, where it can't be had.
  [[nodiscard]] static owned_socket make() noexcept;
  // A client that waits; none, and errno.
  [[nodiscard]] static owned_socket accept(const owned_socket& listening) noexcept;
  ~owned_socket() { close(); }
  owned_socket(owned_socket&& other) noexcept { swap(other); }
  owned_socket& operator=(owned_socket&& other) noexcept {
    swap(other);
    return *this;
  }

  // Whether there is one. It may have been closed by the program since.
  [[nodiscard]] bool is_open() const noexcept { return file_.is_open(); }
  // -1 where it is not ours any more.
  [[nodiscard]] int number() const noexcept { return file_.number(); }
  void close() noexcept;

 private:
  void take(int number) noexcept;
  void swap(owned_socket& other) noexcept;

  os::descriptor file_;
  std::size_t place_ = most;  // in the list of those that a child closes
};

}  // namespace gmr::sockets
