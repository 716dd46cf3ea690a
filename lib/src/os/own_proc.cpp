#include "os/own_proc.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <string_view>

#include "os/file_status.hpp"
#include "os/files.hpp"
#include "os/fork.hpp"

namespace gmr::os {
namespace {

constexpr std::string_view own_path = "/proc/self/";

// Ours while all are as they were: the program may close what it does not know, and in a forked
// child it is the parent's.
struct kept_directory {
  std::atomic<int> number_and_one{0};  // 0: none
  std::atomic<pid_t> process{0};
  std::atomic<dev_t> device{0};
  std::atomic<ino_t> inode{0};
};
constinit kept_directory kept_proc;

// The child may be another user: what /proc tells of its parent is none of its business.
void forget_own_proc() noexcept {
  const int number = kept_proc.number_and_one.exchange(0, std::memory_order_relaxed) - 1;
  struct stat status{};
  if (number >= 0 && file_status(number, status) == 0 && status.st_dev == kept_proc.device.load() &&
      status.st_ino == kept_proc.inode.load())
    ::close(number);
}

constexpr fork_actions proc_when_forked{.in_child = forget_own_proc};

}  // namespace

int own_proc() noexcept {
  const int number = kept_proc.number_and_one.load(std::memory_order_acquire) - 1;
  struct stat status{};
  if (number < 0 || kept_proc.process.load(std::memory_order_relaxed) != ::getpid() ||
      file_status(number, status) != 0 ||
      status.st_dev != kept_proc.device.load(std::memory_order_relaxed) ||
      status.st_ino != kept_proc.inode.load(std::memory_order_relaxed))
    return -1;
  return number;
}

void keep_own_proc() noexcept {
  if (own_proc() >= 0 || !on_fork(fork_place::own_proc, proc_when_forked)) return;
  kept_proc.number_and_one.store(0, std::memory_order_relaxed);
  const int opened = open_file(AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY, open_time::lasting);
  struct stat status{};
  if (opened < 0 || file_status(opened, status) != 0) return;
  kept_proc.process.store(::getpid(), std::memory_order_relaxed);
  kept_proc.device.store(status.st_dev, std::memory_order_relaxed);
  kept_proc.inode.store(status.st_ino, std::memory_order_relaxed);
  kept_proc.number_and_one.store(opened + 1, std::memory_order_release);
}

const char* within_own_proc(const char* path) noexcept {
  return std::string_view{path}.starts_with(own_path) ? path + own_path.size() : nullptr;
}

bool proc_numbers_are_ours() noexcept {
  std::array<char, 16> target;
  const ssize_t size = ::readlink("/proc/self", target.data(), target.size());
  pid_t number = 0;
  if (size > 0) std::from_chars(target.data(), target.data() + size, number);
  return number == 0 || number == ::getpid();
}

}  // namespace gmr::os
