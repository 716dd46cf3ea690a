#include "reporter/own_thread.hpp"

#include <pthread.h>

#include <chrono>
#include <exception>
#include <utility>

#include "capture/blocked_signals.hpp"
#include "gmr/trace/enroll.hpp"
#include "sink/sink.hpp"

namespace gmr {

void own_thread::start(std::initializer_list<int> open_signals, std::function<void()> recover) {
  recover_ = std::move(recover);
  const capture::blocked_signals born_with{open_signals};
  thread_ = std::thread{[this] { run(); }};
}

void own_thread::join() noexcept {
  if (!thread_.joinable()) return;
  guard_.reset();
  context_.stop();
  thread_.join();
}

own_thread::~own_thread() {
  join();
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
    recover();
  }
}

// What failed may have been to wait for the next trigger.
void own_thread::recover() noexcept {
  constexpr std::chrono::milliseconds pause{100};
  while (recover_ && !context_.stopped()) {
    try {
      recover_();
      return;
    } catch (const std::exception&) {  // no memory still
      std::this_thread::sleep_for(pause);
    }
  }
}

}  // namespace gmr
