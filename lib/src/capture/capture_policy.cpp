#include "capture/capture_policy.hpp"

#include <sys/syscall.h>

#include "capture/send_signal.hpp"
#include "trace/thread_registry.hpp"

namespace gmr::capture {
namespace {

const char* find_lack_of_room(pid_t id, const std::optional<blocked_syscall>& blocked,
                              const stack_bounds& main) {
  trace::thread_traits traits;
  if (trace::find_thread(id, traits) && traits.alternate.high != 0)
    return has_room_on({traits.alternate.low, traits.alternate.high}, blocked)
               ? nullptr
               : "too little of its alternate stack left for a signal";
  return has_room(id, blocked, main) ? nullptr
                                     : "too little stack for a signal, and no alternate stack";
}

}  // namespace

std::optional<signal_ban> find_signal_ban(pid_t id, const task_status& status,
                                          const std::optional<blocked_syscall>& blocked, int signal,
                                          const stack_bounds& main) {
  using enum capture_outcome;
  if (signal < 0) return signal_ban{not_signalled, "no capture signal"};
  if (status.state == 't' || status.state == 'T') return signal_ban{not_signalled, "stopped"};
  // A signal would stop it until its tracer says otherwise, perhaps for good.
  if (status.tracer != 0)
    return signal_ban{not_signalled, "traced by process " + std::to_string(status.tracer)};
  if ((status.blocked_signals >> (signal - 1) & 1U) != 0)
    return signal_ban{signal_blocked, "blocks the capture signal"};
  // The signal would stay pending until the wait is over: vfork, storage that does not answer.
  if (status.state == 'D') return signal_ban{not_signalled, "in an uninterruptible wait"};
  if (const char* const lack = find_lack_of_room(id, blocked, main)) {
    if (!thread_exists(id)) return signal_ban{exited, {}};
    return signal_ban{not_signalled, lack};
  }
  return std::nullopt;
}

bool is_momentary_ban(const thread_snapshot& thread) {
  return (thread.state == 'D' && thread.outcome == capture_outcome::not_signalled) ||
         (thread.state == 'R' && thread.outcome == capture_outcome::signal_blocked);
}

bool waits_for_memory(const thread_snapshot& thread) noexcept {
  if (thread.state != 'D' || !thread.syscall) return false;
  switch (thread.syscall->number) {
    case -1:  // not in a call: it has touched a page that is not there
    case SYS_brk:
    case SYS_madvise:
    case SYS_mmap:
    case SYS_mprotect:
    case SYS_mremap:
    case SYS_munmap:
      return true;
    default:
      return false;
  }
}

}  // namespace gmr::capture
