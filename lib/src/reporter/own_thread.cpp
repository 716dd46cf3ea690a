#include "reporter/own_thread.hpp"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <initializer_list>
#include <string>

#include "gmr/trace/enroll.hpp"
#include "sink/sink.hpp"

namespace gmr {
namespace {

// While it lives, the calling thread blocks every signal that others send; a thread made meanwhile
// is born with that.
class blocked_signals final {
 public:
  explicit blocked_signals(const std::vector<int>& open_signals) noexcept {
    sigset_t blocked;
    sigfillset(&blocked);
    // What the thread does itself: blocking these would not stop the kernel from ending us.
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
      sigdelset(&blocked, own);
    for (const int open : open_signals)
      if (open > 0) sigdelset(&blocked, open);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~blocked_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

own_thread::own_thread(const std::vector<int>& open_signals) {
  const blocked_signals born_with{open_signals};
  thread_ = std::thread{[this] { run(); }};
}

own_thread::~own_thread() {
  guard_.reset();
  context_.stop();
  thread_.join();
}

void own_thread::run() noexcept {
  ::pthread_setname_np(::pthread_self(), "gmr-reporter");
  enroll_this_thread();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      sinks::say(error.what());
    } catch (...) {
      sinks::say("an exception that is not a std::exception reached the reporter's thread");
    }
  }
}

}  // namespace gmr
