// How to write to standard error, which others share. O_NONBLOCK belongs to the open file
// description, which the service's parent and siblings have too, so it is never set there: a pipe
// or terminal is opened once more for ourselves. Where that is not possible, pieces that fit are
// written when poll says so.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <span>

#include "os/files.hpp"

namespace gmr::sinks {

// A descriptor to write standard error's file with. Allocates nothing. Not synchronised.
class error_output final {
 public:
  error_output() noexcept;
  error_output(const error_output&) = delete;
  error_output& operator=(const error_output&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] ino_t inode() const noexcept { return inode_; }
  // To wait for.
  [[nodiscard]] int descriptor() const noexcept;

  // As writev(2), but never waiting for a reader: EAGAIN then. A file gets all of it by one call,
  // so that what others append does not come in between.
  [[nodiscard]] ssize_t write_some(std::span<iovec> pieces) const noexcept;

 private:
  enum class way { whole, own_description, socket, pieces };

  bool open_ = false;
  ino_t inode_ = 0;
  os::descriptor own_;
  way way_ = way::whole;
};

}  // namespace gmr::sinks
