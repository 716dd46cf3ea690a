// Decides how a thread's stack may be had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "capture/snapshot.hpp"
#include "capture/stack_room.hpp"
#include "os/task_files.hpp"

namespace gmr::capture {

// Why a thread must not be sent the capture signal.
struct signal_ban {
  capture_outcome outcome = capture_outcome::not_signalled;
  std::string reason;
};

// The same without memory of its own; and what has to be known of the thread.
struct bare_ban {
  capture_outcome outcome = capture_outcome::not_signalled;
  const char* reason = "";  // a literal
};
struct signalled_thread {
  pid_t id = 0;
  char state = '?';
  pid_t tracer = 0;
  std::uint64_t blocked_signals = 0;
  // How far down the main thread's stack is mapped; 0: find out, which allocates.
  std::uintptr_t main_mapped = 0;
};

// Nothing when the signal may be sent. Memory must be readable. Allocates nothing where it is told
// of the main thread's stack.
[[nodiscard]] std::optional<bare_ban> find_bare_ban(const signalled_thread& who,
                                                    const std::optional<blocked_syscall>& blocked,
                                                    int signal, const stack_bounds& main);

// The same, also where memory can't be read.
[[nodiscard]] std::optional<signal_ban> find_signal_ban(
    pid_t id, const os::task_status& status, const std::optional<blocked_syscall>& blocked,
    int signal, const stack_bounds& main);

// Most uninterruptible waits are over at once: for a page, for the lock of the address space. So is
// a signal handler that blocks all signals, as Asio's does: it is on its way out in the very thread
// that was told to report, and threads that make a thread block them too.
[[nodiscard]] bool is_momentary_ban(const thread_snapshot& thread);

// Whether the thread waits for memory rather than for a device or a child: that takes as long as
// others take who use the address space, the reporter among them.
[[nodiscard]] bool waits_for_memory(const thread_snapshot& thread) noexcept;

}  // namespace gmr::capture
