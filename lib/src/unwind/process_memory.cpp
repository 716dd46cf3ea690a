// The kernel copies, so that an address which is unmapped meanwhile is an error, not a crash.
#include "unwind/process_memory.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace gmr::unwind {
namespace {

// Some container policies forbid process_vm_readv even on oneself.
bool read_through_proc(std::uintptr_t address, std::span<std::byte> out) noexcept {
  const int fd = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(address));
  ::close(fd);
  return got == static_cast<ssize_t>(out.size());
}

}  // namespace

bool read_memory(std::uintptr_t address, std::span<std::byte> out) noexcept {
  if (out.empty()) return true;
  const iovec local{out.data(), out.size()};
  const iovec remote{reinterpret_cast<void*>(address), out.size()};
  const ssize_t got = ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0);
  if (got == static_cast<ssize_t>(out.size())) return true;
  return got < 0 && (errno == EPERM || errno == ENOSYS) && read_through_proc(address, out);
}

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

}  // namespace gmr::unwind
