#include "storage/sqlite/reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace queue_server::sqlite {

namespace {

// Twice what SQLite's log grows to before it is written back.
constexpr off_t room = off_t{8} * 1024 * 1024;

}  // namespace

reserve::reserve(const std::string& database)
    : path_(database == ":memory:" ? std::string() : database + "-reserve") {
  if (path_.empty() || take()) return;
  if (errno == ENOSPC || errno == EDQUOT) {
    spent_ = true;
  } else {
    path_.clear();
  }
}

reserve::~reserve() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

bool reserve::take() noexcept {
  const int file =
      ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (file < 0) return false;
  const bool taken = ::fallocate(file, 0, 0, room) == 0;
  const int why = errno;
  ::close(file);
  if (!taken) ::unlink(path_.c_str());  // a part of it would help nobody
  errno = why;
  return taken;
}

void reserve::spend() noexcept {
  if (path_.empty() || spent_) return;
  ::unlink(path_.c_str());
  spent_ = true;
}

void reserve::take_back() noexcept {
  if (spent_ && take()) spent_ = false;
}

}  // namespace queue_server::sqlite
