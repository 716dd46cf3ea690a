#include "sink/error_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "os/file_status.hpp"

namespace gmr::sinks {

error_output::error_output() noexcept {
  struct stat status{};
  if (os::file_status(STDERR_FILENO, status) != 0) return;
  open_ = true;
  inode_ = status.st_ino;
  if (S_ISSOCK(status.st_mode)) {
    way_ = way::socket;
  } else if (S_ISFIFO(status.st_mode) || ::isatty(STDERR_FILENO) == 1) {
    own_ = os::descriptor{
        os::open_file(AT_FDCWD, "/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY)};
    way_ = own_.is_open() ? way::own_description : way::pieces;
  }
}

int error_output::descriptor() const noexcept {
  return own_.is_open() ? own_.number() : STDERR_FILENO;
}

ssize_t error_output::write_some(std::span<iovec> pieces) const noexcept {
  switch (way_) {
    case way::whole:
    case way::own_description:
      return ::writev(descriptor(), pieces.data(), static_cast<int>(pieces.size()));
    case way::socket: {
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = pieces.size();
      return ::sendmsg(STDERR_FILENO, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    case way::pieces:
      break;
  }
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(STDERR_FILENO, pieces.front().iov_base,
                 std::min<std::size_t>(pieces.front().iov_len, PIPE_BUF));
}

}  // namespace gmr::sinks
