// Files opened for a report. That a process has no descriptor left may be what the report is asked
// for: some are kept for that time.
//
// All functions are safe to call from any thread; none is async-signal-safe.
#pragma once

namespace gmr::capture {

// Takes what is missing of them, if there is any left. They stay open as long as the process.
void keep_spare_descriptors() noexcept;

// Files that stay open leave some of the spare ones to those that are read at once.
enum class open_time { brief, lasting };

// As openat(2) with O_CLOEXEC; where there is no descriptor left, with a spare one.
[[nodiscard]] int open_file(int directory, const char* path, int flags,
                            open_time time = open_time::brief) noexcept;

// As close(2); a spare one that was used is kept again.
void close_file(int descriptor) noexcept;

}  // namespace gmr::capture
