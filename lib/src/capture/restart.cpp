#include "capture/restart.hpp"

#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "os/arch/machine.hpp"

namespace gmr::capture {
namespace {

bool has_timeout(int socket, int option) noexcept {
  timeval timeout{};
  socklen_t size = sizeof timeout;
  return getsockopt(socket, SOL_SOCKET, option, &timeout, &size) == 0 &&
         (timeout.tv_sec != 0 || timeout.tv_usec != 0);
}

// A wait without a timeout is restarted, with one it is not.
bool is_timed_futex(const blocked_syscall& call) noexcept {
  const auto operation = static_cast<int>(call.arguments[1]) & FUTEX_CMD_MASK;
  const bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET ||
                     operation == FUTEX_WAIT_REQUEUE_PI;
  return waits && call.arguments[3] != 0;
}

bool is_waiting_call(long number) noexcept {
  switch (number) {
    case os::arch::epoll_wait_call:
    case os::arch::poll_call:
    case os::arch::select_call:
    case os::arch::pause_call:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_ppoll:
    case SYS_pselect6:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_restart_syscall:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_never_restarted(const blocked_syscall& call) noexcept {
  if (is_waiting_call(call.number)) return true;
  const auto descriptor = static_cast<int>(call.arguments[0]);
  switch (call.number) {
    case SYS_futex:
      return is_timed_futex(call);
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4:
      return has_timeout(descriptor, SO_RCVTIMEO);
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_sendfile:
    case SYS_connect:
      return has_timeout(descriptor, SO_SNDTIMEO);
    default:
      return false;
  }
}

}  // namespace gmr::capture
