// What is known of a thread whose stack could not be had.
#pragma once

#include <string>

#include "capture/snapshot.hpp"

namespace gmr::analyse {

// "read(11, 0x7f0012345678, 1)": name and arguments, descriptors and counts as numbers, addresses
// in hexadecimal.
[[nodiscard]] std::string describe_call(const capture::blocked_syscall& call);

// "in read(11, 0x7f0012345678, 1); wait channel pipe_read": where the thread is in the kernel, when
// its stack is not known, or only in part; otherwise empty.
[[nodiscard]] std::string place_in_kernel(const capture::thread_snapshot& thread);

}  // namespace gmr::analyse
