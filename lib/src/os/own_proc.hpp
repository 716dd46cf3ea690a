// /proc/self, kept open. After chroot(2), or in a mount namespace that has no /proc, the path leads
// nowhere, but what was opened before still tells of this process.
//
// Where a /proc belongs to another PID namespace, its numbers are not those that system calls of
// this process use.
//
// All functions are safe to call from any thread; none is async-signal-safe.
#pragma once

#include <sys/types.h>

namespace gmr::os {

// Opens it where that has not been done, or the program has closed it since.
void keep_own_proc() noexcept;

// The descriptor while it is ours and this process's, otherwise -1.
[[nodiscard]] int own_proc() noexcept;

// What follows "/proc/self/" in a path; null when it is another path.
[[nodiscard]] const char* within_own_proc(const char* path) noexcept;

// Whether /proc numbers processes as this one's system calls do. True as well where there is none.
[[nodiscard]] bool proc_numbers_are_ours() noexcept;

}  // namespace gmr::os
