#include "os/file_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <span>

#include "os/files.hpp"
#include "os/own_proc.hpp"

namespace gmr::os {
namespace {

// Reads until the end, an error or one byte beyond the limit.
int read_all(int from, std::string& content, std::size_t limit) {
  constexpr std::size_t step = 4096;
  while (content.size() <= limit) {
    const std::size_t old = content.size();
    content.resize(old + std::min(step, limit + 1 - old));
    const ssize_t got = ::read(from, content.data() + old, content.size() - old);
    const int error = errno;
    content.resize(old + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return 0;
    if (got < 0 && error != EINTR) return error;
  }
  return 0;
}

class brief_file final {
 public:
  explicit brief_file(const std::string& path)
      : number_(open_file(AT_FDCWD, path.c_str(), O_RDONLY)) {}
  ~brief_file() {
    if (number_ >= 0) close_file(number_);
  }
  brief_file(const brief_file&) = delete;
  brief_file& operator=(const brief_file&) = delete;
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

// With other ways where the first is refused, or where there is no /proc any more.
ssize_t read_link_once(const char* path, std::span<char> target) noexcept {
  ssize_t size = ::readlink(path, target.data(), target.size());
  if (size >= 0) return size;
  const int error = errno;
  if (error == EPERM || error == ENOSYS) {
    size = ::readlinkat(AT_FDCWD, path, target.data(), target.size());
  } else if (const char* const rest = within_own_proc(path); rest != nullptr && error == ENOENT) {
    const int proc = own_proc();
    if (proc >= 0) size = ::readlinkat(proc, rest, target.data(), target.size());
  }
  errno = error;
  return size;
}

}  // namespace

file_text read_file(const std::string& path, std::size_t limit) {
  file_text result;
  const brief_file file{path};
  if (file.number() < 0) {
    result.error = errno;
    return result;
  }
  result.error = read_all(file.number(), result.content, limit);
  if (result.content.size() > limit) {
    result.content.resize(limit);
    result.truncated = true;
  }
  return result;
}

file_text read_link(const std::string& path) {
  file_text result;
  std::array<char, PATH_MAX> target;
  const ssize_t size = read_link_once(path.c_str(), target);
  if (size < 0) {
    result.error = errno;
    return result;
  }
  result.content.assign(target.data(), static_cast<std::size_t>(size));
  result.truncated = result.content.size() == target.size();
  return result;
}

}  // namespace gmr::os
