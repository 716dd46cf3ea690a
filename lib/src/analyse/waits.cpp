// What a blocked system call waits for.
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include <optional>
#include <string>

#include "analyse/condition.hpp"
#include "analyse/descriptor.hpp"
#include "analyse/finding_text.hpp"
#include "analyse/futex_wait.hpp"
#include "analyse/threads.hpp"
#include "os/arch/machine.hpp"
#include "os/memory.hpp"
#include "text/hex.hpp"
#include "text/quantities.hpp"

namespace gmr::analyse {
namespace {

// Calls whose first argument is the descriptor.
std::optional<wait_kind> descriptor_wait(long number) noexcept {
  switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_preadv:
      return wait_kind::read;
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_pwritev:
      return wait_kind::write;
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
      return wait_kind::receive;
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_sendfile:
      return wait_kind::send;
    case SYS_accept:
    case SYS_accept4:
      return wait_kind::accept;
    case SYS_connect:
      return wait_kind::connect;
    case os::arch::epoll_wait_call:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
      return wait_kind::epoll;
    case SYS_io_uring_enter:
      return wait_kind::io_uring;
    case SYS_fsync:
    case SYS_fdatasync:
      return wait_kind::sync;
    case SYS_flock:
    case SYS_fcntl:
      return wait_kind::file_lock;
    case SYS_ioctl:
      return wait_kind::ioctl;
    default:
      return std::nullopt;
  }
}

std::optional<wait_kind> other_wait(long number) noexcept {
  switch (number) {
    case os::arch::select_call:
    case SYS_pselect6:
      return wait_kind::select;
    case SYS_wait4:
    case SYS_waitid:
      return wait_kind::child_process;
    case os::arch::pause_call:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
      return wait_kind::signal;
    case SYS_msgrcv:
    case SYS_msgsnd:
      return wait_kind::message_queue;
    case SYS_semop:
    case SYS_semtimedop:
      return wait_kind::semaphore_set;
    case os::arch::vfork_call:
      return wait_kind::vfork;
    default:
      return std::nullopt;
  }
}

double to_seconds(const timespec& time) noexcept {
  constexpr double per_nanosecond = 1e-9;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * per_nanosecond;
}

wait_info sleep_until(clockid_t clock, const timespec& end) {
  wait_info info;
  info.kind = wait_kind::sleep;
  timespec now{};
  if (clock_gettime(clock, &now) == 0) {
    const double left = to_seconds(end) - to_seconds(now);
    info.seconds = left < 0 ? 0 : left;
  }
  return info;
}

// How much of it has passed is not known.
wait_info sleep_for(const timespec& whole) {
  wait_info info;
  info.kind = wait_kind::sleep;
  std::string seconds = texts::fixed(to_seconds(whole), 6);
  seconds.erase(seconds.find_last_not_of('0') + 1);
  if (seconds.ends_with('.')) seconds.pop_back();
  info.peer = seconds + " s altogether";
  return info;
}

// The thread may have gone on since, and have something else there.
bool is_time(const timespec& time) noexcept {
  constexpr long second = 1'000'000'000;
  constexpr time_t most_seconds = 10'000'000'000;
  return time.tv_nsec >= 0 && time.tv_nsec < second && time.tv_sec >= 0 &&
         time.tv_sec < most_seconds;
}

wait_info sleep_of(const capture::blocked_syscall& call) {
  const bool has_clock = call.number == SYS_clock_nanosleep;
  const auto time = os::read_memory<timespec>(call.arguments[has_clock ? 2 : 0]);
  if (!time || !is_time(*time)) {
    wait_info info;
    info.kind = wait_kind::sleep;
    return info;
  }
  const bool absolute = has_clock && (call.arguments[1] & TIMER_ABSTIME) != 0;
  return absolute ? sleep_until(static_cast<clockid_t>(call.arguments[0]), *time)
                  : sleep_for(*time);
}

wait_info wait_in_futex(const capture::thread_snapshot& thread) {
  wait_info info = futex_wait_of(*thread.syscall);
  if (info.kind != wait_kind::condition) return info;
  if (const auto mutex = find_mutex_of_condition(thread.stack, *info.address))
    info.peer = "with mutex " + texts::hex(*mutex);
  return info;
}

wait_info descriptor_wait_of(wait_kind kind, int descriptor, socket_list& sockets) {
  wait_info info;
  info.kind = kind;
  info.fd = descriptor;
  info.peer = describe_descriptor(descriptor, sockets);
  return info;
}

wait_info poll_of(const capture::blocked_syscall& call, socket_list& sockets) {
  const std::uint64_t count = call.arguments[1];
  if (count == 1) {
    const auto polled = os::read_memory<pollfd>(call.arguments[0]);
    if (polled && polled->fd >= 0) return descriptor_wait_of(wait_kind::poll, polled->fd, sockets);
  }
  wait_info info;
  info.kind = wait_kind::poll;
  info.peer = std::to_string(count) + " descriptors";
  return info;
}

}  // namespace

std::optional<wait_info> wait_of(const capture::thread_snapshot& thread, socket_list& sockets) {
  if (!thread.syscall || thread.syscall->number < 0) return std::nullopt;
  const capture::blocked_syscall& call = *thread.syscall;
  switch (call.number) {
    case SYS_futex:
      return wait_in_futex(thread);
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return sleep_of(call);
    case os::arch::poll_call:
    case SYS_ppoll:
      return poll_of(call, sockets);
    default:
      break;
  }
  const auto descriptor = static_cast<int>(call.arguments[0]);
  if (const auto kind = descriptor_wait(call.number)) {
    wait_info info = descriptor_wait_of(*kind, descriptor, sockets);
    if (call.number == SYS_connect)
      info.peer = describe_connect(descriptor, call.arguments[1], call.arguments[2], sockets);
    return info;
  }
  wait_info info;
  info.kind = other_wait(call.number).value_or(wait_kind::system_call);
  if (info.kind == wait_kind::system_call) info.name = "system call " + std::to_string(call.number);
  return info;
}

}  // namespace gmr::analyse
