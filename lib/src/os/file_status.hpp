// fstat(2) of the kernel itself. The C library makes it of newer calls than some filters know, and
// of a descriptor of the service's, which may be closed meanwhile, ThreadSanitizer would take that
// for a fault.
#pragma once

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace gmr::os {

// As fstat(2): 0, or -1 and errno. Async-signal-safe.
[[nodiscard]] inline int file_status(int number, struct stat& status) noexcept {
  if (::syscall(SYS_fstat, number, &status) == 0) return 0;
  if (errno != EPERM && errno != ENOSYS) return -1;
  return ::fstat(number, &status);
}

}  // namespace gmr::os
