// Conversations with sock_diag(7), by which the kernel tells of sockets without their locks.
#pragma once

#include <cstddef>
#include <span>

#include "os/files.hpp"

namespace gmr::analyse {

// A socket of netlink, opened when something is asked for first. Nothing here waits. Not
// synchronised.
class sock_diag final {
 public:
  // False where it is refused; error() says why.
  [[nodiscard]] bool ask(std::span<const std::byte> request);
  // What the kernel answers next; empty where nothing is there or reading fails.
  [[nodiscard]] std::span<const std::byte> answer(std::span<std::byte> room);
  // To be called where an answer is not read to its end: the kernel answers one question at a time.
  void give_up() noexcept;

  // Of what was refused last; an errno, 0 where nothing was.
  [[nodiscard]] int error() const noexcept { return error_; }
  void set_error(int error) noexcept { error_ = error; }

 private:
  [[nodiscard]] bool is_ready();

  os::descriptor netlink_;
  bool is_refused_ = false;
  int error_ = 0;
};

}  // namespace gmr::analyse
