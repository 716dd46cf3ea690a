// What a blocked thread's stack begins with.
#pragma once

#include "gmr/model/stack.hpp"

namespace gmr::analyse {

// Leaves out the innermost frames of a thread that is blocked in the kernel which are only the C
// library's way into it: those that every cancellable call goes through since glibc 2.41
// (__syscall_cancel_arch and its callers), and local functions without a name where the debug
// information of the C library is not installed. Frame 0 is then the call that was made:
// epoll_wait, read, pthread_cond_wait. Nothing is left out where the program's own code follows.
void begin_with_call(stack& blocked);

}  // namespace gmr::analyse
