#include "sink/write_lock.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <thread>

namespace gmr::sinks {
namespace {

pthread_mutex_t private_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t* mutex = &private_mutex;

// As the library is initialised, which is before the service can fork.
[[gnu::constructor]] void share_mutex() noexcept {
  void* const page = ::mmap(nullptr, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  auto* const shared = new (page) pthread_mutex_t;
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (::pthread_mutex_init(shared, &attributes) == 0) mutex = shared;
  ::pthread_mutexattr_destroy(&attributes);
}

}  // namespace

// By trying again and again: thread sanitizer does not know pthread_mutex_clocklock, and the clock
// of pthread_mutex_timedlock may be set. Who writes a report writes for milliseconds.
write_lock::write_lock(std::chrono::steady_clock::time_point deadline) noexcept {
  constexpr std::chrono::milliseconds longest_pause{20};
  for (auto pause = std::chrono::milliseconds{1};; pause = std::min(pause * 2, longest_pause)) {
    const int error = ::pthread_mutex_trylock(mutex);
    if (error == EOWNERDEAD) ::pthread_mutex_consistent(mutex);
    held_ = error == 0 || error == EOWNERDEAD;
    if (held_ || std::chrono::steady_clock::now() >= deadline) return;
    std::this_thread::sleep_for(pause);
  }
}

write_lock::~write_lock() {
  if (held_) ::pthread_mutex_unlock(mutex);
}

}  // namespace gmr::sinks
