#include "sink/bare_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "sink/started_with.hpp"

namespace gmr::sinks {
namespace {

constexpr std::chrono::seconds most_patience{5};

}  // namespace

bare_output::bare_output(const bare_settings& set, std::string_view stamp,
                         bool may_use_file) noexcept {
  if (may_use_file && !set.log_dir.empty()) open_file(set, stamp);
  failed_ = !file_.is_open() && (!started_with_standard_error() || !errors_.is_open());
}

bare_output::~bare_output() {
  flush();
  if (!file_.is_open() || failed_ || !started_with_standard_error() || !errors_.is_open()) return;
  file_.close();
  say("gmr: raw report written to ");
  say({path_.data(), path_size_});
  say("\n");
}

// Goes on with standard error, and says there what has become of the beginning.
bool bare_output::leave_file(int error) noexcept {
  file_.close();
  if (!started_with_standard_error() || !errors_.is_open()) return false;
  std::array<char, 16> digits{};
  char* const end = std::to_chars(digits.begin(), digits.end(), error).ptr;
  say("gmr: the raw report goes on here, and begins in ");
  say({path_.data(), path_size_});
  say(", which can't be written to: error ");
  say({digits.data(), end});
  say("\n");
  return !failed_;
}

void bare_output::open_file(const bare_settings& set, std::string_view stamp) noexcept {
  std::array<char, 16> process{};
  char* const end = std::to_chars(process.begin(), process.end(), ::getpid()).ptr;
  bool fits = true;
  const auto add = [&](std::string_view text) {
    // One byte is left for the end of the string.
    const std::size_t copied = text.copy(path_.data() + path_size_, path_.size() - 1 - path_size_);
    path_size_ += copied;
    fits = fits && copied == text.size();
  };
  for (const std::string_view part :
       {std::string_view{set.log_dir}, std::string_view{"/"}, std::string_view{set.begin}, stamp,
        std::string_view{"_"}, std::string_view{process.data(), end}, std::string_view{"_raw."},
        set.extension})
    add(part);
  if (!fits) return;  // it would be another file
  file_ =
      os::descriptor{os::open_file(AT_FDCWD, path_.data(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                                   os::open_time::brief, S_IRUSR | S_IWUSR)};
}

void bare_output::write(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (size_ == buffer_.size()) flush();
    const std::size_t part = bytes.copy(buffer_.data() + size_, buffer_.size() - size_);
    size_ += part;
    bytes.remove_prefix(part);
  }
}

void bare_output::flush() noexcept {
  const std::size_t size = std::exchange(size_, 0);
  write_all({buffer_.data(), size});
}

void bare_output::write_all(std::string_view bytes) noexcept {
  clock::time_point end = clock::now() + most_patience;
  while (!bytes.empty() && !failed_) {
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};  // is only read
    const bool to_file = file_.is_open();
    const ssize_t written = to_file ? ::write(file_.number(), bytes.data(), bytes.size())
                                    : errors_.write_some({&piece, 1});
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      end = clock::now() + most_patience;
    } else if (written < 0 && errno == EINTR) {
      continue;
    } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && clock::now() < end) {
      pollfd ready{errors_.descriptor(), POLLOUT, 0};
      ::poll(&ready, 1, 20);
    } else if (!to_file || !leave_file(errno)) {
      failed_ = true;
    }
  }
}

}  // namespace gmr::sinks
