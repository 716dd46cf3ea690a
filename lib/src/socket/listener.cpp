#include "socket/listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string_view>
#include <thread>

#include "os/errors.hpp"

namespace gmr::sockets {
namespace {

struct socket_address {
  sockaddr_un address{};
  socklen_t size = 0;

  // @NAME begins with a zero byte for the kernel, and has no end but its size.
  explicit socket_address(std::string_view text) {
    const std::size_t count = std::min(text.size(), sizeof address.sun_path - 1);
    address.sun_family = AF_UNIX;
    text.copy(address.sun_path, count);
    const bool is_abstract = text.starts_with('@');
    if (is_abstract) address.sun_path[0] = '\0';
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + count + (is_abstract ? 0 : 1));
  }
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&address);
  }
};

int bound(const owned_socket& socket, std::string_view address) noexcept {
  const socket_address to{address};
  return ::bind(socket.number(), to.get(), to.size) == 0 ? 0 : errno;
}

// Two processes that find one stale file must not replace each other's. The lock is an abstract
// address, which goes with its process. Who does not get it within a second does without.
class path_lock final {
 public:
  explicit path_lock(const std::string& path) : socket_(owned_socket::make()) {
    constexpr std::chrono::milliseconds pause{10};
    constexpr int most_tries = 100;
    const std::string name = "@gmr-" + std::to_string(::geteuid()) + '-' +
                             std::to_string(std::hash<std::string>{}(path));
    for (int tries = 0; tries < most_tries; ++tries) {
      if (!socket_.is_open() || bound(socket_, name) != EADDRINUSE) return;
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  owned_socket socket_;
};

// Returns an errno; ECONNREFUSED: there is nobody.
int try_to_connect(const std::string& path) noexcept {
  const owned_socket probe = owned_socket::make();
  if (!probe.is_open()) return errno;
  const socket_address to{path};
  return ::connect(probe.number(), to.get(), to.size) == 0 ? 0 : errno;
}

}  // namespace

std::string listener::open() {
  close();
  socket_ = owned_socket::make();
  std::string problem;
  if (!socket_.is_open())
    problem = os::error_text(errno);
  else
    problem = address_.starts_with('@') ? bind_name() : bind_path();
  if (problem.empty() && ::listen(socket_.number(), most_waiting) != 0)
    problem = os::error_text(errno);
  if (!problem.empty()) close();
  return problem;
}

std::string listener::bind_name() {
  const int error = bound(socket_, address_);
  if (error == 0) return {};
  return error == EADDRINUSE ? "another process answers there" : os::error_text(error);
}

// The file gets the mode that the socket has when it is bound, without what the umask takes away:
// at no time may others connect.
std::string listener::bind_path() {
  const path_lock lock{address_};
  if (std::string problem = make_room(); !problem.empty()) return problem;
  struct stat status{};
  int error = ::fchmod(socket_.number(), S_IRUSR | S_IWUSR) == 0 ? 0 : errno;
  if (error == 0) error = bound(socket_, address_);
  if (error == 0 && ::lstat(address_.c_str(), &status) != 0) error = errno;
  if (error != 0) return os::error_text(error);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return {};
}

// Removes a stale file.
std::string listener::make_room() const {
  struct stat status{};
  if (::lstat(address_.c_str(), &status) != 0)
    return errno == ENOENT ? std::string{} : os::error_text(errno);
  if (!S_ISSOCK(status.st_mode)) return "a file is there that is no socket";
  if (status.st_uid != ::geteuid()) return "the socket of another user is there";
  const int error = try_to_connect(address_);
  if (error == 0 || error == EAGAIN) return "another process answers there";
  if (error != ECONNREFUSED) return os::error_text(error);
  // Who has no lock may have put another there since.
  struct stat now{};
  if (::lstat(address_.c_str(), &now) != 0)
    return errno == ENOENT ? std::string{} : os::error_text(errno);
  if (now.st_dev != status.st_dev || now.st_ino != status.st_ino)
    return "another process answers there";
  return ::unlink(address_.c_str()) == 0 || errno == ENOENT ? std::string{} : os::error_text(errno);
}

void listener::close() noexcept {
  struct stat status{};
  if (inode_ != 0 && ::lstat(address_.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_)
    ::unlink(address_.c_str());
  inode_ = 0;
  socket_.close();
}

void listener::shut_down() noexcept {
  const int number = socket_.number();
  if (number >= 0) ::shutdown(number, SHUT_RDWR);
}

}  // namespace gmr::sockets
