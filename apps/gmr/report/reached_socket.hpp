// The file of a socket, wherever its process sees it.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "report/process.hpp"

namespace gmr_command {

// Where an address is looked for.
struct address_origin {
  std::optional<pid_t> process;  // its root directory, which may be another; none: this command's
  // Whether that process has said it: a path that does not begin with '/' is then one of its
  // working directory, and otherwise of this command's.
  bool is_told = false;
};

// Held open, so that it stays the same file; links on the way lead to where they do for the
// process.
class reached_socket final {
 public:
  // `address`: a path, or @NAME.
  reached_socket(const std::string& address, const address_origin& origin);

  // An errno.
  [[nodiscard]] int error() const noexcept { return error_; }
  // What connect(2) takes. A path is that of the open file, which always has room.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // Of the file; nothing where there is none.
  [[nodiscard]] std::optional<struct stat> status() const;

 private:
  int error_ = 0;
  opened_file file_;
  std::string name_;
};

}  // namespace gmr_command
