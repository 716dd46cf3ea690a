// See memory.hpp; what signal handlers need of it is in memory_read.cpp.
#include "os/memory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "os/errors.hpp"
#include "os/file_status.hpp"
#include "os/files.hpp"
#include "os/fork.hpp"
#include "os/memory_state.hpp"

namespace gmr::os {
namespace {

// The child may be another user: what its parent's memory holds is none of its business.
void forget_memory_file() noexcept {
  memory_now.process.store(::getpid(), std::memory_order_relaxed);
  const int file = kept_memory_file();
  memory_now.file_and_one.store(0, std::memory_order_relaxed);
  if (file >= 0) ::close(file);
}

void keep_memory_file() noexcept {
  if (kept_memory_file() >= 0) return;
  memory_now.file_and_one.store(0, std::memory_order_relaxed);
  const int file = open_file(AT_FDCWD, "/proc/self/mem", O_RDONLY, open_time::lasting);
  if (file < 0) return memory_now.file_error.store(errno, std::memory_order_relaxed);
  struct stat status{};
  static_cast<void>(file_status(file, status));
  memory_now.process.store(::getpid(), std::memory_order_relaxed);
  memory_now.device.store(status.st_dev, std::memory_order_relaxed);
  memory_now.inode.store(status.st_ino, std::memory_order_relaxed);
  memory_now.file_and_one.store(file + 1, std::memory_order_release);
}

constexpr fork_actions when_forked{.in_child = forget_memory_file};

}  // namespace

std::string read_string(std::uintptr_t address, std::size_t limit) {
  std::string text;
  std::array<std::byte, 256> chunk;
  while (text.size() < limit) {
    // Chunks never straddle their own size, hence never a page: the next page may not exist.
    const std::size_t size = std::min(chunk.size() - address % chunk.size(), limit - text.size());
    if (!read_memory(address, std::span{chunk}.first(size))) break;
    const auto* const begin = reinterpret_cast<const char*>(chunk.data());
    const auto* const end = static_cast<const char*>(std::memchr(begin, 0, size));
    text.append(begin, end != nullptr ? static_cast<std::size_t>(end - begin) : size);
    if (end != nullptr) break;
    address += size;
  }
  return text;
}

// A filter may have been installed since the last report, and each thread may have one of its own:
// so the call is tried anew, and what another thread has met with is forgotten.
void prepare_memory() noexcept {
  const int error = try_process_vm_readv();
  memory_now.call_error.store(error, std::memory_order_relaxed);
  memory_now.file_error.store(0, std::memory_order_relaxed);
  if (error == 0) return;
  if (on_fork(fork_place::memory, when_forked)) keep_memory_file();
  const char there = 0;
  static_cast<void>(read_memory<char>(reinterpret_cast<std::uintptr_t>(&there)));  // or it says why
}

std::string why_memory_is_unreadable() {
  const int call = memory_now.call_error.load(std::memory_order_relaxed);
  const int file = memory_now.file_error.load(std::memory_order_relaxed);
  if (call == 0 || file == 0) return {};
  return "process_vm_readv: " + error_text(call) + "; /proc/self/mem: " + error_text(file);
}

}  // namespace gmr::os
