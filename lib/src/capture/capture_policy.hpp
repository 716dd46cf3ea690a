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

}  // namespace gmr::capture
