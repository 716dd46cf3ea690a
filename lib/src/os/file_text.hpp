// Reads files of configuration and /proc as a whole, up to a limit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gmr::os {

struct file_text {
  std::string content;
  int error = 0;  // errno when it could not be read: content is then what came before
  bool truncated = false;

  [[nodiscard]] bool ok() const noexcept { return error == 0; }
};

[[nodiscard]] file_text read_file(const std::string& path, std::size_t limit = 1 << 16);

// The target of a symbolic link.
[[nodiscard]] file_text read_link(const std::string& path);

}  // namespace gmr::os
