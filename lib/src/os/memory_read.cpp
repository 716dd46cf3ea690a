// The part of os/memory that runs in signal handlers: system calls and atomics only. Built without
// sanitizers, and calls none of the functions that their runtimes stand in front of.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/memory.hpp"
#include "os/memory_state.hpp"

namespace gmr::os {

constinit memory_state memory_now;

namespace {

constexpr std::uintptr_t page = 4096;  // the smallest there is

pid_t this_process() noexcept {
  return static_cast<pid_t>(::syscall(SYS_getpid));
}

// What the call says of memory, and of the moment; all else is said of the call itself. Filters
// choose the errno: EPERM and ENOSYS are usual, not the only ones.
bool is_refusal(int error) noexcept {
  return error != EFAULT && error != EINVAL && error != ENOMEM && error != EINTR &&
         error != EAGAIN && error != EIO;
}

long call_process_vm_readv(std::span<const iovec> to, std::span<const iovec> from) noexcept {
  return ::syscall(SYS_process_vm_readv, this_process(), to.data(), to.size(), from.data(),
                   from.size(), 0UL);
}

// The kernel reads what it takes for a set of signals before it looks at what to do with it, which
// is nothing that exists.
bool may_read_word(std::uintptr_t address) noexcept {
  constexpr int nothing = -1;
  constexpr std::size_t word = 8;
  const long done = ::syscall(SYS_rt_sigprocmask, nothing, address & ~(word - 1), nullptr, word);
  return done == 0 || errno != EFAULT;
}

// Through /proc/self/mem one can also read pages that are protected from it, as guard pages are:
// those must end a copy here as they do with process_vm_readv.
std::size_t readable_size(std::uintptr_t from, std::size_t size) noexcept {
  std::size_t done = 0;
  while (done < size) {
    const std::uintptr_t at = from + done;
    if (!may_read_word(at)) return done;
    done += page - at % page;
  }
  return size;
}

std::size_t read_part(int file, const iovec& to, std::uintptr_t from) noexcept {
  const std::size_t wanted = readable_size(from, to.iov_len);
  std::size_t done = 0;
  while (done < wanted) {
    const long got = ::syscall(SYS_pread64, file, static_cast<std::byte*>(to.iov_base) + done,
                               wanted - done, static_cast<long>(from + done));
    if (got < 0 && is_refusal(errno)) memory_now.file_error.store(errno, std::memory_order_relaxed);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t read_through(int file, std::span<const iovec> to,
                         std::span<const iovec> from) noexcept {
  std::size_t done = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::size_t got =
        read_part(file, to[i], reinterpret_cast<std::uintptr_t>(from[i].iov_base));
    done += got;
    if (got < to[i].iov_len) break;
  }
  return done;
}

std::size_t read_from_file(std::span<const iovec> to, std::span<const iovec> from) noexcept {
  if (const int kept = kept_memory_file(); kept >= 0) return read_through(kept, to, from);
  const auto file =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0));
  if (file < 0) {
    memory_now.file_error.store(errno, std::memory_order_relaxed);
    return 0;
  }
  const std::size_t done = read_through(file, to, from);
  ::syscall(SYS_close, file);
  return done;
}

}  // namespace

int kept_memory_file() noexcept {
  const int file = memory_now.file_and_one.load(std::memory_order_acquire) - 1;
  struct stat status{};
  if (file < 0 || memory_now.process.load(std::memory_order_relaxed) != this_process() ||
      ::syscall(SYS_fstat, file, &status) != 0 ||
      status.st_dev != memory_now.device.load(std::memory_order_relaxed) ||
      status.st_ino != memory_now.inode.load(std::memory_order_relaxed))
    return -1;
  return file;
}

int try_process_vm_readv() noexcept {
  char there = 0;
  char copy = 0;
  const iovec to{&copy, 1};
  const iovec from{&there, 1};
  return call_process_vm_readv({&to, 1}, {&from, 1}) == 1 ? 0 : errno;
}

std::size_t read_parts(std::span<const iovec> to, std::span<const iovec> from) noexcept {
  if (memory_now.call_error.load(std::memory_order_relaxed) == 0) {
    const long got = call_process_vm_readv(to, from);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!is_refusal(errno)) return 0;
    memory_now.call_error.store(errno, std::memory_order_relaxed);
  }
  return read_from_file(to, from);
}

std::size_t read_bytes(std::uintptr_t address, std::span<std::byte> out) noexcept {
  const iovec to{out.data(), out.size()};
  const iovec from{reinterpret_cast<void*>(address), out.size()};
  return read_parts({&to, 1}, {&from, 1});
}

bool read_memory(std::uintptr_t address, std::span<std::byte> out) noexcept {
  return out.empty() || read_bytes(address, out) == out.size();
}

bool is_readable(std::uintptr_t from, std::size_t size) noexcept {
  return readable_size(from, size) == size;
}

}  // namespace gmr::os
