// Writing to standard error as one piece, with a deadline.
#include "sink/standard_error.hpp"

#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <span>
#include <vector>

#include "os/errors.hpp"
#include "sink/error_output.hpp"
#include "sink/started_with.hpp"
#include "sink/write_lock.hpp"
#include "sink/write_signals.hpp"

namespace gmr::sinks {
namespace {

using clock = std::chrono::steady_clock;

std::string reason(int error) {
  return os::error_text(error);
}

iovec io_vector(std::string_view bytes) noexcept {
  return {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};  // is only read
}

// Of one report, all its pieces together.
struct progress {
  clock::time_point last;
  clock::time_point end;
  std::chrono::milliseconds patience;
  std::size_t bytes = 0;
};

std::span<iovec> without_first(std::span<iovec> pieces, std::size_t bytes) noexcept {
  while (!pieces.empty() && bytes >= pieces.front().iov_len) {
    bytes -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (bytes != 0) {
    iovec& first = pieces.front();
    first.iov_base = static_cast<char*>(first.iov_base) + bytes;
    first.iov_len -= bytes;
  }
  return pieces;
}

// Returns why not all of it could be written.
std::string write_all(const error_output& to, std::span<iovec> pieces, progress& made) {
  pieces = without_first(pieces, 0);
  while (!pieces.empty()) {
    const ssize_t written = to.write_some(pieces);
    const clock::time_point now = clock::now();
    if (written > 0) {
      pieces = without_first(pieces, static_cast<std::size_t>(written));
      made.bytes += static_cast<std::size_t>(written);
      made.last = now;
      if (now >= made.end && !pieces.empty())
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
  if (!started_with_standard_error())
    return "standard error was closed when the program was started";
  const write_signals guard;
  const write_lock lock{clock::now() + patience};
  const error_output to;
  if (!to.is_open()) return "standard error is closed";

  // What follows a report that was cut begins on a line of its own.
  const std::string_view new_line = cut_short.load() == to.inode() ? "\n" : "";
  std::vector<iovec> all{io_vector(new_line)};
  for (const std::string_view piece : pieces)
    all.push_back(io_vector(piece));

  progress made{clock::now(), clock::now() + 6 * patience, patience};
  std::string error = write_all(to, all, made);
  if (made.bytes >= new_line.size())
    cut_short.store(!error.empty() && made.bytes != new_line.size() ? to.inode() : 0);
  if (error.empty() && !lock.held())
    error = "another process did not finish what it writes to standard error; written in between";
  return error;
}

}  // namespace gmr::sinks
