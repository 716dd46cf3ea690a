// The stack of a blocked thread, read from outside: the thread itself does nothing for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "capture/capture_slot.hpp"
#include "capture/snapshot.hpp"
#include "os/task_files.hpp"

namespace gmr::capture {

// Copies at most `stack_bytes` above the sp of the system call that `thread.syscall` tells of into
// `slot`. `cpu_before` is the thread's CPU clock from before that was read: the copy is right only
// if the thread has not run since. When it has, the call is read anew, a few times. Returns the CPU
// clock at which the copy was surely right; nothing when there is none.
[[nodiscard]] std::optional<std::uint64_t> copy_from_outside(thread_snapshot& thread,
                                                             capture_slot& slot,
                                                             os::task_files& files,
                                                             std::uint64_t cpu_before,
                                                             std::size_t stack_bytes);

}  // namespace gmr::capture
