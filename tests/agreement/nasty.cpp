// Threads parked in what any program does.
#include <alloca.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "parking.hpp"

namespace nasty {
namespace {

std::mutex taken;  // locked for ever by start()

// Inlined three deep into whoever calls it.
template <class Callable>
inline void twice_wrapped(Callable&& callable) {
  const auto inner = [&](int times) {
    for (int i = 0; i < times; ++i)
      callable();
  };
  inner(1);
}

template <class T, std::size_t N>
struct holder {
  std::array<T, N> values{};
  __attribute__((noinline)) void park() {
    twice_wrapped([] { read_for_ever(); });
    values[0] = values[N - 1];
  }
};

__attribute__((noinline)) int recurse(int depth, volatile int* sum) {
  if (depth == 0) {
    read_for_ever();
    return *sum;
  }
  const int below = recurse(depth - 1, sum);
  *sum = *sum + below;
  return *sum * depth;
}

// A frame whose size is known only at run time.
__attribute__((noinline)) void with_alloca(unsigned bytes) {
  auto* memory = static_cast<char*>(alloca(bytes));
  std::memset(memory, 1, bytes);
  volatile char* keep = memory;
  read_for_ever();
  keep[0] = keep[bytes - 1];
}

void on_signal(int) {
  read_for_ever();
}

__attribute__((noinline)) void interrupted() {
  volatile int before = 1;
  ::pthread_kill(::pthread_self(), SIGUSR1);
  before = before + 1;
}

int compare_and_park(const void* left, const void* right) {
  read_for_ever();
  return *static_cast<const int*>(left) - *static_cast<const int*>(right);
}

__attribute__((noinline)) void in_qsort() {
  std::array<int, 4> numbers{4, 3, 2, 1};
  std::qsort(numbers.data(), numbers.size(), sizeof(int), compare_and_park);
  volatile int keep = numbers[0];
  (void)keep;
}

__attribute__((noinline)) void in_catch() {
  try {
    throw std::runtime_error("parked in the handler");
  } catch (const std::exception& error) {
    volatile std::size_t length = std::strlen(error.what());
    read_for_ever();
    length = length + 1;
  }
}

struct shape {
  virtual ~shape() = default;
  virtual void park(const std::string& name) const = 0;
};
struct circle final : shape {
  void park(const std::string& name) const override {
    volatile std::size_t length = name.size();
    read_for_ever();
    length = length + 1;
  }
};

__attribute__((noinline)) void in_virtual(const shape& any) {
  any.park("circle");
  volatile int keep = 0;
  (void)keep;
}

__attribute__((noinline)) void in_function(const std::function<void(int)>& callable) {
  callable(1);
  volatile int keep = 0;
  (void)keep;
}

__attribute__((noinline)) void on_a_mutex() {
  announce();
  const std::lock_guard lock{taken};
  volatile int keep = 0;
  (void)keep;
}

__attribute__((noinline)) void on_a_condition() {
  std::mutex mutex;
  std::condition_variable never_signalled;
  std::unique_lock lock{mutex};
  announce();
  never_signalled.wait(lock, [] { return false; });
}

__attribute__((noinline)) void in_poll() {
  announce();
  while (::poll(nullptr, 0, -1) < 0) {
  }
}

__attribute__((noinline)) void in_epoll() {
  const int epoll = ::epoll_create1(0);
  epoll_event event{};
  announce();
  while (::epoll_wait(epoll, &event, 1, -1) < 0) {
  }
}

__attribute__((noinline)) void in_sleep() {
  announce();
  while (true)
    std::this_thread::sleep_for(std::chrono::hours(1));
}

__attribute__((noinline)) void on_a_semaphore() {
  static sem_t semaphore;
  ::sem_init(&semaphore, 0, 0);
  announce();
  while (::sem_wait(&semaphore) != 0) {
  }
}

// The last thing it does is a call: at -O2 its own frame is gone.
__attribute__((noinline)) void tail(int depth) {
  if (depth > 0) return tail(depth - 1);
  return read_for_ever();
}

}  // namespace

void start_ordinary_threads() {
  std::signal(SIGUSR1, on_signal);
  taken.lock();
  volatile static int sum = 0;
  start_thread([] { holder<std::string, 3>{}.park(); });
  start_thread([] { recurse(20, &sum); });
  start_thread([] { with_alloca(static_cast<unsigned>(::getpid() % 100) + 5000); });
  start_thread([] { interrupted(); });
  start_thread([] { in_qsort(); });
  start_thread([] { in_catch(); });
  start_thread([] { in_virtual(circle{}); });
  start_thread([] { in_function([](int) { read_for_ever(); }); });
  start_thread(on_a_mutex);
  start_thread(on_a_condition);
  start_thread(in_poll);
  start_thread(in_epoll);
  start_thread(in_sleep);
  start_thread(on_a_semaphore);
  start_thread([] { tail(3); });
}

}  // namespace nasty
