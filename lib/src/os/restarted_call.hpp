// What restart_syscall goes on with.
#pragma once

#include "os/task_files.hpp"

namespace gmr::os {

// A wait with a time limit goes on as restart_syscall after SIGSTOP and SIGCONT, or a debugger's
// visit; the registers with its arguments are as they were. Returns its number: from the code in
// front of the program counter, which loads it, or else from what only its arguments can be.
// SYS_restart_syscall when neither tells.
[[nodiscard]] long find_restarted_call(const blocked_syscall& call) noexcept;

}  // namespace gmr::os
