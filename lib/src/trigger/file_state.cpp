#include "trigger/file_state.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "os/errors.hpp"

namespace gmr::triggers {
namespace {

bool is_missing(int error) noexcept {
  return error == ENOENT || error == ENOTDIR;
}

}  // namespace

file_state::file_state(std::filesystem::path file) : file_(std::move(file)) {}

int file_state::look(std::optional<file_identity>& seen) const noexcept {
  struct stat status{};
  if (::stat(file_.c_str(), &status) != 0) return errno;
  seen = file_identity{status.st_dev, status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  return 0;
}

file_state::change file_state::poll() {
  std::optional<file_identity> seen;
  const int error = look(seen);
  const int before = std::exchange(error_, error);
  change result;
  if (error == 0) {
    result.touched = known_ && seen != last_;
    last_ = seen;
    known_ = true;
    if (before != 0 && !is_missing(before))
      result.message = "the trigger file " + file_.string() + " can be watched again";
  } else if (is_missing(error)) {
    last_.reset();
    const bool gone = std::exchange(known_, true);
    if (!is_missing(before))
      result.message = "the trigger file " + file_.string() +
                       (gone ? " is gone" : " does not exist") +
                       "; a report is made when it appears";
  } else if (error != before) {
    result.message =
        "the trigger file " + file_.string() + " can't be watched: " + os::error_text(error);
  }
  return result;
}

}  // namespace gmr::triggers
