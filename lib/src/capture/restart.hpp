// Which system calls a handler cuts short although it is installed with SA_RESTART.
#pragma once

#include "capture/snapshot.hpp"

namespace gmr::capture {

// True when the kernel does not restart the call after a handler: the caller sees EINTR.
[[nodiscard]] bool is_never_restarted(const blocked_syscall& call) noexcept;

}  // namespace gmr::capture
