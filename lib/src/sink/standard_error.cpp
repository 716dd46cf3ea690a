// Writing to a descriptor that others share, with a deadline. O_NONBLOCK belongs to the open file
// description, which the service's parent and siblings have too, so it is never set there: a pipe
// or terminal is opened once more for ourselves. Where that is not possible, pieces that fit are
// written when poll says so.
#include "sink/standard_error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <mutex>
#include <system_error>
#include <thread>

#include "sink/write_signals.hpp"

namespace gmr::sinks {
namespace {

using clock = std::chrono::steady_clock;

enum class way { whole, own_description, socket, pieces };

// A descriptor to write standard error's file with.
class output final {
 public:
  output() {
    struct stat status{};
    if (::fstat(STDERR_FILENO, &status) != 0) return;
    open_ = true;
    inode_ = status.st_ino;
    if (S_ISSOCK(status.st_mode)) {
      way_ = way::socket;
    } else if (S_ISFIFO(status.st_mode) || ::isatty(STDERR_FILENO) == 1) {
      own_ = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      way_ = own_ >= 0 ? way::own_description : way::pieces;
    }
  }
  ~output() {
    if (own_ >= 0) ::close(own_);
  }
  output(const output&) = delete;
  output& operator=(const output&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] ino_t inode() const noexcept { return inode_; }
  [[nodiscard]] int descriptor() const noexcept { return own_ >= 0 ? own_ : STDERR_FILENO; }

  ssize_t write_some(std::string_view bytes) const noexcept {
    switch (way_) {
      case way::whole:
      case way::own_description:
        return ::write(descriptor(), bytes.data(), bytes.size());
      case way::socket:
        return ::send(STDERR_FILENO, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      case way::pieces:
        break;
    }
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 0) {
      errno = EAGAIN;
      return -1;
    }
    return ::write(STDERR_FILENO, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
  }

 private:
  bool open_ = false;
  ino_t inode_ = 0;
  int own_ = -1;
  way way_ = way::whole;
};

// Threads of this process by a mutex, other processes by a record lock on the file itself: it is
// the one thing that all writers surely share. Gone with the process, never inherited by a fork.
class exclusive_access final {
 public:
  explicit exclusive_access(clock::time_point deadline) {
    for (auto pause = std::chrono::milliseconds{1};; pause = std::min(pause * 2, longest_pause)) {
      if (!mutex_held_) mutex_held_ = mutex().try_lock();
      if (mutex_held_) record_held_ = set(F_WRLCK) || !worth_waiting(errno);
      if (record_held_ || clock::now() >= deadline) return;
      std::this_thread::sleep_for(pause);
    }
  }
  ~exclusive_access() {
    if (record_held_) set(F_UNLCK);
    if (mutex_held_) mutex().unlock();
  }
  exclusive_access(const exclusive_access&) = delete;
  exclusive_access& operator=(const exclusive_access&) = delete;

  [[nodiscard]] bool complete() const noexcept { return record_held_; }

 private:
  static constexpr std::chrono::milliseconds longest_pause{20};

  // A forked child may inherit it locked for ever; it then writes after the deadline.
  static std::mutex& mutex() {
    static auto* const one = new std::mutex;
    return *one;
  }

  // A file that can't be locked at all is written without.
  static bool worth_waiting(int error) noexcept {
    return error == EAGAIN || error == EACCES || error == EINTR;
  }

  static bool set(short type) noexcept {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return ::fcntl(STDERR_FILENO, F_SETLK, &lock) == 0;
  }

  bool mutex_held_ = false;
  bool record_held_ = false;
};

std::string reason(int error) {
  return std::generic_category().message(error);
}

// Of one report, all its pieces together.
struct progress {
  clock::time_point last;
  clock::time_point end;
  std::chrono::milliseconds patience;
  std::size_t bytes = 0;
};

// Writes all of one piece; returns why not.
std::string write_all(const output& to, std::string_view bytes, progress& made) {
  while (!bytes.empty()) {
    const ssize_t written = to.write_some(bytes);
    const clock::time_point now = clock::now();
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      made.bytes += static_cast<std::size_t>(written);
      made.last = now;
      if (now >= made.end && !bytes.empty())
        return "standard error is read too slowly; the report was cut short";
    } else if (written < 0 && errno == EINTR) {
      continue;
    } else if (written == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      return "standard error: " + reason(written == 0 ? EIO : errno);
    } else if (now >= std::min(made.last + made.patience, made.end)) {
      return "nobody reads standard error; the report was cut short";
    } else {
      pollfd ready{to.descriptor(), POLLOUT, 0};
      ::poll(&ready, 1, 20);
    }
  }
  return {};
}

}  // namespace

std::string write_standard_error(std::initializer_list<std::string_view> pieces,
                                 std::chrono::milliseconds patience) {
  static std::atomic<ino_t> cut_short{0};  // the file that holds a report without its end
  const write_signals guard;
  const exclusive_access access{clock::now() + patience};
  const output to;
  if (!to.is_open()) return "standard error is closed";

  progress made{clock::now(), clock::now() + 6 * patience, patience};
  std::string error;
  // What follows a report that was cut begins on a line of its own.
  if (cut_short.load() == to.inode()) error = write_all(to, "\n", made);
  const bool again_cut = !error.empty();
  made.bytes = 0;
  for (const std::string_view piece : pieces) {
    if (error.empty()) error = write_all(to, piece, made);
  }
  if (!again_cut) cut_short.store(!error.empty() && made.bytes != 0 ? to.inode() : 0);
  if (error.empty() && !access.complete())
    error = "somebody else held the lock on standard error; written without it";
  return error;
}

}  // namespace gmr::sinks
