#include "signals.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>

namespace queue_server {

namespace {

constexpr std::array strays{SIGHUP, SIGUSR1, SIGQUIT, SIGALRM, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO};

std::atomic<bool> hung_up = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

// Async-signal-safe.
extern "C" void note_stray(int signal) {
  if (signal == SIGHUP) hung_up = true;
}

}  // namespace

// A handler, and not SIG_IGN, which programs inherit.
void survive_stray_signals() {
  struct sigaction action = {};
  action.sa_handler = note_stray;
  action.sa_flags = SA_RESTART;
  for (const int stray : strays)
    ::sigaction(stray, &action, nullptr);
}

// It takes no signal that something else handles.
void leave_to_reporter(int signal) {
  if (std::find(strays.begin(), strays.end(), signal) == strays.end()) return;
  std::signal(signal, SIG_IGN);
}

bool hangup_came() noexcept {
  return hung_up.exchange(false);
}

}  // namespace queue_server
