// Who waits for whom, end to end: real locks of the standard library, findings in JSON.
#include <gmock/gmock.h>

#include <barrier>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "../capture/backend.hpp"
#include "live_process.hpp"
#include "support/in_child.hpp"

namespace gmr::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Thread i holds lock i and waits for lock i + 1.
template <class Lock>
struct circle {
  circle(std::size_t size, live_reporter& reporter, const std::string& kind)
      : locks(size), everyone(static_cast<std::ptrdiff_t>(size)) {
    for (std::size_t i = 0; i < size; ++i)
      threads.push_back(std::make_unique<test_thread>([this, i] {
        locks[i].lock();
        everyone.arrive_and_wait();
        locks[(i + 1) % locks.size()].lock();
      }));
    for (const auto& each : threads)
      report_with_wait(reporter, each->id(), kind);
  }
  [[nodiscard]] std::vector<pid_t> ids() const {
    std::vector<pid_t> all;
    for (const auto& each : threads)
      all.push_back(each->id());
    return all;
  }
  std::vector<Lock> locks;
  std::barrier<> everyone;
  std::vector<std::unique_ptr<test_thread>> threads;
};

template <class Lock>
void expect_named(std::size_t size, const std::string& kind) {
  in_child([&] {
    live_reporter reporter;
    const auto* const stuck = new circle<Lock>{size, reporter, kind};
    const json report = reporter.make();
    const auto found = findings(report, "deadlock");
    ASSERT_THAT(found, SizeIs(1));
    const auto ids = stuck->ids();
    EXPECT_THAT(found[0]["threads"].get<std::vector<pid_t>>(),
                ::testing::UnorderedElementsAreArray(ids));
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t next = (i + 1) % size;
      EXPECT_THAT(found[0]["text"].get<std::string>(),
                  HasSubstr(kind + ' ' + address_of(&stuck->locks[next]) + " held by thread " +
                            std::to_string(ids[next])));
      const json wait = wait_of(report, ids[i]);
      EXPECT_EQ(wait["owner"], ids[next]);
      EXPECT_EQ(wait["address"], address_of(&stuck->locks[next]));
    }
    EXPECT_EQ(report["findings"][0]["kind"], "deadlock");  // the gravest first
  });
}

class Circles : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Circles, OfMutexes) {
  expect_named<std::mutex>(GetParam(), "mutex");
}
TEST_P(Circles, OfRecursiveMutexes) {
  expect_named<std::recursive_mutex>(GetParam(), "mutex");
}
TEST_P(Circles, OfWriters) {
  expect_named<std::shared_mutex>(GetParam(), "rwlock");
}
INSTANTIATE_TEST_SUITE_P(Sizes, Circles, ::testing::Values(2, 3, 10));

TEST(Locks, AThreadThatJoinsWhoWaitsForItsMutexIsADeadlock) {
  in_child([] {
    live_reporter reporter;
    auto* const held = new std::mutex;
    auto* const inner = new std::atomic<test_thread*>{nullptr};
    const auto* const outer = new test_thread{[=] {
      const std::lock_guard lock{*held};
      *inner = new test_thread{[=] { const std::lock_guard wait{*held}; }};
      inner->load()->join();
    }};
    const json report = report_with_wait(reporter, outer->id(), "join");
    const pid_t joined = inner->load()->id();
    report_with_wait(reporter, joined, "mutex");
    const auto found = findings(reporter.make(), "deadlock");
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0]["threads"].get<std::vector<pid_t>>(),
                ::testing::UnorderedElementsAre(outer->id(), joined));
    EXPECT_THAT(found[0]["text"].get<std::string>(),
                HasSubstr("waits for the end of thread " + std::to_string(joined)));
  });
}

// They would let go by themselves.
TEST(Locks, ACircleOfTimedWaitsIsNoDeadlock) {
  live_reporter reporter;
  std::timed_mutex first;
  std::timed_mutex second;
  std::barrier<> both{2};
  std::atomic<bool> stop = false;
  const auto body = [&](std::timed_mutex& own, std::timed_mutex& other) {
    const std::lock_guard lock{own};
    both.arrive_and_wait();
    while (!stop)
      // By the system's clock: ThreadSanitizer does not know the lock by the steady one.
      if (other.try_lock_until(std::chrono::system_clock::now() + std::chrono::milliseconds{500}))
        other.unlock();
  };
  const auto end = [&] { stop = true; };
  test_thread one{[&] { body(first, second); }, end};
  test_thread two{[&] { body(second, first); }, end};
  const json report = report_with_wait(reporter, one.id(), "timed mutex");
  EXPECT_EQ(wait_of(report, one.id())["owner"], two.id());
  report_with_wait(reporter, two.id(), "timed mutex");
  EXPECT_THAT(findings(reporter.make(), "deadlock"), IsEmpty());
}

// Each waits for a lock that the other holds, again and again, but never both at once.
TEST(Locks, TwoThatUseTwoLocksInTurnAreNoDeadlock) {
  live_reporter reporter;
  std::mutex first;
  std::mutex second;
  std::atomic<bool> stop = false;
  const auto body = [&](std::mutex& own, std::mutex& other) {
    while (!stop) {
      for (std::mutex* each : {&own, &other}) {
        const std::lock_guard lock{*each};
        std::this_thread::yield();
      }
    }
  };
  const auto end = [&] { stop = true; };
  test_thread one{[&] { body(first, second); }, end};
  test_thread two{[&] { body(second, first); }, end};
  const char* const wanted = std::getenv("GMR_HAZARD_CAPTURES");
  const int reports = wanted != nullptr ? std::max(std::atoi(wanted) / 100, 20) : 20;
  for (int i = 0; i < reports; ++i)
    EXPECT_THAT(findings(reporter.make(), "deadlock"), IsEmpty());
}

TEST(Locks, AMutexHeldByALiveThreadIsNoFinding) {
  live_reporter reporter;
  std::recursive_mutex held;
  held.lock();
  held.lock();
  {
    test_thread waiting{[&] { const std::lock_guard wait{held}; }};
    const json report = report_with_wait(reporter, waiting.id(), "mutex");
    EXPECT_EQ(wait_of(report, waiting.id())["owner"], gettid());
    EXPECT_EQ(wait_of(report, waiting.id())["address"], address_of(&held));
    EXPECT_THAT(conclusions(report), IsEmpty());
    held.unlock();
    held.unlock();
  }
}

TEST(Locks, ASharedMutexNamesItsWriter) {
  live_reporter reporter;
  std::shared_mutex held;
  held.lock();
  {
    test_thread reading{[&] { const std::shared_lock wait{held}; }};
    test_thread writing{[&] { const std::unique_lock wait{held}; }};
    for (const pid_t id : {reading.id(), writing.id()}) {
      const json wait = wait_of(report_with_wait(reporter, id, "rwlock"), id);
      EXPECT_EQ(wait["owner"], gettid());
      EXPECT_EQ(wait["address"], address_of(&held));
    }
    EXPECT_THAT(conclusions(reporter.make()), IsEmpty());
    held.unlock();
  }
}

TEST(Locks, ReadersOfASharedMutexHaveNoNames) {
  live_reporter reporter;
  std::shared_mutex held;
  held.lock_shared();
  {
    test_thread writing{[&] { const std::unique_lock wait{held}; }};
    const json wait = wait_of(report_with_wait(reporter, writing.id(), "rwlock"), writing.id());
    EXPECT_TRUE(wait["owner"].is_null());
    EXPECT_EQ(wait["peer"], "held by readers");
    EXPECT_EQ(wait["address"], address_of(&held));
    held.unlock_shared();
  }
}

TEST(Locks, AConditionNamesItsMutexAndNobody) {
  live_reporter reporter;
  std::mutex mutex;
  std::condition_variable condition;
  bool go = false;
  for (const bool timed : {false, true}) {
    go = false;
    test_thread waiting{[&] {
                          std::unique_lock lock{mutex};
                          if (timed)
                            condition.wait_for(lock, std::chrono::hours{1}, [&] { return go; });
                          else
                            condition.wait(lock, [&] { return go; });
                        },
                        [&] {
                          const std::lock_guard lock{mutex};
                          go = true;
                          condition.notify_all();
                        }};
    const json report = report_with_wait(reporter, waiting.id(), "condition");
    EXPECT_EQ(wait_of(report, waiting.id())["address"], address_of(&condition));
    if (!capture::testing::threads_walk) {
      EXPECT_EQ(wait_of(report, waiting.id())["peer"], "with mutex " + address_of(&mutex));
    }
    EXPECT_TRUE(wait_of(report, waiting.id())["owner"].is_null());
    EXPECT_THAT(conclusions(report), IsEmpty());
  }
}

TEST(Locks, AFutureIsAFutexAndNothingIsInvented) {
  live_reporter reporter;
  std::promise<int> promise;
  test_thread waiting{[future = promise.get_future().share()] { future.wait(); },
                      [&] { promise.set_value(1); }};
  const json report = report_with_wait(reporter, waiting.id(), "futex");
  EXPECT_TRUE(wait_of(report, waiting.id())["owner"].is_null());
  EXPECT_THAT(conclusions(report), IsEmpty());
}

TEST(Locks, JoinNamesTheThreadWaitedFor) {
  live_reporter reporter;
  pipe_ends pipe;
  test_thread joined{[&] {
    char byte = 0;
    EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
  }};
  test_thread joining{[&] { joined.join(); }};
  const json report = report_with_wait(reporter, joining.id(), "join");
  EXPECT_EQ(wait_of(report, joining.id())["owner"], joined.id());
  EXPECT_THAT(conclusions(report), IsEmpty());
  pipe.write_byte();
  joining.join();
}

}  // namespace
}  // namespace gmr::test
