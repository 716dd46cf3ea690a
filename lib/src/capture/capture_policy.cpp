#include "capture/capture_policy.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include "capture/send_signal.hpp"
#include "hook/threads/thread_registry.hpp"
#include "os/memory.hpp"

namespace gmr::capture {
namespace {

// On the stack that the thread is on, be it a fiber's.
bool has_room_here(pid_t id, const trace::thread_traits& traits,
                   const std::optional<blocked_syscall>& blocked, const stack_bounds& main,
                   std::uintptr_t main_mapped) {
  if (traits.fiber == 0) return has_room(id, blocked, main, main_mapped);
  constexpr std::uintptr_t guard = 4096;  // may be part of it
  return has_room_above({traits.low + guard, traits.high}, blocked);
}

// An alternate stack of the program's own, or one that was switched by means we do not see.
const char* reason_of_lack(pid_t id, const std::optional<blocked_syscall>& blocked,
                           const stack_bounds& main) {
  const stack_bounds own = id == getpid() ? main : stack_of(id);
  if (blocked && own.high != 0 && !own.contains(blocked->sp))
    return "it is on another stack than its own, of which nobody knows how much is left";
  return "too little stack for a signal, and no alternate stack";
}

const char* find_lack_of_room(pid_t id, const std::optional<blocked_syscall>& blocked,
                              const stack_bounds& main, std::uintptr_t main_mapped) {
  trace::thread_traits traits;
  if (!trace::find_thread(id, traits) || traits.alternate.high == 0)
    return has_room(id, blocked, main, main_mapped) ? nullptr : reason_of_lack(id, blocked, main);
  const stack_bounds alternate{traits.alternate.low, traits.alternate.high};
  if (!has_room_on(alternate, blocked))
    return "too little of its alternate stack left for a signal";
  const bool is_on_it = blocked && alternate.contains(blocked->sp);
  if (traits.alternate.stays || is_on_it || has_room_here(id, traits, blocked, main, main_mapped))
    return nullptr;
  return "too little stack for a signal, and an alternate stack that the program may have taken "
         "away";
}

// Such a wait takes signals that the thread blocks as well as others, and hands them to the
// program.
bool waits_for_signal(const std::optional<blocked_syscall>& blocked, int signal) noexcept {
  if (!blocked || blocked->number != SYS_rt_sigtimedwait) return false;
  const auto awaited = os::read_memory<std::uint64_t>(blocked->arguments[0]);
  return !awaited || (*awaited >> (signal - 1) & 1U) != 0;
}

}  // namespace

std::optional<bare_ban> find_bare_ban(const signalled_thread& who,
                                      const std::optional<blocked_syscall>& blocked, int signal,
                                      const stack_bounds& main) {
  using enum capture_outcome;
  if (signal < 0) return bare_ban{not_signalled, "no capture signal"};
  if (who.state == 't' || who.state == 'T') return bare_ban{not_signalled, "stopped"};
  // A signal would stop it until its tracer says otherwise, perhaps for good.
  if (who.tracer != 0) return bare_ban{not_signalled, "traced by another process"};
  if ((who.blocked_signals >> (signal - 1) & 1U) != 0)
    return bare_ban{signal_blocked, "blocks the capture signal"};
  if (waits_for_signal(blocked, signal))
    return bare_ban{signal_blocked, "waits for the capture signal itself"};
  // The signal would stay pending until the wait is over: vfork, storage that does not answer.
  if (who.state == 'D') return bare_ban{not_signalled, "in an uninterruptible wait"};
  if (const char* const lack = find_lack_of_room(who.id, blocked, main, who.main_mapped)) {
    if (!thread_exists(who.id)) return bare_ban{exited, ""};
    return bare_ban{not_signalled, lack};
  }
  return std::nullopt;
}

std::optional<signal_ban> find_signal_ban(pid_t id, const os::task_status& status,
                                          const std::optional<blocked_syscall>& blocked, int signal,
                                          const stack_bounds& main) {
  using enum capture_outcome;
  const bool stops = status.state == 't' || status.state == 'T';
  if (signal >= 0 && !stops && status.tracer != 0)
    return signal_ban{not_signalled, "traced by process " + std::to_string(status.tracer)};
  // Of its memory nothing is known then, so neither which signals it waits for nor how much stack
  // it has left. Why that is, is said once in the report.
  if (signal >= 0 && !stops && !os::why_memory_is_unreadable().empty())
    return signal_ban{not_signalled, "memory can't be read"};
  const signalled_thread who{.id = id,
                             .state = status.state,
                             .tracer = status.tracer,
                             .blocked_signals = status.blocked_signals};
  const auto ban = find_bare_ban(who, blocked, signal, main);
  return ban ? std::optional{signal_ban{ban->outcome, ban->reason}} : std::nullopt;
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
