#include "capture/capture_policy.hpp"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/send_signal.hpp"
#include "trace/thread_registry.hpp"

namespace gmr::capture {
namespace {

// On the stack that the thread is on, be it a fiber's.
bool has_room_here(pid_t id, const trace::thread_traits& traits,
                   const std::optional<blocked_syscall>& blocked, const stack_bounds& main) {
  if (traits.fiber == 0) return has_room(id, blocked, main);
  constexpr std::uintptr_t guard = 4096;  // may be part of it
  return has_room_above({traits.low + guard, traits.high}, blocked);
}

const char* find_lack_of_room(pid_t id, const std::optional<blocked_syscall>& blocked,
                              const stack_bounds& main) {
  constexpr const char* lack = "too little stack for a signal, and no alternate stack";
  trace::thread_traits traits;
  if (!trace::find_thread(id, traits) || traits.alternate.high == 0)
    return has_room(id, blocked, main) ? nullptr : lack;
  const stack_bounds alternate{traits.alternate.low, traits.alternate.high};
  if (!has_room_on(alternate, blocked))
    return "too little of its alternate stack left for a signal";
  const bool is_on_it = blocked && alternate.contains(blocked->sp);
  if (traits.alternate.stays || is_on_it || has_room_here(id, traits, blocked, main))
    return nullptr;
  return "too little stack for a signal, and an alternate stack that the program may have taken "
         "away";
}

// Such a wait takes signals that the thread blocks as well as others, and hands them to the
// program.
bool waits_for_signal(const std::optional<blocked_syscall>& blocked, int signal) noexcept {
  if (!blocked || blocked->number != SYS_rt_sigtimedwait) return false;
  std::uint64_t awaited = 0;
  const iovec local{&awaited, sizeof awaited};
  const iovec remote{reinterpret_cast<void*>(blocked->arguments[0]), sizeof awaited};
  if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != sizeof awaited) return true;
  return (awaited >> (signal - 1) & 1U) != 0;
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
  if (waits_for_signal(blocked, signal))
    return signal_ban{signal_blocked, "waits for the capture signal itself"};
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
