// Sends the capture signal to one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace gmr::capture {

enum class send_result { sent, thread_gone, queue_full, refused };

// `payload` comes from slot_pool::arm.
[[nodiscard]] send_result send_capture_signal(pid_t thread, int signal,
                                              std::uint64_t payload) noexcept;

[[nodiscard]] bool thread_exists(pid_t thread) noexcept;

}  // namespace gmr::capture
