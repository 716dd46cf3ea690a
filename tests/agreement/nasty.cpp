// Threads parked in places that are hard to unwind. Compiled by both compilers at every level of
// optimisation.
#include "nasty.hpp"

#include <alloca.h>
#include <dlfcn.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace nasty {
namespace {

std::atomic<int> parked{0};
std::array<int, 2> never;  // a pipe nobody writes to
std::mutex taken;          // locked for ever by start()

void read_for_ever() {
  char byte;
  parked.fetch_add(1);
  if (::read(never[0], &byte, 1) == 1) std::abort();
}

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
  parked.fetch_add(1);
  const std::lock_guard lock{taken};
  volatile int keep = 0;
  (void)keep;
}

__attribute__((noinline)) void on_a_condition() {
  std::mutex mutex;
  std::condition_variable never_signalled;
  std::unique_lock lock{mutex};
  parked.fetch_add(1);
  never_signalled.wait(lock, [] { return false; });
}

__attribute__((noinline)) void in_poll() {
  pollfd waited{.fd = never[0], .events = POLLIN, .revents = 0};
  parked.fetch_add(1);
  while (::poll(&waited, 1, -1) < 0) {
  }
}

__attribute__((noinline)) void in_epoll() {
  const int epoll = ::epoll_create1(0);
  epoll_event event{};
  parked.fetch_add(1);
  while (::epoll_wait(epoll, &event, 1, -1) < 0) {
  }
}

__attribute__((noinline)) void in_sleep() {
  parked.fetch_add(1);
  while (true)
    std::this_thread::sleep_for(std::chrono::hours(1));
}

__attribute__((noinline)) void on_a_semaphore() {
  static sem_t semaphore;
  ::sem_init(&semaphore, 0, 0);
  parked.fetch_add(1);
  while (::sem_wait(&semaphore) != 0) {
  }
}

// The last thing it does is a call: at -O2 its own frame is gone.
__attribute__((noinline)) void tail(int depth) {
  if (depth > 0) return tail(depth - 1);
  return read_for_ever();
}

void start_threads(void (*plugin)(void (*)())) {
  static std::vector<std::thread> threads;
  volatile static int sum = 0;
  threads.emplace_back([] { holder<std::string, 3>{}.park(); });
  threads.emplace_back([] { recurse(20, &sum); });
  threads.emplace_back([] { with_alloca(static_cast<unsigned>(::getpid() % 100) + 5000); });
  threads.emplace_back([] { interrupted(); });
  threads.emplace_back([] { in_qsort(); });
  threads.emplace_back([] { in_catch(); });
  threads.emplace_back([] { in_virtual(circle{}); });
  threads.emplace_back([] { in_function([](int) { read_for_ever(); }); });
  threads.emplace_back(on_a_mutex);
  threads.emplace_back(on_a_condition);
  threads.emplace_back(in_poll);
  threads.emplace_back(in_epoll);
  threads.emplace_back(in_sleep);
  threads.emplace_back(on_a_semaphore);
  threads.emplace_back(tail, 3);
  threads.emplace_back([plugin] { plugin(read_for_ever); });
  while (parked.load() < static_cast<int>(threads.size()))
    std::this_thread::yield();
}

}  // namespace

void start(const char* plugin) {
  if (::pipe(never.data()) != 0) throw std::runtime_error("pipe");
  std::signal(SIGUSR1, on_signal);
  taken.lock();
  void* library = ::dlopen(plugin, RTLD_NOW);
  if (library == nullptr) throw std::runtime_error(::dlerror());
  start_threads(reinterpret_cast<void (*)(void (*)())>(::dlsym(library, "park_in_plugin")));
}

}  // namespace nasty
