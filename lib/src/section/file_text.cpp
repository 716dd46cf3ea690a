#include "section/file_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace gmr::sections {
namespace {

constexpr std::string_view blanks = " \t\r";

class descriptor final {
 public:
  explicit descriptor(const std::string& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

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

}  // namespace

file_text read_file(const std::string& path, std::size_t limit) {
  file_text result;
  const descriptor file{path};
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

std::string error_text(int error) {
  return std::generic_category().message(error);
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace gmr::sections
