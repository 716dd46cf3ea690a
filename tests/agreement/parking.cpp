#include "parking.hpp"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <utility>

namespace nasty {
namespace {

std::atomic<int> started{0};
std::atomic<int> parked{0};

// Of a pipe that nobody writes to.
int never() {
  static const int end = [] {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    return ends[0];
  }();
  return end;
}

}  // namespace

void announce() {
  parked.fetch_add(1);
}

void read_for_ever() {
  char byte;
  const int end = never();
  announce();
  if (::read(end, &byte, 1) == 1) std::abort();
}

void start_thread(std::function<void()> body, const char* name) {
  started.fetch_add(1);
  std::thread thread{std::move(body)};
  ::pthread_setname_np(thread.native_handle(), name);
  thread.detach();
}

void wait_until_all_have_parked() {
  while (parked.load() < started.load())
    std::this_thread::yield();
}

}  // namespace nasty

extern "C" __attribute__((visibility("default"))) void nasty_start_all(void (*enroll)()) {
  nasty::start_ordinary_threads();
  nasty::start_tangled_threads(enroll);
  nasty::start_interrupted_threads();
  nasty::wait_until_all_have_parked();
}

extern "C" __attribute__((visibility("default"))) void nasty_start_one(void (*body)(void (*park)()),
                                                                       const char* name) {
  nasty::start_thread([body] { body(nasty::read_for_ever); }, name);
  nasty::wait_until_all_have_parked();
}
