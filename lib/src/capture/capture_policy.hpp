// Decides how a thread's stack may be had.
#pragma once

#include <optional>
#include <string>

#include "capture/snapshot.hpp"
#include "capture/stack_room.hpp"
#include "capture/task_files.hpp"

namespace gmr::capture {

// Why a thread must not be sent the capture signal.
struct signal_ban {
  capture_outcome outcome = capture_outcome::not_signalled;
  std::string reason;
};

// Nothing when the signal may be sent.
[[nodiscard]] std::optional<signal_ban> find_signal_ban(
    pid_t id, const task_status& status, const std::optional<blocked_syscall>& blocked, int signal,
    const stack_bounds& main);

// Most uninterruptible waits are over at once: for a page, for the lock of the address space. So is
// a signal handler that blocks all signals, as Asio's does: it is on its way out in the very thread
// that was told to report, and threads that make a thread block them too.
[[nodiscard]] bool is_momentary_ban(const thread_snapshot& thread);

// Whether the thread waits for memory rather than for a device or a child: that takes as long as
// others take who use the address space, the reporter among them.
[[nodiscard]] bool waits_for_memory(const thread_snapshot& thread) noexcept;

}  // namespace gmr::capture
