// Sends the capture signal to one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "os/threads.hpp"

namespace gmr::capture {

enum class send_result { sent, thread_gone, queue_full, refused };

struct send_answer {
  send_result result = send_result::sent;
  int error = 0;        // of rt_tgsigqueueinfo, an errno
  int plain_error = 0;  // of tgkill, where that was tried, too
};

// By rt_tgsigqueueinfo, or where that is refused by tgkill. `payload` comes from slot_pool::arm.
[[nodiscard]] send_answer send_capture_signal(pid_t thread, int signal,
                                              std::uint64_t payload) noexcept;

using os::thread_exists;

}  // namespace gmr::capture
