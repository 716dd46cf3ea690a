#include "capture/send_signal.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace gmr::capture {

send_result send_capture_signal(pid_t thread, int signal, std::uint64_t payload) noexcept {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(payload);
  if (syscall(SYS_rt_tgsigqueueinfo, info.si_pid, thread, signal, &info) == 0)
    return send_result::sent;
  switch (errno) {
    case ESRCH:
      return send_result::thread_gone;
    case EAGAIN:
      return send_result::queue_full;
    default:
      return send_result::refused;
  }
}

bool thread_exists(pid_t thread) noexcept {
  return syscall(SYS_tgkill, getpid(), thread, 0) == 0 || errno != ESRCH;
}

}  // namespace gmr::capture
