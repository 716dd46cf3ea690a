#include "storage/turnstile.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <ctime>
#include <new>
#include <system_error>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace queue_server {

namespace {

void make_shared_mutex(pthread_mutex_t& made) {
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  const int problem = pthread_mutex_init(&made, &kind);
  pthread_mutexattr_destroy(&kind);
  if (problem != 0) throw std::system_error(problem, std::generic_category(), "turnstile");
}

// ThreadSanitizer takes the lock of who was killed for one that this thread has not got.
void tell_of_inherited([[maybe_unused]] pthread_mutex_t& lock) noexcept {
#if defined(__SANITIZE_THREAD__)
  __tsan_mutex_pre_lock(&lock, 0);
  __tsan_mutex_post_lock(&lock, 0, 0);
#endif
}

bool lock(pthread_mutex_t& wanted, const timespec& until) noexcept {
  const int outcome = pthread_mutex_timedlock(&wanted, &until);
  // Whoever had it was killed. What it wrote and did not commit, the storage undoes.
  if (outcome == EOWNERDEAD) {
    pthread_mutex_consistent(&wanted);
    tell_of_inherited(wanted);
  }
  return outcome == 0 || outcome == EOWNERDEAD;
}

}  // namespace

turnstile::turnstile() : writes_(), is_next_() {
  make_shared_mutex(writes_);
  make_shared_mutex(is_next_);
}

turnstile& turnstile::shared() {
  void* const memory =
      ::mmap(nullptr, sizeof(turnstile), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "turnstile");
  return *new (memory) turnstile;
}

bool turnstile::enter(std::chrono::milliseconds patience) noexcept {
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  const auto nanoseconds = std::chrono::nanoseconds(until.tv_nsec) + patience;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(nanoseconds);
  until.tv_sec += seconds.count();
  until.tv_nsec = (nanoseconds - seconds).count();
  if (!lock(is_next_, until)) return false;
  const bool entered = lock(writes_, until);
  pthread_mutex_unlock(&is_next_);
  return entered;
}

void turnstile::leave() noexcept {
  pthread_mutex_unlock(&writes_);
}

}  // namespace queue_server
