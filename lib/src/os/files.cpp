#include "os/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

#include "os/file_status.hpp"
#include "os/own_proc.hpp"

namespace gmr::os {
namespace {

// A program may close what it does not know, and have the number for something else: ours are known
// by their device and inode.
struct spare_descriptor {
  std::atomic<int> number_and_one{0};  // 0: none
  std::atomic<dev_t> device{0};
  std::atomic<ino_t> inode{0};
};

constinit std::array<spare_descriptor, 8> spares;
constexpr std::size_t never_lasting = 2;  // the first ones
constinit std::atomic<bool> one_was_used{false};

void keep(spare_descriptor& spare) noexcept {
  int made = ::memfd_create("gmr-spare", MFD_CLOEXEC);
  if (made < 0) made = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);  // a filter may refuse it
  if (made < 0) return;
  struct stat status{};
  static_cast<void>(file_status(made, status));
  spare.device.store(status.st_dev, std::memory_order_relaxed);
  spare.inode.store(status.st_ino, std::memory_order_relaxed);
  spare.number_and_one.store(made + 1, std::memory_order_release);
}

// Whether there is a descriptor more now.
bool give_up(spare_descriptor& spare) noexcept {
  int taken = spare.number_and_one.load(std::memory_order_acquire);
  if (taken == 0) return false;
  // Before it is taken: another thread may keep a new one in its place at once.
  const dev_t device = spare.device.load(std::memory_order_relaxed);
  const ino_t inode = spare.inode.load(std::memory_order_relaxed);
  if (!spare.number_and_one.compare_exchange_strong(taken, 0)) return false;
  one_was_used.store(true, std::memory_order_relaxed);
  const int number = taken - 1;
  struct stat status{};
  if (file_status(number, status) != 0 || status.st_dev != device || status.st_ino != inode)
    return false;
  ::close(number);
  return true;
}

// Filters know openat for longer than its successor. Kernels before 5.6 have no such call.
int open_by_openat2(int directory, const char* path, int flags, mode_t mode) noexcept {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.mode = mode;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

// With other ways where the first is refused, or where there is no /proc any more. errno is what
// the first way said.
int open_once(int directory, const char* path, int flags, mode_t mode) noexcept {
  int opened = ::openat(directory, path, flags, mode);
  if (opened >= 0) return opened;
  const int error = errno;
  if (error == EPERM || error == ENOSYS) {
    opened = open_by_openat2(directory, path, flags, mode);
  } else if (const char* const rest = within_own_proc(path); rest != nullptr && error == ENOENT) {
    const int proc = own_proc();
    if (proc >= 0) opened = ::openat(proc, rest, flags, mode);
  }
  errno = error;
  return opened;
}

}  // namespace

void keep_spare_descriptors() noexcept {
  static constinit std::atomic_flag busy;
  if (busy.test_and_set(std::memory_order_acquire)) return;
  bool one_is_missing = false;
  for (spare_descriptor& each : spares) {
    if (each.number_and_one.load(std::memory_order_relaxed) == 0) keep(each);
    if (each.number_and_one.load(std::memory_order_relaxed) == 0) one_is_missing = true;
  }
  // Several may be in use at a time: with each that is closed one more can be kept again.
  if (one_is_missing) one_was_used.store(true, std::memory_order_relaxed);
  busy.clear(std::memory_order_release);
}

int open_file(int directory, const char* path, int flags, open_time time, mode_t mode) noexcept {
  int opened = open_once(directory, path, flags | O_CLOEXEC, mode);
  for (std::size_t i = time == open_time::brief ? 0 : never_lasting; i < spares.size(); ++i) {
    if (opened >= 0 || (errno != EMFILE && errno != ENFILE)) break;
    if (give_up(spares[i]))
      opened = open_once(directory, path, flags | O_CLOEXEC, mode);
    else
      errno = EMFILE;
  }
  return opened;
}

int open_sockets(int (&ends)[2]) noexcept {
  int error = 0;
  for (std::size_t next = 0; next <= spares.size(); ++next) {
    error = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
    if ((error != EMFILE && error != ENFILE) || next == spares.size()) break;
    give_up(spares[next]);
  }
  if (error != 0) return error;
  ::fcntl(ends[0], F_SETFL, O_RDWR | O_NONBLOCK);
  return 0;
}

int open_socket(int family, int type, int protocol) noexcept {
  int opened = ::socket(family, type | SOCK_CLOEXEC, protocol);
  for (spare_descriptor& each : spares) {
    if (opened >= 0 || (errno != EMFILE && errno != ENFILE)) break;
    if (give_up(each))
      opened = ::socket(family, type | SOCK_CLOEXEC, protocol);
    else
      errno = EMFILE;
  }
  return opened;
}

int accept_client(int listening) noexcept {
  constexpr int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  int accepted = ::accept4(listening, nullptr, nullptr, flags);
  for (std::size_t i = never_lasting; i < spares.size(); ++i) {
    if (accepted >= 0 || (errno != EMFILE && errno != ENFILE)) break;
    if (give_up(spares[i]))
      accepted = ::accept4(listening, nullptr, nullptr, flags);
    else
      errno = EMFILE;
  }
  return accepted;
}

int close_file(int descriptor) noexcept {
  const int error = ::close(descriptor) == 0 || errno == EINTR ? 0 : errno;
  if (one_was_used.exchange(false, std::memory_order_relaxed)) keep_spare_descriptors();
  return error;
}

descriptor::descriptor(int number) noexcept : number_(number) {
  struct stat status{};
  if (number < 0 || file_status(number, status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

int descriptor::number() const noexcept {
  struct stat status{};
  const bool is_ours = number_ >= 0 && file_status(number_, status) == 0 &&
                       status.st_dev == device_ && status.st_ino == inode_;
  return is_ours ? number_ : -1;
}

int descriptor::close() noexcept {
  if (number_ < 0) return 0;
  const int ours = number();
  number_ = -1;
  return ours < 0 ? EBADF : close_file(ours);
}

void descriptor::swap(descriptor& other) noexcept {
  std::swap(number_, other.number_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
}

directory_names::directory_names(int directory, const char* path) {
  const int number = open_file(directory, path, O_RDONLY | O_DIRECTORY);
  listing_ = number < 0 ? nullptr : ::fdopendir(number);
  if (listing_ != nullptr) return;
  error_ = errno;
  if (number >= 0) close_file(number);
}

directory_names::~directory_names() {
  if (listing_ == nullptr) return;
  ::closedir(listing_);
  keep_spare_descriptors();
}

const char* directory_names::next() noexcept {
  while (listing_ != nullptr) {
    errno = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this object's own
    const dirent* const entry = ::readdir(listing_);
    if (entry == nullptr) {
      error_ = errno;
      return nullptr;
    }
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") return entry->d_name;
  }
  return nullptr;
}

}  // namespace gmr::os
