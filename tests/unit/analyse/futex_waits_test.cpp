// What threads that are blocked in futex(2) are said to wait for: every kind that glibc and the
// standard library have.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <functional>
#include <future>
#include <latch>
#include <limits>
#include <memory>
#include <mutex>
#include <semaphore>
#include <vector>

#include "analyse/futex_wait.hpp"
#include "live_report.hpp"

namespace gmr::analyse {
namespace {

using testing::test_thread;
using testing::wait_for_kind;
using testing::wait_of_thread;

TEST(Wait, ForAMutexNamesItsOwner) {
  std::mutex held;
  held.lock();
  test_thread waiting{[&] { const std::lock_guard wait{held}; }};
  wait_for_kind(waiting.id(), wait_kind::mutex);
  const auto wait = wait_of_thread(waiting.id());
  EXPECT_EQ(wait->address, reinterpret_cast<std::uint64_t>(&held));
  EXPECT_EQ(wait->owner, gettid());
  EXPECT_EQ(mutex_owner(reinterpret_cast<std::uint64_t>(&held)), gettid());
  held.unlock();
  waiting.join();
  EXPECT_FALSE(mutex_owner(reinterpret_cast<std::uint64_t>(&held)));
}

TEST(Wait, ForAMutexWithATimeoutIsToldApart) {
  std::timed_mutex held;
  held.lock();
  test_thread waiting{[&] { EXPECT_TRUE(held.try_lock_for(std::chrono::seconds{60})); }};
  wait_for_kind(waiting.id(), wait_kind::timed_mutex);
  EXPECT_EQ(wait_of_thread(waiting.id())->owner, gettid());
  held.unlock();
}

std::uint64_t address_of(const void* object) {
  return reinterpret_cast<std::uint64_t>(object);
}

// A condition variable with waiters, made, waited for and woken in every way that glibc has.
struct conditioned {
  explicit conditioned(int shared = PTHREAD_PROCESS_PRIVATE, clockid_t clock = CLOCK_REALTIME) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setpshared(&attributes, shared);
    pthread_condattr_setclock(&attributes, clock);
    pthread_cond_init(&condition, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  ~conditioned() { pthread_cond_destroy(&condition); }
  conditioned(const conditioned&) = delete;
  conditioned& operator=(const conditioned&) = delete;

  // One that waits by `wait` until it is told to go on.
  template <class Wait>
  std::unique_ptr<test_thread> waiter(Wait wait) {
    return std::make_unique<test_thread>(
        [this, wait] {
          pthread_mutex_lock(&mutex);
          const unsigned begun_at = wakings;
          while (wakings == begun_at)
            wait();
          pthread_mutex_unlock(&mutex);
        },
        [this] { wake_all(); });
  }
  void wake_all() {
    pthread_mutex_lock(&mutex);
    ++wakings;
    pthread_mutex_unlock(&mutex);
    pthread_cond_broadcast(&condition);
  }
  void give_up() {
    const timespec past{};
    pthread_mutex_lock(&mutex);
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &past), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
  }
  std::function<void()> plain_wait() {
    return [this] { pthread_cond_wait(&condition, &mutex); };
  }

  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  unsigned wakings = 0;
  std::uint64_t before = 64;  // what lies before it is no part of it
  pthread_cond_t condition;
};

void expect_condition(const test_thread& waiting, const void* condition) {
  wait_for_kind(waiting.id(), wait_kind::condition);
  const auto wait = wait_of_thread(waiting.id());
  EXPECT_EQ(wait->address, address_of(condition));
  EXPECT_FALSE(wait->owner);
}

TEST(Wait, ForACondition) {
  conditioned any;
  expect_condition(*any.waiter(any.plain_wait()), &any.condition);
}

// Waiters use one of two words in turn, and what the others count goes on growing.
TEST(Wait, ForAConditionInEveryStateOfIt) {
  conditioned any;
  for (int round = 0; round < 6; ++round) {
    std::vector<std::unique_ptr<test_thread>> waiting;
    for (int i = 0; i < 3; ++i)
      waiting.push_back(any.waiter(any.plain_wait()));
    for (const auto& each : waiting)
      expect_condition(*each, &any.condition);
    if (round % 2 != 0) any.give_up();
    pthread_cond_signal(&any.condition);  // one of them looks and waits again
    for (const auto& each : waiting)
      expect_condition(*each, &any.condition);
  }
}

TEST(Wait, ForAConditionWithATimeoutByEitherClock) {
  const timespec late{std::numeric_limits<std::int32_t>::max(), 0};
  conditioned by_real_time;
  expect_condition(*by_real_time.waiter([&] {
    pthread_cond_timedwait(&by_real_time.condition, &by_real_time.mutex, &late);
  }),
                   &by_real_time.condition);
  conditioned monotonic{PTHREAD_PROCESS_PRIVATE, CLOCK_MONOTONIC};
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME})
    expect_condition(*monotonic.waiter([&, clock] {
      pthread_cond_clockwait(&monotonic.condition, &monotonic.mutex, clock, &late);
    }),
                     &monotonic.condition);
}

TEST(Wait, ForAConditionOfSeveralProcesses) {
  conditioned shared{PTHREAD_PROCESS_SHARED};
  expect_condition(*shared.waiter(shared.plain_wait()), &shared.condition);
}

// It waits for a condition variable within, with a mutex of its own.
TEST(Wait, ForAConditionOfAnyLock) {
  std::recursive_mutex mutex;
  std::condition_variable_any condition;
  bool go = false;
  const test_thread waiting{[&] {
                              std::unique_lock lock{mutex};
                              condition.wait(lock, [&] { return go; });
                            },
                            [&] {
                              const std::lock_guard lock{mutex};
                              go = true;
                              condition.notify_all();
                            }};
  expect_condition(waiting, &condition);
}

// After it was woken a waiter wants the mutex, and whoever holds that is the one it waits for.
TEST(Wait, ForTheMutexOfACondition) {
  conditioned any;
  const auto waiting = any.waiter(any.plain_wait());
  expect_condition(*waiting, &any.condition);
  pthread_mutex_lock(&any.mutex);
  ++any.wakings;
  pthread_cond_signal(&any.condition);
  wait_for_kind(waiting->id(), wait_kind::mutex);
  EXPECT_EQ(wait_of_thread(waiting->id())->owner, gettid());
  EXPECT_EQ(wait_of_thread(waiting->id())->address, address_of(&any.mutex));
  pthread_mutex_unlock(&any.mutex);
}

TEST(Wait, ForASemaphore) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  {
    test_thread waiting{[&] { sem_wait(&semaphore); }, [&] { sem_post(&semaphore); }};
    wait_for_kind(waiting.id(), wait_kind::semaphore);
    EXPECT_EQ(wait_of_thread(waiting.id())->address, reinterpret_cast<std::uint64_t>(&semaphore));
  }
  sem_destroy(&semaphore);
}

TEST(Wait, ForASemaphoreIsNotForTheConditionThatThePointersBeforeItLookLike) {
  struct {
    const void* pointers[3]{&pointers[2], &pointers[0], nullptr};
    std::uint32_t before[4]{8, 8, 8, 8};
    sem_t semaphore{};
  } local;
  static_assert(offsetof(decltype(local), semaphore) == 40);  // as in a pthread_cond_t
  const auto* const looks_like = reinterpret_cast<const std::uint32_t*>(&local);
  local.pointers[2] = reinterpret_cast<const void*>(0x400000004);  // two groups of two waiters
  ASSERT_EQ(looks_like[4], 4U);
  sem_init(&local.semaphore, 0, 0);
  {
    test_thread waiting{[&] { sem_wait(&local.semaphore); }, [&] { sem_post(&local.semaphore); }};
    wait_for_kind(waiting.id(), wait_kind::semaphore);
  }
  sem_destroy(&local.semaphore);
}

// What waits for an atomic variable is not told by what lies around that.
TEST(Wait, ForAnAtomicVariableIsNoSemaphore) {
  struct {
    std::atomic<int> turn{0};
    int waiters = 1;
    int is_private = 0;
  } local;
  const test_thread waiting{[&] { local.turn.wait(0); },
                            [&] {
                              local.turn = 1;
                              local.turn.notify_all();
                            }};
  waiting.wait_blocked_in(SYS_futex);
  EXPECT_EQ(wait_of_thread(waiting.id())->kind, wait_kind::futex);
  EXPECT_EQ(wait_of_thread(waiting.id())->address, address_of(&local.turn));
}

// Those of the standard library and barriers are told by their frames only.
TEST(Wait, ForWhatTheStandardLibraryMakesOfAtomicVariablesInventsNothing) {
  std::binary_semaphore semaphore{0};
  std::binary_semaphore timed{0};
  std::latch latch{1};
  std::barrier<> barrier{2};
  std::promise<void> promise;
  pthread_barrier_t of_glibc;
  pthread_barrier_init(&of_glibc, nullptr, 2);
  {
    const test_thread threads[] = {
        test_thread{[&] { semaphore.acquire(); }, [&] { semaphore.release(); }},
        test_thread{[&] { EXPECT_TRUE(timed.try_acquire_for(std::chrono::minutes{5})); },
                    [&] { timed.release(); }},
        test_thread{[&] { latch.wait(); }, [&] { latch.count_down(); }},
        test_thread{[&] { barrier.arrive_and_wait(); }, [&] { barrier.arrive_and_wait(); }},
        test_thread{[&] { promise.get_future().wait(); }, [&] { promise.set_value(); }},
        test_thread{[&] { pthread_barrier_wait(&of_glibc); },
                    [&] { pthread_barrier_wait(&of_glibc); }}};
    for (const test_thread& each : threads) {
      each.wait_blocked_in(SYS_futex);
      const auto wait = wait_of_thread(each.id());
      ASSERT_TRUE(wait);
      EXPECT_EQ(wait->kind, wait_kind::futex);
      EXPECT_FALSE(wait->owner);
    }
  }
  pthread_barrier_destroy(&of_glibc);
}

TEST(Wait, ForTheEndOfAThreadNamesIt) {
  std::mutex gate;
  gate.lock();
  test_thread joined{[&] { const std::lock_guard wait{gate}; }};
  test_thread joining{[&] { joined.join(); }};
  wait_for_kind(joining.id(), wait_kind::join);
  EXPECT_EQ(wait_of_thread(joining.id())->owner, joined.id());
  gate.unlock();
  joining.join();
}

// glibc 2.43 waits for a small number that says how far the thread is.
TEST(Wait, ForTheEndOfOneOfManyThreadsNamesThatOne) {
  std::mutex gate;
  gate.lock();
  std::vector<std::unique_ptr<test_thread>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(std::make_unique<test_thread>([&] { const std::lock_guard wait{gate}; }));
  const pid_t main_thread = gettid();
  std::vector<std::unique_ptr<test_thread>> joining;
  for (const auto& each : all)
    joining.push_back(std::make_unique<test_thread>([&each] { each->join(); }));
  for (std::size_t i = 0; i < all.size(); ++i) {
    wait_for_kind(joining[i]->id(), wait_kind::join);
    EXPECT_EQ(wait_of_thread(joining[i]->id())->owner, all[i]->id());
    EXPECT_NE(wait_of_thread(joining[i]->id())->owner, main_thread);
  }
  gate.unlock();
  joining.clear();
}

// By a word that processes share, with the same small number.
TEST(Wait, ForASharedWordIsNoJoin) {
  static std::uint32_t word = 0;
  for (const std::uint32_t value : {1U, 2U, 3U}) {
    word = value;
    const test_thread waiting{
        [&] { syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, value, nullptr, nullptr, ~0U); },
        [&] {
          word = 0;
          syscall(SYS_futex, &word, FUTEX_WAKE, 1);
        }};
    waiting.wait_blocked_in(SYS_futex);
    EXPECT_EQ(wait_of_thread(waiting.id())->kind, wait_kind::futex);
  }
}

}  // namespace
}  // namespace gmr::analyse
