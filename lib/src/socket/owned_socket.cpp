#include "socket/owned_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "os/file_status.hpp"
#include "os/fork.hpp"

namespace gmr::sockets {
namespace {

struct listed_socket {
  int number = -1;
  dev_t device = 0;
  ino_t inode = 0;
};

// Held while a socket is made and listed, so that no child has one that is not listed.
std::mutex listing;
constinit std::array<listed_socket, owned_socket::most> listed{};

void before_fork() noexcept {
  listing.lock();
}
void after_fork() noexcept {
  listing.unlock();
}
void close_in_child() noexcept {
  for (listed_socket& each : listed) {
    struct stat status{};
    if (each.number >= 0 && os::file_status(each.number, status) == 0 &&
        status.st_dev == each.device && status.st_ino == each.inode)
      ::close(each.number);
    each = {};
  }
  listing.unlock();
}

constexpr os::fork_actions sockets_when_forked{
    .before = before_fork, .in_parent = after_fork, .in_child = close_in_child};

}  // namespace

owned_socket owned_socket::make() noexcept {
  owned_socket made;
  if (!os::on_fork(os::fork_place::sockets, sockets_when_forked)) {
    errno = ENOMEM;
    return made;
  }
  const std::lock_guard lock{listing};
  made.take(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return made;
}

owned_socket owned_socket::accept(const owned_socket& listening) noexcept {
  owned_socket accepted;
  const int number = listening.number();
  if (number < 0) {
    errno = EBADF;
    return accepted;
  }
  const std::lock_guard lock{listing};
  accepted.take(os::accept_client(number));
  return accepted;
}

// With the lock.
void owned_socket::take(int number) noexcept {
  struct stat status{};
  if (number < 0) return;
  if (os::file_status(number, status) != 0) {
    const int error = errno;
    os::close_file(number);
    errno = error;
    return;
  }
  auto* const free = std::ranges::find(listed, -1, &listed_socket::number);
  if (free == listed.end()) {
    os::close_file(number);
    errno = EMFILE;
    return;
  }
  *free = {.number = number, .device = status.st_dev, .inode = status.st_ino};
  place_ = static_cast<std::size_t>(free - listed.begin());
  file_ = os::descriptor{number};
}

void owned_socket::close() noexcept {
  if (place_ == most) return;
  const std::lock_guard lock{listing};
  file_.close();
  listed[std::exchange(place_, most)] = {};
}

void owned_socket::swap(owned_socket& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(place_, other.place_);
}

}  // namespace gmr::sockets
