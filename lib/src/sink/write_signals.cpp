#include "sink/write_signals.hpp"

#include <cerrno>
#include <ctime>
#include <initializer_list>

namespace gmr::sinks {

write_signals::write_signals() noexcept {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  sigemptyset(&to_drain_);
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    if (sigismember(&pending, signal) == 0) sigaddset(&to_drain_, signal);
  }
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGTTOU})
    sigaddset(&blocked, signal);
  pthread_sigmask(SIG_BLOCK, &blocked, &before_);
}

write_signals::~write_signals() {
  const int saved = errno;
  constexpr timespec at_once{};
  while (sigtimedwait(&to_drain_, nullptr, &at_once) > 0 || errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = saved;
}

}  // namespace gmr::sinks
