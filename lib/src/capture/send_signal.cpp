#include "capture/send_signal.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace gmr::capture {
namespace {

send_result meaning_of(int error) noexcept {
  switch (error) {
    case ESRCH:
      return send_result::thread_gone;
    case EAGAIN:
      return send_result::queue_full;
    default:
      return send_result::refused;
  }
}

}  // namespace

send_answer send_capture_signal(pid_t thread, int signal, std::uint64_t payload) noexcept {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(payload);
  if (syscall(SYS_rt_tgsigqueueinfo, info.si_pid, thread, signal, &info) == 0) return {};
  const int error = errno;
  if (meaning_of(error) != send_result::refused) return {meaning_of(error), error, 0};
  // Without a payload: the handler looks for the slot that was armed for its thread.
  if (syscall(SYS_tgkill, info.si_pid, thread, signal) == 0) return {};
  return {meaning_of(errno), error, errno};
}

}  // namespace gmr::capture
