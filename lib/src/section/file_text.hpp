// Reads files of configuration and /proc as a whole, up to a limit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gmr::sections {

struct file_text {
  std::string content;
  int error = 0;  // errno when it could not be read: content is then what came before
  bool truncated = false;

  [[nodiscard]] bool ok() const noexcept { return error == 0; }
};

[[nodiscard]] file_text read_file(const std::string& path, std::size_t limit = 1 << 16);

// The text of an errno, thread-safe.
[[nodiscard]] std::string error_text(int error);

// The next line of `rest`, without its line break; takes it off `rest`.
[[nodiscard]] std::string_view take_line(std::string_view& rest);

// Without blanks, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace gmr::sections
