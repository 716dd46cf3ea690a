#include "capture/spare_descriptors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>

namespace gmr::capture {
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
  const int made = ::memfd_create("gmr-spare", MFD_CLOEXEC);
  if (made < 0) return;
  struct stat status{};
  ::fstat(made, &status);
  spare.device.store(status.st_dev, std::memory_order_relaxed);
  spare.inode.store(status.st_ino, std::memory_order_relaxed);
  spare.number_and_one.store(made + 1, std::memory_order_release);
}

// Whether there is a descriptor more now.
bool give_up(spare_descriptor& spare) noexcept {
  const int number = spare.number_and_one.exchange(0, std::memory_order_acquire) - 1;
  if (number < 0) return false;
  one_was_used.store(true, std::memory_order_relaxed);
  struct stat status{};
  if (::fstat(number, &status) != 0 ||
      status.st_dev != spare.device.load(std::memory_order_relaxed) ||
      status.st_ino != spare.inode.load(std::memory_order_relaxed))
    return false;
  ::close(number);
  return true;
}

}  // namespace

void keep_spare_descriptors() noexcept {
  static constinit std::atomic_flag busy;
  if (busy.test_and_set(std::memory_order_acquire)) return;
  for (spare_descriptor& each : spares)
    if (each.number_and_one.load(std::memory_order_relaxed) == 0) keep(each);
  busy.clear(std::memory_order_release);
}

int open_file(int directory, const char* path, int flags, open_time time) noexcept {
  int opened = ::openat(directory, path, flags | O_CLOEXEC);
  for (std::size_t i = time == open_time::brief ? 0 : never_lasting; i < spares.size(); ++i) {
    if (opened >= 0 || (errno != EMFILE && errno != ENFILE)) break;
    if (give_up(spares[i]))
      opened = ::openat(directory, path, flags | O_CLOEXEC);
    else
      errno = EMFILE;
  }
  return opened;
}

void close_file(int descriptor) noexcept {
  ::close(descriptor);
  if (one_was_used.exchange(false, std::memory_order_relaxed)) keep_spare_descriptors();
}

}  // namespace gmr::capture
