#include "capture/blocked_signals.hpp"

#include <pthread.h>

namespace gmr::capture {

blocked_signals::blocked_signals(std::initializer_list<int> open) noexcept {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    sigdelset(&blocked, fault);
  for (const int signal : open)
    if (signal > 0) sigdelset(&blocked, signal);
  pthread_sigmask(SIG_SETMASK, &blocked, &before_);
}

blocked_signals::~blocked_signals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace gmr::capture
