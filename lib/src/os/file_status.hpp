// fstat(2), which the C library makes of newer calls than some filters know.
#pragma once

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace gmr::os {

// As fstat(2): 0, or -1 and errno. Async-signal-safe.
[[nodiscard]] inline int file_status(int number, struct stat& status) noexcept {
  if (::fstat(number, &status) == 0) return 0;
  if (errno != EPERM && errno != ENOSYS) return -1;
  return static_cast<int>(::syscall(SYS_fstat, number, &status));
}

}  // namespace gmr::os
