// What a blocked system call waits for.
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include <string>

#include "analyse/descriptor.hpp"
#include "analyse/futex_wait.hpp"
#include "analyse/read_memory.hpp"
#include "analyse/threads.hpp"

namespace gmr::analyse {
namespace {

// Calls whose first argument is the descriptor.
const char* descriptor_wait(long number) noexcept {
  switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_preadv:
      return "read";
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_pwritev:
      return "write";
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
      return "receive";
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_sendfile:
      return "send";
    case SYS_accept:
    case SYS_accept4:
      return "accept";
    case SYS_connect:
      return "connect";
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
      return "epoll";
    case SYS_io_uring_enter:
      return "io_uring";
    case SYS_fsync:
    case SYS_fdatasync:
      return "sync";
    case SYS_flock:
    case SYS_fcntl:
      return "file lock";
    case SYS_ioctl:
      return "ioctl";
    default:
      return nullptr;
  }
}

const char* other_wait(long number) noexcept {
  switch (number) {
#ifdef SYS_poll
    case SYS_select:
#endif
    case SYS_pselect6:
      return "select";
    case SYS_wait4:
    case SYS_waitid:
      return "child process";
#ifdef SYS_pause
    case SYS_pause:
#endif
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
      return "signal";
    case SYS_msgrcv:
    case SYS_msgsnd:
      return "message queue";
    case SYS_semop:
    case SYS_semtimedop:
      return "semaphore set";
#ifdef SYS_vfork
    case SYS_vfork:
      return "vfork";
#endif
    default:
      return nullptr;
  }
}

double to_seconds(const timespec& time) noexcept {
  constexpr double per_nanosecond = 1e-9;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * per_nanosecond;
}

wait_info sleep_until(clockid_t clock, const timespec& end) {
  wait_info info;
  info.kind = "sleep";
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
  info.kind = "sleep";
  std::string seconds = std::to_string(to_seconds(whole));
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
  const auto time = read_memory<timespec>(call.arguments[has_clock ? 2 : 0]);
  if (!time || !is_time(*time)) {
    wait_info info;
    info.kind = "sleep";
    return info;
  }
  const bool absolute = has_clock && (call.arguments[1] & TIMER_ABSTIME) != 0;
  return absolute ? sleep_until(static_cast<clockid_t>(call.arguments[0]), *time)
                  : sleep_for(*time);
}

wait_info descriptor_wait_of(const char* kind, int descriptor) {
  wait_info info;
  info.kind = kind;
  info.fd = descriptor;
  info.peer = describe_descriptor(descriptor);
  return info;
}

wait_info poll_of(const capture::blocked_syscall& call) {
  const std::uint64_t count = call.arguments[1];
  if (count == 1) {
    const auto polled = read_memory<pollfd>(call.arguments[0]);
    if (polled && polled->fd >= 0) return descriptor_wait_of("poll", polled->fd);
  }
  wait_info info;
  info.kind = "poll";
  info.peer = std::to_string(count) + " descriptors";
  return info;
}

}  // namespace

std::optional<wait_info> wait_of(const capture::thread_snapshot& thread) {
  if (!thread.syscall || thread.syscall->number < 0) return std::nullopt;
  const capture::blocked_syscall& call = *thread.syscall;
  switch (call.number) {
    case SYS_futex:
      return futex_wait_of(call);
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
      return sleep_of(call);
#ifdef SYS_poll
    case SYS_poll:
#endif
    case SYS_ppoll:
      return poll_of(call);
    default:
      break;
  }
  const auto descriptor = static_cast<int>(call.arguments[0]);
  if (const char* kind = descriptor_wait(call.number)) {
    wait_info info = descriptor_wait_of(kind, descriptor);
    if (call.number == SYS_connect)
      info.peer = describe_connect(descriptor, call.arguments[1], call.arguments[2]);
    return info;
  }
  wait_info info;
  const char* kind = other_wait(call.number);
  info.kind = kind != nullptr ? kind : "system call " + std::to_string(call.number);
  return info;
}

}  // namespace gmr::analyse
